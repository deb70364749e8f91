package edge.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/**
 * Resizing, one axis after the other, exactly as docs/reference/contract.md defines it: the same numbers as
 * tf.image.resize. Sums are in float32 and in a fixed order.
 */
object Resize {
    /** Which source indices make an output index, with which weights: `taps` of each, one after the other. */
    private class Taps(
        val taps: Int,
        val indices: IntArray,
        val weights: FloatArray,
    )

    /**
     * Resizes a part of a picture.
     *
     * @param pixels [rows, columns, channels] of the whole picture, unsigned bytes.
     * @param stride columns of the whole picture.
     * @return [height, width, channels], not rounded.
     */
    fun resize(
        pixels: ByteArray,
        stride: Int,
        channels: Int,
        place: Placement,
        method: ImageSpec.ResizeMethod,
    ): FloatArray {
        val rows = place.sourceRows
        val columns = place.sourceColumns
        val height = place.rows
        val width = place.columns
        val start = (place.sourceTop * stride + place.sourceLeft) * channels
        val step = stride * channels
        if (rows == height && columns == width) {
            val out = FloatArray(height * width * channels)
            for (row in 0 until height) {
                for (index in 0 until width * channels) {
                    out[row * width * channels + index] = unsigned(pixels[start + row * step + index])
                }
            }
            return out
        }
        if (method == ImageSpec.ResizeMethod.NONE) {
            throw ModelError(
                "the picture is $columns x $rows, the model takes $width x $height",
                "give a picture of that size, or set resize in edge.toml",
            )
        }
        if (method == ImageSpec.ResizeMethod.NEAREST) {
            return nearest(pixels, start, step, channels, rows, columns, height, width)
        }
        val antialias = method == ImageSpec.ResizeMethod.BILINEAR_ANTIALIAS
        val down = if (antialias) antialiasTaps(rows, height) else bilinearTaps(rows, height)
        val across = if (antialias) antialiasTaps(columns, width) else bilinearTaps(columns, width)
        val line = columns * channels
        val sums = FloatArray(line)
        val out = FloatArray(height * width * channels)
        for (row in 0 until height) {
            sums.fill(0f)
            for (tap in 0 until down.taps) {
                val weight = down.weights[row * down.taps + tap]
                if (weight == 0f) continue
                val from = start + down.indices[row * down.taps + tap] * step
                for (index in 0 until line) sums[index] += unsigned(pixels[from + index]) * weight
            }
            for (column in 0 until width) {
                val to = (row * width + column) * channels
                for (tap in 0 until across.taps) {
                    val weight = across.weights[column * across.taps + tap]
                    if (weight == 0f) continue
                    val from = across.indices[column * across.taps + tap] * channels
                    for (channel in 0 until channels) out[to + channel] += sums[from + channel] * weight
                }
            }
        }
        return out
    }

    private fun nearest(
        pixels: ByteArray, start: Int, step: Int, channels: Int,
        rows: Int, columns: Int, height: Int, width: Int,
    ): FloatArray {
        val down = nearestIndices(rows, height)
        val across = nearestIndices(columns, width)
        val out = FloatArray(height * width * channels)
        var to = 0
        for (row in 0 until height) {
            for (column in 0 until width) {
                val from = start + down[row] * step + across[column] * channels
                for (channel in 0 until channels) out[to++] = unsigned(pixels[from + channel])
            }
        }
        return out
    }

    private fun nearestIndices(sizeIn: Int, sizeOut: Int): IntArray {
        val scale = sizeIn.toFloat() / sizeOut.toFloat()
        return IntArray(sizeOut) { index -> min(floor((index.toFloat() + 0.5f) * scale).toInt(), sizeIn - 1) }
    }

    private fun bilinearTaps(sizeIn: Int, sizeOut: Int): Taps {
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

    private fun antialiasTaps(sizeIn: Int, sizeOut: Int): Taps {
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

    private fun unsigned(value: Byte): Float = (value.toInt() and 0xFF).toFloat()
}
