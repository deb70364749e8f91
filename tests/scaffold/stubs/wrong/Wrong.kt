package app

import android.content.Context
import android.graphics.Bitmap
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.compose.material3.Button
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.painterResourceByName // error: unresolved reference
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.Model // error: unresolved reference
import com.google.ai.edge.litert.TensorBuffer
import com.google.android.gms.litert.LiteRtOptions // error: unresolved reference
import java.util.concurrent.Executor

fun litert(context: Context, model: CompiledModel, buffer: TensorBuffer, signature: String?) {
    buffer.readFloats() // error: unresolved reference
    buffer.writeFloat(doubleArrayOf(1.0)) // error: argument type mismatch
    buffer.writeInt8(ubyteArrayOf(1u)) // error: argument type mismatch
    buffer.readInt16() // error: unresolved reference
    CompiledModel.Options(Accelerator.DSP) // error: unresolved reference
    CompiledModel.create(java.nio.ByteBuffer.allocate(1)) // error: argument type mismatch
    CompiledModel.create(context, "m.tflite") // error: none of the following candidates is applicable
    model.createInputBuffer("x", signature) // error: actual type is 'String?'
    model.run(mapOf("x" to buffer)) // error: argument type mismatch
    model.resizeInputTensor("x", intArrayOf(1)) // error: unresolved reference
    CompiledModel.GpuOptions(backend = CompiledModel.GpuOptions.Backend.VULKAN) // error: unresolved reference
    Environment() // error: no value passed
    model.handle // error: cannot access
}

fun camera(analysis: ImageAnalysis, executor: Executor, image: ImageProxy, context: Context) {
    analysis.setAnalyzer(executor = executor, analyzer = { it.close() }) // error: named arguments are prohibited
    analysis.setAnalyzer(executor, null) // error: null cannot be a value
    ImageAnalysis.Builder().setBackpressureStrategy(ImageAnalysis.KEEP_ONLY_LATEST) // error: unresolved reference
    image.toBitmap().rotated(90) // error: unresolved reference
    val turn: Float = image.imageInfo.rotationDegrees // error: initializer type mismatch
    ProcessCameraProvider.getInstance(context).bindToLifecycle() // error: unresolved reference
}

class Wrong : ViewModel() {
    val scope = viewModelScope.nothing // error: unresolved reference

    override fun onDestroyed() = Unit // error: overrides nothing
}

@Composable
fun Screen(picture: Bitmap) {
    Button(onClick = { Text("late") }) { Text("x") } // error: @Composable invocations can only happen
    Button({ Text("x") }) // error: no value passed for parameter
    LinearProgressIndicator(progress = 0.5f) // error: argument type mismatch
    TopAppBar(title = { Text("x") }) // error: experimental
    Text(text = 3) // error: none of the following candidates is applicable
    Text("x", modifier = Modifier.weight(1f)) // error: unresolved reference
    androidx.compose.foundation.Image(picture, null) // error: none of the following candidates is applicable
    androidx.compose.ui.res.stringResource("name") // error: argument type mismatch
}

fun notComposable() { // error: must be marked with the @Composable annotation
    Text("x") // error: @Composable invocations can only happen
}
