package edge.core

/** Type of a tensor's elements; the names are those of the contract. */
enum class ElementType(val contractName: String) {
    FLOAT32("float32"),
    INT8("int8"),
    UINT8("uint8"),
    INT32("int32"),
    INT64("int64"),
    BOOL("bool"),
    ;

    companion object {
        /** The type with a name of the contract. */
        fun named(name: String): ElementType =
            entries.firstOrNull { it.contractName == name }
                ?: throw ModelError("there is no element type $name here", "make the project anew with edge scaffold")
    }
}

/** Integers that stand for real numbers: real = scale * (stored - zeroPoint). */
data class Quantization(
    val scale: Float,
    val zeroPoint: Int,
)

/** How a picture becomes a tensor. The steps run in the order of the contract, docs/reference/contract.md. */
data class ImageSpec(
    val height: Int,
    val width: Int,
    val color: Color = Color.RGB,
    val cropFraction: Double = 1.0,
    val fit: Fit = Fit.STRETCH,
    val resize: ResizeMethod = ResizeMethod.BILINEAR,
    val padValue: Float = 0f,
    val scale: Float = 1f,
    val mean: FloatArray = floatArrayOf(0f),
    val std: FloatArray = floatArrayOf(1f),
    val layout: Layout = Layout.NHWC,
    val followsOrientation: Boolean = true,
) {
    enum class Color { RGB, BGR, GRAY }

    enum class Fit { STRETCH, CROP, PAD }

    enum class ResizeMethod { BILINEAR, BILINEAR_ANTIALIAS, NEAREST, NONE }

    enum class Layout { NHWC, NCHW }

    /** Channels of the tensor. */
    val channels: Int get() = if (color == Color.GRAY) 1 else 3

    /** Values of the tensor. */
    val size: Int get() = height * width * channels

    // A data class compares arrays by identity; nothing here compares specs.
    override fun equals(other: Any?): Boolean = this === other

    override fun hashCode(): Int = System.identityHashCode(this)
}

/** What applies to raw scores over the last axis. */
enum class Activation { NONE, SOFTMAX, SIGMOID }

/** What one output means. */
data class PostprocessSpec(
    val activation: Activation = Activation.NONE,
    val topK: Int? = null,
    val threshold: Double = 0.0,
)

/** Anchors of one feature map: cell by cell, row by row, one anchor for each size. */
data class AnchorGrid(
    val rows: Int,
    val columns: Int,
    val sizes: List<Size>,
) {
    data class Size(
        val height: Double,
        val width: Double,
    )
}

/** How output tensors become boxes; the steps are in docs/reference/contract.md. */
data class DetectionSpec(
    val boxes: String,
    val scores: String,
    val classes: String? = null,
    val count: String? = null,
    val form: Form = Form.YXYX,
    val boxScale: List<Double> = listOf(1.0, 1.0, 1.0, 1.0),
    val anchors: List<AnchorGrid> = emptyList(),
    val exponential: Boolean = false,
    val keypoints: Int = 0,
    val activation: Activation = Activation.NONE,
    val background: Int? = null,
    val threshold: Double = 0.5,
    val suppression: Suppression = Suppression.HARD,
    val overlap: Double = 0.5,
    val limit: Int = 100,
) {
    enum class Form(val yFirst: Boolean, val centred: Boolean) {
        YXYX(true, false),
        XYXY(false, false),
        XYWH(false, false),
        CXCYWH(false, true),
        CYCXHW(true, true),
    }

    enum class Suppression { HARD, WEIGHTED, NONE }
}

/** One input or output, as the app sees it and as the file stores it. */
class TensorSpec(
    val name: String,
    val type: ElementType,
    val shape: List<Int>,
    val storedName: String = name,
    val storedType: ElementType = type,
    val quantization: Quantization? = null,
    val image: ImageSpec? = null,
    val postprocess: PostprocessSpec? = null,
) {
    /** How many values the tensor holds; 1 for a single number. */
    val size: Int = shape.fold(1) { product, size -> Math.multiplyExact(product, size) }

    override fun toString(): String = "$name ${type.contractName}$shape"
}

/** Something the caller can act on: what happened, and what to do. */
class ModelError(
    val reason: String,
    val remedy: String,
    cause: Throwable? = null,
) : Exception("$reason; $remedy", cause)
