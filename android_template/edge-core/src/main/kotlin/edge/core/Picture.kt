package edge.core

/**
 * Pixels, upright: row by row, red, green and blue of each pixel, or one byte of gray.
 *
 * @param channels 3 for RGB, 1 for gray.
 */
class Picture(
    val width: Int,
    val height: Int,
    val channels: Int,
    val pixels: ByteArray,
) {
    init {
        if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
            throw ModelError("a picture of $width x $height x $channels", "give RGB or gray pixels")
        }
        val expected = width.toLong() * height * channels
        if (pixels.size.toLong() != expected) {
            throw ModelError("a picture of $width x $height x $channels with ${pixels.size} bytes", "it takes $expected")
        }
    }

    /** The picture turned and mirrored as EXIF tag 0x0112 says, 1 to 8; other values change nothing. */
    fun upright(orientation: Int): Picture {
        if (orientation !in 2..8) return this
        val transposed = orientation >= 5
        val newWidth = if (transposed) height else width
        val newHeight = if (transposed) width else height
        val flipRows = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8
        val flipColumns = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7
        val out = ByteArray(pixels.size)
        var to = 0
        for (row in 0 until newHeight) {
            val y = if (flipRows) newHeight - 1 - row else row
            for (column in 0 until newWidth) {
                val x = if (flipColumns) newWidth - 1 - column else column
                val from = (if (transposed) x * width + y else y * width + x) * channels
                for (channel in 0 until channels) out[to++] = pixels[from + channel]
            }
        }
        return Picture(newWidth, newHeight, channels, out)
    }

    /** The picture turned clockwise by 0, 90, 180 or 270 degrees, as a camera asks for. */
    fun rotated(degrees: Int): Picture =
        when (Math.floorMod(degrees, 360)) {
            90 -> upright(6)
            180 -> upright(3)
            270 -> upright(8)
            else -> this
        }

    /** Every [step]-th pixel of every [step]-th row, to show a large picture. */
    fun thinned(step: Int): Picture {
        if (step == 1) return this
        val (columns, rows) = (width + step - 1) / step to (height + step - 1) / step
        val out = ByteArray(columns * rows * channels)
        for (row in 0 until rows) {
            for (column in 0 until columns) {
                val from = (row * step * width + column * step) * channels
                pixels.copyInto(out, (row * columns + column) * channels, from, from + channels)
            }
        }
        return Picture(columns, rows, channels, out)
    }

    /** The pixels packed, opaque, as Android's Bitmap takes them. */
    fun argb(): IntArray {
        val last = channels - 1
        return IntArray(width * height) { index ->
            val red = pixels[index * channels].toInt() and 0xFF
            val green = pixels[index * channels + last / 2].toInt() and 0xFF
            val blue = pixels[index * channels + last].toInt() and 0xFF
            (0xFF shl 24) or (red shl 16) or (green shl 8) or blue
        }
    }

    companion object {
        /** Writes packed pixels, as Android's Bitmap.getPixels gives them, as RGB from place [at] of [rgb] on; alpha is dropped. */
        fun unpack(argb: IntArray, rgb: ByteArray, at: Int = 0) {
            var to = at
            for (value in argb) {
                rgb[to++] = (value shr 16).toByte()
                rgb[to++] = (value shr 8).toByte()
                rgb[to++] = value.toByte()
            }
        }
    }
}
