package edge.core

import kotlin.math.abs
import kotlin.math.exp

/** Activations over the last axis: computed in double, answered in float32; large values do not overflow. */
object Activations {
    /** Applies an activation to rows of [width] values; [Activation.NONE] gives the array back. */
    fun apply(values: FloatArray, width: Int, activation: Activation): FloatArray =
        when (activation) {
            Activation.NONE -> values
            Activation.SOFTMAX -> softmax(values, width)
            Activation.SIGMOID -> sigmoid(values)
        }

    /** Softmax of each row of [width] values; [out] may be the same array. */
    fun softmax(values: FloatArray, width: Int, out: FloatArray = FloatArray(values.size)): FloatArray {
        if (values.isEmpty()) return out
        requireRoom(values, out)
        if (width < 1 || values.size % width != 0) {
            throw ModelError("${values.size} values are no rows of $width", "give the size of the last axis")
        }
        val powers = DoubleArray(width)
        for (start in values.indices step width) {
            var highest = Double.NEGATIVE_INFINITY
            for (index in 0 until width) {
                val value = values[start + index].toDouble()
                // NaN in a row makes the whole row NaN, as it does in NumPy.
                if (value > highest || value.isNaN()) highest = value
                if (highest.isNaN()) break
            }
            var sum = 0.0
            for (index in 0 until width) {
                powers[index] = exp(values[start + index] - highest)
                sum += powers[index]
            }
            for (index in 0 until width) out[start + index] = (powers[index] / sum).toFloat()
        }
        return out
    }

    /** 1 / (1 + exp(-value)) of each value; [out] may be the same array. */
    fun sigmoid(values: FloatArray, out: FloatArray = FloatArray(values.size)): FloatArray {
        requireRoom(values, out)
        for (index in values.indices) out[index] = sigmoid(values[index])
        return out
    }

    /** The same of one value. */
    fun sigmoid(value: Float): Float {
        val wide = value.toDouble()
        val small = exp(-abs(wide))
        return ((if (wide >= 0) 1.0 else small) / (1.0 + small)).toFloat()
    }

    private fun requireRoom(values: FloatArray, out: FloatArray) {
        if (out.size != values.size) throw ModelError("${values.size} values do not fit ${out.size}", "give an array as long")
    }
}
