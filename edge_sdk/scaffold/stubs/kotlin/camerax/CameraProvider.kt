// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core

interface CameraProvider {
    val availableCameraInfos: List<CameraInfo>

    fun getCameraInfo(cameraSelector: CameraSelector): CameraInfo = TODO()

    @Throws(CameraInfoUnavailableException::class)
    fun hasCamera(cameraSelector: CameraSelector): Boolean
}
