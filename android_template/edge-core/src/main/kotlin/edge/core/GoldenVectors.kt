package edge.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.io.encoding.Base64

/** Recorded numbers of a golden file; of a long expectation only every [stride]-th value. */
class GoldenTensor(
    val type: String,
    val shape: List<Int>,
    val stride: Int,
    private val bytes: ByteBuffer,
) {
    /** How many values were recorded. */
    val count: Int = bytes.capacity() / width(type)

    /** How many values the tensor has, recorded or not. */
    val size: Int = shape.fold(1) { product, length -> Math.multiplyExact(product, length) }

    /** A recorded value as a real number. */
    fun real(index: Int): Double =
        when (type) {
            "float32" -> bytes.getFloat(4 * index).toDouble()
            "float64" -> bytes.getDouble(8 * index)
            "int8" -> bytes.get(index).toDouble()
            "uint8", "bool" -> (bytes.get(index).toInt() and 0xFF).toDouble()
            "int16" -> bytes.getShort(2 * index).toDouble()
            "int32" -> bytes.getInt(4 * index).toDouble()
            else -> bytes.getLong(8 * index).toDouble()
        }

    /** The values of a tensor of bytes as they are. */
    fun byteValues(): ByteArray {
        if (width(type) != 1) throw ModelError("recorded numbers of type $type are no bytes", "make golden.json anew")
        return ByteArray(count) { bytes.get(it) }
    }

    /** The values as a tensor of the app. */
    fun tensor(): Tensor {
        if (stride != 1) throw ModelError("these numbers were thinned out", "they are for comparing alone")
        return when (type) {
            "float32", "float64" -> Tensor.Floats(FloatArray(count) { real(it).toFloat() }, shape)
            "int8" -> Tensor.Bytes(byteValues(), shape)
            "uint8" -> Tensor.Bytes(byteValues(), shape, unsigned = true)
            "int32", "int16" -> Tensor.Ints(IntArray(count) { real(it).toInt() }, shape)
            "bool" -> Tensor.Booleans(BooleanArray(count) { real(it) != 0.0 }, shape)
            else -> Tensor.Longs(LongArray(count) { bytes.getLong(8 * it) }, shape)
        }
    }

    companion object {
        internal fun of(data: JsonObject): GoldenTensor {
            val type = data.text("dtype")
            val shape = data.numbers("shape").map { it.toInt() }
            val stride = data.integer("stride")
            val raw =
                try {
                    Base64.decode(data.text("data"))
                } catch (error: IllegalArgumentException) {
                    throw ModelError("a recorded tensor is damaged", "make golden.json anew", error)
                }
            if (stride < 1 || shape.any { it < 0 }) throw ModelError("a recorded tensor of $type$shape", "make golden.json anew")
            val size = shape.fold(1L) { product, length -> product * length }
            val expected = (size + stride - 1) / stride * width(type)
            if (raw.size.toLong() != expected) {
                throw ModelError("a recorded tensor of $type$shape has ${raw.size} bytes", "it should have $expected")
            }
            return GoldenTensor(type, shape, stride, ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN))
        }

        private fun width(type: String): Int =
            when (type) {
                "int8", "uint8", "bool" -> 1
                "int16" -> 2
                "float32", "int32" -> 4
                "float64", "int64" -> 8
                else -> throw ModelError("golden vectors of type $type", "this project cannot read them")
            }
    }
}

/** One case for the model itself. */
class GoldenCase(
    val inputs: Map<String, GoldenTensor>,
    val outputs: Map<String, GoldenTensor>,
)

/**
 * Recorded cases: [cases] for the model on a device, [steps] for everything around it.
 *
 * @param atol absolute tolerance of a model's output value.
 * @param rtol relative tolerance of a model's output value.
 */
class GoldenVectors(
    val atol: Double,
    val rtol: Double,
    val cases: List<GoldenCase>,
    internal val steps: List<JsonObject>,
) {
    companion object {
        /** Reads golden.json. */
        fun read(text: String): GoldenVectors {
            val file = JsonObject.of(Json.read(text), "golden")
            if (file.text("format") != "edge-golden" || !file.text("format_version").startsWith("1.")) {
                throw ModelError("these are no golden vectors of this version", "run edge scaffold update")
            }
            val tolerance = file.child("tolerance")
            return GoldenVectors(
                tolerance.number("atol"),
                tolerance.number("rtol"),
                file.children("model").map { GoldenCase(tensors(it.child("inputs")), tensors(it.child("outputs"))) },
                file.children("steps"),
            )
        }

        internal fun tensors(data: JsonObject): Map<String, GoldenTensor> = data.entries().mapValues { GoldenTensor.of(it.value) }
    }
}
