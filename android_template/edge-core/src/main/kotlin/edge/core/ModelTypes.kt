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
class ImageSpec(
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
    /** Whether a file's EXIF orientation turns the picture before all else. */
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

    /** The outputs that are read. */
    val outputs: List<String> get() = listOfNotNull(boxes, scores, classes, count)

    /** x and y of the centre, width and height of each anchor, one after the other; made once. */
    internal val anchorTable: DoubleArray by lazy(LazyThreadSafetyMode.PUBLICATION) {
        val table = DoubleArray(4 * anchors.sumOf { it.rows * it.columns * it.sizes.size })
        var to = 0
        for (grid in anchors) {
            for (cell in 0 until grid.rows * grid.columns) {
                for (size in grid.sizes) {
                    table[to++] = (cell % grid.columns + 0.5) / grid.columns
                    table[to++] = (cell / grid.columns + 0.5) / grid.rows
                    table[to++] = size.width
                    table[to++] = size.height
                }
            }
        }
        table
    }
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

/** What can run a model; the order of an app's ladder is in [ModelFacts.accelerators]. */
enum class Accelerator(val key: String) {
    NPU("npu"),
    GPU("gpu"),

    /** The GPU, and the CPU for what the GPU cannot do. */
    GPU_CPU("gpu_cpu"),
    CPU("cpu"),
}

/**
 * What an app knows of its model; `ModelSpec` in the package generated holds the facts of this project.
 *
 * @param modelSha256 of the model's file as it is shipped, in lower case.
 * @param modelSize of that file, in bytes.
 * @param signature key of the signature in the file; empty where it has none.
 * @param goldenAtol absolute tolerance of an output value against the host's.
 * @param goldenRtol relative tolerance of an output value against the host's.
 */
open class ModelFacts(
    val name: String,
    val version: String,
    val variant: String,
    val modelFile: String,
    val modelSha256: String,
    val modelSize: Long,
    val signature: String,
    val inputs: List<TensorSpec>,
    val outputs: List<TensorSpec>,
    val labels: List<String> = emptyList(),
    val detections: DetectionSpec? = null,
    val accelerators: List<Accelerator> = listOf(Accelerator.CPU),
    val goldenAtol: Double = 0.0,
    val goldenRtol: Double = 0.0,
) {
    /** The input with a name of the contract. */
    fun input(name: String): TensorSpec = inputs.named(name, "input")

    /** The output with a name of the contract. */
    fun output(name: String): TensorSpec = outputs.named(name, "output")

    private fun List<TensorSpec>.named(name: String, side: String): TensorSpec =
        firstOrNull { it.name == name }
            ?: throw ModelError("the model has no $side called $name", "there are ${joinToString { it.name }}")
}

/** Something the caller can act on: what happened, and what to do. */
class ModelError(
    val reason: String,
    val remedy: String,
    cause: Throwable? = null,
) : Exception("$reason; $remedy", cause)
