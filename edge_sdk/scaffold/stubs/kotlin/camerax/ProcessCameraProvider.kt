// Stub of androidx.camera:camera-lifecycle 1.6.2
package androidx.camera.lifecycle

import android.content.Context
import androidx.annotation.MainThread
import androidx.camera.core.Camera
import androidx.camera.core.CameraInfo
import androidx.camera.core.CameraInfoUnavailableException
import androidx.camera.core.CameraProvider
import androidx.camera.core.CameraSelector
import androidx.camera.core.UseCase
import androidx.camera.core.UseCaseGroup
import androidx.lifecycle.LifecycleOwner
import com.google.common.util.concurrent.ListenableFuture

class ProcessCameraProvider private constructor() : CameraProvider {
    override val availableCameraInfos: List<CameraInfo> get() = TODO()

    @Throws(CameraInfoUnavailableException::class)
    override fun hasCamera(cameraSelector: CameraSelector): Boolean = TODO()

    @MainThread
    fun bindToLifecycle(
        lifecycleOwner: LifecycleOwner,
        cameraSelector: CameraSelector,
        vararg useCases: UseCase?,
    ): Camera = TODO()

    @MainThread
    fun bindToLifecycle(
        lifecycleOwner: LifecycleOwner,
        cameraSelector: CameraSelector,
        useCaseGroup: UseCaseGroup,
    ): Camera = TODO()

    fun isBound(useCase: UseCase): Boolean = TODO()

    @MainThread
    fun unbind(vararg useCases: UseCase?): Unit = TODO()

    @MainThread
    fun unbindAll(): Unit = TODO()

    companion object {
        @JvmStatic
        fun getInstance(context: Context): ListenableFuture<ProcessCameraProvider> = TODO()
    }
}

suspend fun ProcessCameraProvider.Companion.awaitInstance(context: Context): ProcessCameraProvider = TODO()
