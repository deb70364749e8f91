package edge.runtime

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import android.net.Uri
import android.os.Build
import edge.core.ModelError
import edge.core.Picture
import java.io.IOException
import java.io.InputStream

/** Pictures of bitmaps, frame after frame: the arrays are kept. Not for several threads at once. */
class BitmapPictures {
    private var argb = IntArray(0)
    private var rgb: ByteArray? = null

    /**
     * The pixels of a bitmap; they hold until the next call.
     *
     * @param rotationDegrees clockwise, 0, 90, 180 or 270: ImageProxy.imageInfo.rotationDegrees of a camera's frame.
     */
    fun picture(bitmap: Bitmap, rotationDegrees: Int = 0): Picture {
        val hardware = Build.VERSION.SDK_INT >= Build.VERSION_CODES.O && bitmap.config == Bitmap.Config.HARDWARE
        val readable = if (hardware) bitmap.copy(Bitmap.Config.ARGB_8888, false) else bitmap
        val count = readable.width * readable.height
        if (argb.size < count) argb = IntArray(count)
        readable.getPixels(argb, 0, readable.width, 0, 0, readable.width, readable.height)
        val picture = Picture.ofArgb(argb, readable.width, readable.height, rgb)
        rgb = picture.pixels
        return picture.rotated(rotationDegrees)
    }

    /**
     * Reads a picture of another app or of a file; very large ones are thinned out.
     *
     * @param followsOrientation whether the file's EXIF orientation is applied: `ImageSpec.followsOrientation`.
     * @throws ModelError it cannot be read.
     */
    fun read(resolver: ContentResolver, uri: Uri, followsOrientation: Boolean): Picture {
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
        val orientation =
            if (followsOrientation) stream(resolver, uri, ::orientation) else ExifInterface.ORIENTATION_NORMAL
        return picture(bitmap).upright(orientation)
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
        /** Larger pictures are halved until they fit: 4 bytes a pixel, three times over, have to fit into memory. */
        const val MAX_PIXELS = 16_000_000

        /** A bitmap of a picture, to show it. */
        fun bitmap(picture: Picture): Bitmap {
            val pixels = picture.pixels
            val step = picture.channels
            val last = step - 1
            val argb =
                IntArray(picture.width * picture.height) { index ->
                    val red = pixels[index * step].toInt() and 0xFF
                    val green = pixels[index * step + last / 2].toInt() and 0xFF
                    val blue = pixels[index * step + last].toInt() and 0xFF
                    (0xFF shl 24) or (red shl 16) or (green shl 8) or blue
                }
            return Bitmap.createBitmap(argb, picture.width, picture.height, Bitmap.Config.ARGB_8888)
        }

        internal fun sampleSize(width: Int, height: Int): Int {
            var size = 1
            while (width.toLong() / size * (height / size) > MAX_PIXELS) size *= 2
            return size
        }
    }
}
