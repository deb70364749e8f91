package edge.core

import kotlin.math.round

/** From a picture to the tensor that a model takes: the steps of the contract, in its order. */
object Preprocess {
    /** A new tensor with a batch of one: [1, height, width, channels], or [1, channels, height, width]. */
    fun image(picture: Picture, spec: ImageSpec): FloatArray = FloatArray(spec.size).also { image(picture, spec, it) }

    /** The same, into an array that is there already. For frame after frame keep a [Preprocessor]. */
    fun image(picture: Picture, spec: ImageSpec, out: FloatArray) = Preprocessor(spec).image(picture, out)

    /** The input that a picture becomes, in the contract's type: integers are rounded half to even, and clipped. */
    fun tensor(picture: Picture, input: TensorSpec): Tensor {
        val spec = input.image ?: throw ModelError("input ${input.name} is no picture", "give its tensor instead")
        val values = image(picture, spec)
        if (values.size != input.size) {
            throw ModelError("a picture gives ${values.size} values", "input ${input.name} takes ${input.size}")
        }
        val out = Tensor.zeros(input.type, input.shape)
        when (out) {
            is Tensor.Floats -> values.copyInto(out.values)
            is Tensor.Bytes -> {
                val low = if (out.unsigned) 0.0 else Byte.MIN_VALUE.toDouble()
                val high = if (out.unsigned) 255.0 else Byte.MAX_VALUE.toDouble()
                for (index in values.indices) out.values[index] = whole(values[index], low, high).toInt().toByte()
            }
            is Tensor.Ints -> {
                val high = Int.MAX_VALUE.toDouble()
                for (index in values.indices) out.values[index] = whole(values[index], -high - 1, high).toInt()
            }
            is Tensor.Longs -> for (index in values.indices) out.values[index] = round(values[index].toDouble()).toLong()
            is Tensor.Booleans ->
                throw ModelError("a picture cannot become truth values", "give input ${input.name} as a tensor")
        }
        return out
    }

    private fun whole(value: Float, low: Double, high: Double): Double = round(value.toDouble()).coerceIn(low, high)
}
