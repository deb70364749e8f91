package edge.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/**
 * Which source indices make an output index along one axis, with which weights.
 *
 * @param taps how many of each belong to one output index.
 * @param indices sources, one output index after the other.
 * @param weights of these sources.
 */
internal class Taps(
    val taps: Int,
    val indices: IntArray,
    val weights: FloatArray,
)

/**
 * Resizing along one axis, exactly as docs/reference/contract.md defines it: the same numbers as
 * tf.image.resize. A picture is the sum of its taps, rows first, in float32 and in the order of the taps.
 */
internal object Resize {
    /** How to bring [sizeIn] pixels to [sizeOut]; a size that fits already stays as it is. */
    fun taps(sizeIn: Int, sizeOut: Int, method: ImageSpec.ResizeMethod): Taps =
        when {
            sizeIn == sizeOut -> Taps(1, IntArray(sizeOut) { it }, ones(sizeOut))
            method == ImageSpec.ResizeMethod.BILINEAR -> bilinear(sizeIn, sizeOut)
            method == ImageSpec.ResizeMethod.BILINEAR_ANTIALIAS -> antialias(sizeIn, sizeOut)
            method == ImageSpec.ResizeMethod.NEAREST -> Taps(1, nearest(sizeIn, sizeOut), ones(sizeOut))
            else -> throw ModelError("$sizeIn pixels do not fit $sizeOut", "the contract says resize = none")
        }

    private fun ones(size: Int) = FloatArray(size) { 1f }

    private fun nearest(sizeIn: Int, sizeOut: Int): IntArray {
        val scale = sizeIn.toFloat() / sizeOut.toFloat()
        return IntArray(sizeOut) { index -> min(floor((index.toFloat() + 0.5f) * scale).toInt(), sizeIn - 1) }
    }

    private fun bilinear(sizeIn: Int, sizeOut: Int): Taps {
        val scale = sizeIn.toDouble() / sizeOut
        val indices = IntArray(sizeOut * 2)
        val weights = FloatArray(sizeOut * 2)
        for (index in 0 until sizeOut) {
            val point = (index + 0.5) * scale - 0.5
            val low = floor(point)
            indices[2 * index] = low.toInt().coerceIn(0, sizeIn - 1)
            indices[2 * index + 1] = (low.toInt() + 1).coerceIn(0, sizeIn - 1)
            weights[2 * index] = (1 - (point - low)).toFloat()
            weights[2 * index + 1] = (point - low).toFloat()
        }
        return Taps(2, indices, weights)
    }

    private fun antialias(sizeIn: Int, sizeOut: Int): Taps {
        val scale = sizeIn.toDouble() / sizeOut
        val radius = max(scale, 1.0)
        val taps = floor(2 * radius).toInt() + 1
        val indices = IntArray(sizeOut * taps)
        val weights = FloatArray(sizeOut * taps)
        val row = DoubleArray(taps)
        for (index in 0 until sizeOut) {
            val sample = (index + 0.5) * scale
            val first = ceil(sample - radius - 0.5).toInt()
            var sum = 0.0
            for (tap in 0 until taps) {
                val source = first + tap
                row[tap] =
                    if (source in 0 until sizeIn) max(1 - abs(source + 0.5 - sample) / radius, 0.0) else 0.0
                sum += row[tap]
                indices[index * taps + tap] = source.coerceIn(0, sizeIn - 1)
            }
            for (tap in 0 until taps) weights[index * taps + tap] = (row[tap] / sum).toFloat()
        }
        return Taps(taps, indices, weights)
    }
}
