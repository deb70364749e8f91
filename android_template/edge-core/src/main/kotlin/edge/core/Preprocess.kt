package edge.core

/** From a picture to the tensor that a model takes: the steps of the contract, in its order. */
object Preprocess {
    /** A new tensor with a batch of one: [1, height, width, channels], or [1, channels, height, width]. */
    fun image(picture: Picture, spec: ImageSpec): FloatArray = FloatArray(spec.size).also { image(picture, spec, it) }

    /** The same, into an array that is used again for every frame. */
    fun image(picture: Picture, spec: ImageSpec, out: FloatArray) {
        if (out.size != spec.size) {
            throw ModelError("the array has ${out.size} values", "the picture takes ${spec.size}")
        }
        val channels = spec.channels
        val place = Placement.of(picture.height, picture.width, spec)
        val part = Resize.resize(recolored(picture, spec.color), picture.width, channels, place, spec.resize)
        val padded = place.rows != spec.height || place.columns != spec.width
        val nchw = spec.layout == ImageSpec.Layout.NCHW
        for (channel in 0 until channels) {
            val mean = spec.mean[if (spec.mean.size == 1) 0 else channel]
            val std = spec.std[if (spec.std.size == 1) 0 else channel]
            val outside = (spec.padValue * spec.scale - mean) / std
            for (row in 0 until spec.height) {
                for (column in 0 until spec.width) {
                    val to =
                        if (nchw) {
                            (channel * spec.height + row) * spec.width + column
                        } else {
                            (row * spec.width + column) * channels + channel
                        }
                    val y = row - place.top
                    val x = column - place.left
                    out[to] =
                        if (padded && (y < 0 || y >= place.rows || x < 0 || x >= place.columns)) {
                            outside
                        } else {
                            (part[(y * place.columns + x) * channels + channel] * spec.scale - mean) / std
                        }
                }
            }
        }
    }

    private fun recolored(picture: Picture, color: ImageSpec.Color): ByteArray =
        when {
            color == ImageSpec.Color.GRAY -> if (picture.channels == 1) picture.pixels else luma(picture)
            picture.channels == 1 -> ByteArray(picture.pixels.size * 3) { picture.pixels[it / 3] }
            color == ImageSpec.Color.BGR -> reversed(picture.pixels)
            else -> picture.pixels
        }

    /** ITU-R 601 in 16-bit fixed point, rounded: what Pillow's convert("L") computes. */
    private fun luma(picture: Picture): ByteArray {
        val pixels = picture.pixels
        return ByteArray(picture.width * picture.height) { index ->
            val red = pixels[3 * index].toInt() and 0xFF
            val green = pixels[3 * index + 1].toInt() and 0xFF
            val blue = pixels[3 * index + 2].toInt() and 0xFF
            ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) shr 16).toByte()
        }
    }

    private fun reversed(pixels: ByteArray): ByteArray {
        val out = ByteArray(pixels.size)
        for (start in pixels.indices step 3) {
            out[start] = pixels[start + 2]
            out[start + 1] = pixels[start + 1]
            out[start + 2] = pixels[start]
        }
        return out
    }
}
