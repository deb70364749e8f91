package edge.runtime

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.ColorSpace
import android.media.ExifInterface
import android.net.Uri
import android.os.Build
import edge.core.ModelError
import edge.core.Picture
import java.io.IOException
import java.io.InputStream

/** Pictures of bitmaps, frame after frame: the arrays are kept. Not for several threads at once. */
class BitmapPictures {
    private var line = IntArray(0)
    private var rgb = ByteArray(0)

    /**
     * The pixels of a bitmap; they hold until the next call.
     *
     * @param rotationDegrees clockwise, 0, 90, 180 or 270: ImageProxy.imageInfo.rotationDegrees of a camera's frame.
     */
    fun picture(bitmap: Bitmap, rotationDegrees: Int = 0): Picture {
        val hardware = Build.VERSION.SDK_INT >= Build.VERSION_CODES.O && bitmap.config == Bitmap.Config.HARDWARE
        val readable = if (hardware) bitmap.copy(Bitmap.Config.ARGB_8888, false) else bitmap
        val (width, height) = readable.width to readable.height
        if (line.size != width) line = IntArray(width)
        if (rgb.size != 3 * width * height) rgb = ByteArray(3 * width * height)
        // Row by row: all pixels at once would take four bytes of memory each beside the three that are kept.
        for (row in 0 until height) {
            readable.getPixels(line, 0, width, 0, row, width, 1)
            Picture.unpack(line, rgb, 3 * width * row)
        }
        return Picture(width, height, 3, rgb).rotated(rotationDegrees)
    }

    /**
     * Reads a picture of another app or of a file; very large ones are thinned out.
     *
     * @param followsOrientation whether the file's EXIF orientation is applied: `ImageSpec.followsOrientation`.
     * @throws ModelError it cannot be read, or there is not enough memory for it.
     */
    fun read(resolver: ContentResolver, uri: Uri, followsOrientation: Boolean): Picture =
        try {
            decoded(resolver, uri, followsOrientation)
        } catch (failure: OutOfMemoryError) {
            throw ModelError("the picture does not fit into memory", "choose a smaller one", failure)
        }

    private fun decoded(resolver: ContentResolver, uri: Uri, followsOrientation: Boolean): Picture {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        stream(resolver, uri) { BitmapFactory.decodeStream(it, null, bounds) }
        val options =
            BitmapFactory.Options().apply {
                inSampleSize = sampleSize(bounds.outWidth, bounds.outHeight)
                inPreferredConfig = Bitmap.Config.ARGB_8888
                // Colours under a transparent pixel stay what they are in the file, as on the host.
                inPremultiplied = false
            }
        val bitmap = stream(resolver, uri) { BitmapFactory.decodeStream(it, null, options) } ?: throw unreadable(null)
        ignoreProfile(bitmap)
        val orientation =
            if (followsOrientation) stream(resolver, uri, ::orientation) else ExifInterface.ORIENTATION_NORMAL
        return picture(bitmap).upright(orientation)
    }

    /** The numbers of the file count, as on the host; getPixels would convert those of a wide gamut to sRGB. */
    private fun ignoreProfile(bitmap: Bitmap) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return
        try {
            bitmap.setColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
        } catch (_: IllegalArgumentException) {
            // A space of a wider range than bytes have: its numbers are converted.
        }
    }

    private fun orientation(stream: InputStream): Int =
        try {
            ExifInterface(stream).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)
        } catch (_: IOException) {
            ExifInterface.ORIENTATION_NORMAL // a format without EXIF
        }

    private fun <T> stream(resolver: ContentResolver, uri: Uri, read: (InputStream) -> T): T =
        try {
            val stream = resolver.openInputStream(uri) ?: throw unreadable(null)
            stream.use(read)
        } catch (failure: IOException) {
            throw unreadable(failure)
        } catch (failure: SecurityException) {
            throw unreadable(failure)
        }

    private fun unreadable(cause: Exception?) = ModelError("the picture cannot be read", "choose another one", cause)

    companion object {
        /** Larger pictures are halved until they fit: 10 bytes a pixel have to fit into memory. */
        const val MAX_PIXELS = 16_000_000

        /** No screen shows more. */
        private const val MAX_SHOWN = 2048

        /** A bitmap of a picture, to show it; sides above 2048 pixels are thinned out. */
        fun bitmap(picture: Picture): Bitmap {
            val every = maxOf(1, (maxOf(picture.width, picture.height) + MAX_SHOWN - 1) / MAX_SHOWN)
            val thin = picture.thinned(every)
            return Bitmap.createBitmap(thin.argb(), thin.width, thin.height, Bitmap.Config.ARGB_8888)
        }

        internal fun sampleSize(width: Int, height: Int): Int {
            var size = 1
            while (width.toLong() / size * (height / size) > MAX_PIXELS) size *= 2
            return size
        }
    }
}
