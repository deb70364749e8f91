package edge.core

/**
 * Makes tensors of pictures, again and again: what depends on the size of the pictures alone is kept, and
 * nothing is allocated while the size stays the same. Not for several threads at once.
 */
class Preprocessor(private val spec: ImageSpec) {
    private val channels = spec.channels
    private val mean = FloatArray(channels) { spec.mean[if (spec.mean.size == 1) 0 else it] }
    private val std = FloatArray(channels) { spec.std[if (spec.std.size == 1) 0 else it] }

    /** Values of the padding by channel, which passes through the same steps as any pixel. */
    private val padding = FloatArray(channels) { (spec.padValue * spec.scale - mean[it]) / std[it] }

    /** How far apart channels and columns are in the tensor. */
    private val channelStep = if (spec.layout == ImageSpec.Layout.NCHW) spec.height * spec.width else 1
    private val columnStep = if (spec.layout == ImageSpec.Layout.NCHW) 1 else channels

    private var rows = 0
    private var columns = 0
    private lateinit var place: Placement
    private lateinit var down: Taps
    private lateinit var across: Taps

    /** One row of the source, summed over its taps; up to three values a pixel. */
    private var line = FloatArray(0)

    /**
     * Writes the tensor of a picture.
     *
     * @param out as long as the tensor; every value is written.
     */
    fun image(picture: Picture, out: FloatArray) {
        if (out.size != spec.size) {
            throw ModelError("the array has ${out.size} values", "the picture takes ${spec.size}")
        }
        plan(picture.height, picture.width)
        // Channels are resized one by one, so their order, and the two copies of a gray one, can wait.
        val sourceChannels = if (channels == 1) 1 else picture.channels
        val size = place.sourceColumns * sourceChannels
        if (line.size < size) line = FloatArray(size)
        for (row in 0 until spec.height) {
            val y = row - place.top
            if (y < 0 || y >= place.rows) {
                pad(out, row, 0, spec.width)
                continue
            }
            sumRows(picture, y, size)
            if (place.columns != spec.width) {
                pad(out, row, 0, place.left)
                pad(out, row, place.left + place.columns, spec.width)
            }
            if (sourceChannels == 3) writeColor(out, row) else writeGray(out, row)
        }
    }

    private fun plan(pictureRows: Int, pictureColumns: Int) {
        if (pictureRows == rows && pictureColumns == columns) return
        val found = Placement.of(pictureRows, pictureColumns, spec)
        if (spec.resize == ImageSpec.ResizeMethod.NONE &&
            (found.sourceRows != found.rows || found.sourceColumns != found.columns)
        ) {
            throw ModelError(
                "the picture is ${found.sourceColumns} x ${found.sourceRows}, the model takes ${found.columns} x ${found.rows}",
                "give a picture of that size, or set resize in edge.toml",
            )
        }
        down = Resize.taps(found.sourceRows, found.rows, spec.resize)
        across = Resize.taps(found.sourceColumns, found.columns, spec.resize)
        place = found
        rows = pictureRows
        columns = pictureColumns
    }

    /** Sums the source rows that make one row of the result into [line]. */
    private fun sumRows(picture: Picture, y: Int, size: Int) {
        val line = line
        line.fill(0f, 0, size)
        val pixels = picture.pixels
        val luma = channels == 1 && picture.channels == 3
        for (tap in y * down.taps until (y + 1) * down.taps) {
            val weight = down.weights[tap]
            if (weight == 0f) continue
            var from = ((place.sourceTop + down.indices[tap]) * picture.width + place.sourceLeft) * picture.channels
            if (luma) {
                for (index in 0 until size) {
                    line[index] += luma(pixels, from) * weight
                    from += 3
                }
            } else {
                for (index in 0 until size) line[index] += (pixels[from + index].toInt() and 0xFF).toFloat() * weight
            }
        }
    }

    /** ITU-R 601 in 16-bit fixed point, rounded: what Pillow's convert("L") computes. */
    private fun luma(pixels: ByteArray, from: Int): Float {
        val red = pixels[from].toInt() and 0xFF
        val green = pixels[from + 1].toInt() and 0xFF
        val blue = pixels[from + 2].toInt() and 0xFF
        return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) shr 16).toFloat()
    }

    private fun writeColor(out: FloatArray, row: Int) {
        val line = line
        val taps = across.taps
        val indices = across.indices
        val weights = across.weights
        // Where red and blue end up.
        val first = if (spec.color == ImageSpec.Color.BGR) 2 else 0
        val last = 2 - first
        var to = start(row) + place.left * columnStep
        for (column in 0 until place.columns) {
            var red = 0f
            var green = 0f
            var blue = 0f
            for (tap in column * taps until (column + 1) * taps) {
                val weight = weights[tap]
                val from = 3 * indices[tap]
                red += line[from] * weight
                green += line[from + 1] * weight
                blue += line[from + 2] * weight
            }
            out[to + first * channelStep] = normal(red, first)
            out[to + channelStep] = normal(green, 1)
            out[to + last * channelStep] = normal(blue, last)
            to += columnStep
        }
    }

    private fun writeGray(out: FloatArray, row: Int) {
        val taps = across.taps
        var to = start(row) + place.left * columnStep
        for (column in 0 until place.columns) {
            var gray = 0f
            for (tap in column * taps until (column + 1) * taps) gray += line[across.indices[tap]] * across.weights[tap]
            for (channel in 0 until channels) out[to + channel * channelStep] = normal(gray, channel)
            to += columnStep
        }
    }

    private fun pad(out: FloatArray, row: Int, from: Int, until: Int) {
        for (channel in 0 until channels) {
            var to = start(row) + from * columnStep + channel * channelStep
            for (column in from until until) {
                out[to] = padding[channel]
                to += columnStep
            }
        }
    }

    private fun start(row: Int): Int = row * spec.width * columnStep

    private fun normal(pixel: Float, channel: Int): Float = (pixel * spec.scale - mean[channel]) / std[channel]
}
