package [[ options.application_id ]]

import android.graphics.Bitmap
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.Preview
import androidx.camera.core.resolutionselector.AspectRatioStrategy
import androidx.camera.core.resolutionselector.ResolutionSelector
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import androidx.camera.view.PreviewView
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberUpdatedState
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.viewinterop.AndroidView
import androidx.lifecycle.compose.LocalLifecycleOwner
import java.util.concurrent.Executors
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation

/**
 * The camera, and what was found in its last frame.
 *
 * @param onFrame takes a frame, the degrees by which it is to be turned and whether it is shown mirrored; called on
 *   a thread of its own, and only for the newest frame when it returned.
 * @param onFailure takes a reason and a remedy.
 */
@Composable
fun CameraView(
    result: Result?,
    onFrame: (Bitmap, Int, Boolean) -> Unit,
    onFailure: (String, String) -> Unit,
) {
    val context = LocalContext.current
    val owner = LocalLifecycleOwner.current
    val missing = stringResource(R.string.camera_missing)
    val other = stringResource(R.string.camera_other)
    val frame by rememberUpdatedState(onFrame)
    // Preview and analysis have the same shape, and all of it is shown: boxes lie where things are.
    val view = remember { PreviewView(context).apply { scaleType = PreviewView.ScaleType.FIT_CENTER } }
    LaunchedEffect(owner) {
        val shape =
            ResolutionSelector.Builder()
                .setAspectRatioStrategy(AspectRatioStrategy.RATIO_4_3_FALLBACK_AUTO_STRATEGY)
                .build()
        val preview = Preview.Builder().setResolutionSelector(shape).build()
        preview.setSurfaceProvider(view.surfaceProvider)
        val analysis =
            ImageAnalysis.Builder()
                .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
                .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
                .setResolutionSelector(shape)
                .build()
        val thread = Executors.newSingleThreadExecutor()
        var provider: ProcessCameraProvider? = null
        try {
            provider = ProcessCameraProvider.awaitInstance(context)
            val back = provider.hasCamera(CameraSelector.DEFAULT_BACK_CAMERA)
            analysis.setAnalyzer(thread) { image ->
                image.use { frame(it.toBitmap(), it.imageInfo.rotationDegrees, !back) }
            }
            val selector = if (back) CameraSelector.DEFAULT_BACK_CAMERA else CameraSelector.DEFAULT_FRONT_CAMERA
            provider.bindToLifecycle(owner, selector, preview, analysis)
            awaitCancellation()
        } catch (stop: CancellationException) {
            throw stop
        } catch (_: Exception) {
            // Of a device without a camera CameraX says so in several ways, also while it starts.
            onFailure(missing, other)
        } finally {
            provider?.unbind(preview, analysis)
            analysis.clearAnalyzer()
            thread.shutdown()
        }
    }
    Box(Modifier.fillMaxWidth().aspectRatio(result?.aspectRatio ?: UPRIGHT)) {
        AndroidView(factory = { view }, modifier = Modifier.fillMaxSize())
        Boxes(result?.boxes.orEmpty())
    }
}

private const val UPRIGHT = 3f / 4
