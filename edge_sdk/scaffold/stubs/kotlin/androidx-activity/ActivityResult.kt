// Stub of androidx.activity:activity 1.13.0
package androidx.activity.result

import android.content.Intent
import androidx.activity.result.contract.ActivityResultContract
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.core.app.ActivityOptionsCompat

class ActivityResult(val resultCode: Int, val data: Intent?)

fun interface ActivityResultCallback<O> {
    fun onActivityResult(result: O)
}

abstract class ActivityResultLauncher<I> {
    abstract val contract: ActivityResultContract<I, *>

    open fun launch(input: I): Unit = TODO()

    abstract fun launch(input: I, options: ActivityOptionsCompat?)

    abstract fun unregister()
}

abstract class ActivityResultRegistry

interface ActivityResultRegistryOwner {
    val activityResultRegistry: ActivityResultRegistry
}

interface ActivityResultCaller {
    fun <I, O> registerForActivityResult(
        contract: ActivityResultContract<I, O>,
        callback: ActivityResultCallback<O>,
    ): ActivityResultLauncher<I>

    fun <I, O> registerForActivityResult(
        contract: ActivityResultContract<I, O>,
        registry: ActivityResultRegistry,
        callback: ActivityResultCallback<O>,
    ): ActivityResultLauncher<I>
}

class PickVisualMediaRequest internal constructor() {
    val mediaType: PickVisualMedia.VisualMediaType get() = TODO()

    class Builder {
        fun setMediaType(mediaType: PickVisualMedia.VisualMediaType): Builder = TODO()

        fun build(): PickVisualMediaRequest = TODO()
    }
}

fun PickVisualMediaRequest(
    mediaType: PickVisualMedia.VisualMediaType = PickVisualMedia.ImageAndVideo,
): PickVisualMediaRequest = TODO()
