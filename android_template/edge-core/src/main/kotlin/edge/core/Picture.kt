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

    companion object {
        /**
         * RGB of packed pixels as Android's Bitmap.getPixels gives them; alpha is dropped.
         *
         * @param reuse an array of the last picture, for frame after frame; taken where its size fits.
         */
        fun ofArgb(argb: IntArray, width: Int, height: Int, reuse: ByteArray? = null): Picture {
            val count = Math.multiplyExact(width, height)
            val size = Math.multiplyExact(count, 3)
            val pixels = if (reuse != null && reuse.size == size) reuse else ByteArray(size)
            var to = 0
            for (index in 0 until count) {
                val value = argb[index]
                pixels[to++] = (value shr 16).toByte()
                pixels[to++] = (value shr 8).toByte()
                pixels[to++] = value.toByte()
            }
            return Picture(width, height, 3, pixels)
        }
    }
}
