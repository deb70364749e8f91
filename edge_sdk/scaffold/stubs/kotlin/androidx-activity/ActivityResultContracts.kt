// Stub of androidx.activity:activity 1.13.0
package androidx.activity.result.contract

import android.content.Context
import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import androidx.activity.result.ActivityResult
import androidx.activity.result.PickVisualMediaRequest

abstract class ActivityResultContract<I, O> {
    abstract fun createIntent(context: Context, input: I): Intent

    abstract fun parseResult(resultCode: Int, intent: Intent?): O

    open fun getSynchronousResult(context: Context, input: I): SynchronousResult<O>? = TODO()

    class SynchronousResult<T>(val value: T)
}

class ActivityResultContracts private constructor() {
    open class PickVisualMedia : ActivityResultContract<PickVisualMediaRequest, Uri?>() {
        override fun createIntent(context: Context, input: PickVisualMediaRequest): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Uri? = TODO()

        sealed interface VisualMediaType

        object ImageOnly : VisualMediaType

        object VideoOnly : VisualMediaType

        object ImageAndVideo : VisualMediaType

        class SingleMimeType(val mimeType: String) : VisualMediaType

        companion object {
            @JvmStatic
            fun isPhotoPickerAvailable(context: Context): Boolean = TODO()
        }
    }

    open class PickMultipleVisualMedia(maxItems: Int = 1) :
        ActivityResultContract<PickVisualMediaRequest, List<@JvmSuppressWildcards Uri>>() {
        override fun createIntent(context: Context, input: PickVisualMediaRequest): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): List<Uri> = TODO()
    }

    open class GetContent : ActivityResultContract<String, Uri?>() {
        override fun createIntent(context: Context, input: String): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Uri? = TODO()
    }

    open class OpenDocument : ActivityResultContract<Array<String>, Uri?>() {
        override fun createIntent(context: Context, input: Array<String>): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Uri? = TODO()
    }

    open class CreateDocument(mimeType: String) : ActivityResultContract<String, Uri?>() {
        override fun createIntent(context: Context, input: String): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Uri? = TODO()
    }

    class RequestPermission : ActivityResultContract<String, Boolean>() {
        override fun createIntent(context: Context, input: String): Intent = TODO()

        override fun parseResult(resultCode: Int, intent: Intent?): Boolean = TODO()
    }

    class RequestMultiplePermissions :
        ActivityResultContract<Array<String>, Map<String, @JvmSuppressWildcards Boolean>>() {
        override fun createIntent(context: Context, input: Array<String>): Intent = TODO()

        override fun parseResult(resultCode: Int, intent: Intent?): Map<String, Boolean> = TODO()
    }

    class StartActivityForResult : ActivityResultContract<Intent, ActivityResult>() {
        override fun createIntent(context: Context, input: Intent): Intent = TODO()

        override fun parseResult(resultCode: Int, intent: Intent?): ActivityResult = TODO()
    }

    open class TakePicture : ActivityResultContract<Uri, Boolean>() {
        override fun createIntent(context: Context, input: Uri): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Boolean = TODO()
    }

    open class TakePicturePreview : ActivityResultContract<Void?, Bitmap?>() {
        override fun createIntent(context: Context, input: Void?): Intent = TODO()

        final override fun parseResult(resultCode: Int, intent: Intent?): Bitmap? = TODO()
    }
}
