// An app of the kind that is scaffolded, as an engineer would write it: all of it has to be accepted.
package app

import android.Manifest
import android.content.ComponentCallbacks2
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts
import androidx.activity.viewModels
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import androidx.camera.core.Preview
import androidx.camera.core.SurfaceRequest
import androidx.camera.core.resolutionselector.ResolutionSelector
import androidx.camera.core.resolutionselector.ResolutionStrategy
import androidx.camera.compose.CameraXViewfinder
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import androidx.camera.view.PreviewView
import androidx.compose.foundation.Image
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.Card
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.ListItem
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.unit.dp
import androidx.compose.ui.viewinterop.AndroidView
import androidx.core.content.ContextCompat
import androidx.lifecycle.ViewModel
import androidx.lifecycle.ViewModelProvider
import androidx.lifecycle.compose.LocalLifecycleOwner
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import androidx.lifecycle.viewmodel.compose.viewModel
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

data class State(val text: String = "", val lines: List<String> = emptyList())

class Runner(context: Context, signature: String) : AutoCloseable {
    private val environment = Environment.create(context)
    private val options = CompiledModel.Options(Accelerator.GPU).apply {
        gpuOptions = CompiledModel.GpuOptions(precision = CompiledModel.GpuOptions.Precision.FP32)
    }
    private val model = CompiledModel.create(context.assets, "m.tflite", options, environment)
    private val inputs: Map<String, TensorBuffer> = mapOf("x" to model.createInputBuffer("x", signature))
    private val outputs = mapOf("y" to model.createOutputBuffer("y", signature))

    val npu: Boolean get() = Accelerator.NPU in environment.getAvailableAccelerators()

    fun run(values: FloatArray): FloatArray {
        try {
            inputs.getValue("x").writeFloat(values)
            model.run(inputs, outputs, signature = "serving_default")
        } catch (failure: LiteRtException) {
            throw IllegalStateException(failure.message, failure)
        }
        return outputs.getValue("y").readFloat()
    }

    override fun close() {
        inputs.values.forEach(TensorBuffer::close)
        outputs.values.forEach { it.close() }
        model.close()
        environment.close()
    }
}

class MainViewModel(private val runner: Runner) : ViewModel() {
    private val mutable = MutableStateFlow(State())
    val state: StateFlow<State> = mutable
    fun go() { viewModelScope.launch { withContext(Dispatchers.Default) { runner.run(FloatArray(3)) } } }
    override fun onCleared() { runner.close() }
    companion object {
        val Factory: ViewModelProvider.Factory = viewModelFactory {
            initializer {
                val app = checkNotNull(this[ViewModelProvider.AndroidViewModelFactory.APPLICATION_KEY])
                MainViewModel(Runner(app, ""))
            }
        }
    }
}

class MainActivity : ComponentActivity() {
    private val model: MainViewModel by viewModels { MainViewModel.Factory }
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        setContent { MaterialTheme { Screen(model) } }
    }
    override fun onTrimMemory(level: Int) {
        super.onTrimMemory(level)
        if (level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND) model.go()
    }
}

@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun Screen(model: MainViewModel = viewModel(factory = MainViewModel.Factory)) {
    val state by model.state.collectAsStateWithLifecycle()
    var picture by remember { mutableStateOf<Bitmap?>(null) }
    var count by rememberSaveable { mutableStateOf(0) }
    val context = LocalContext.current
    val picker = rememberLauncherForActivityResult(ActivityResultContracts.PickVisualMedia()) { uri ->
        if (uri != null) picture = ImageDecoder.decodeBitmap(ImageDecoder.createSource(context.contentResolver, uri))
        count++
    }
    val permission = rememberLauncherForActivityResult(ActivityResultContracts.RequestPermission()) { granted -> if (granted) model.go() }
    Scaffold(topBar = { TopAppBar(title = { Text(stringResource(1)) }) }, modifier = Modifier.fillMaxSize()) { padding ->
        Column(
            Modifier.padding(padding).verticalScroll(rememberScrollState()),
            verticalArrangement = Arrangement.spacedBy(8.dp),
            horizontalAlignment = Alignment.CenterHorizontally,
        ) {
            Row(Modifier.fillMaxWidth().padding(horizontal = 16.dp)) {
                Button(onClick = { picker.launch(PickVisualMediaRequest(ActivityResultContracts.PickVisualMedia.ImageOnly)) }) { Text("Pick") }
                Text("x", modifier = Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge, fontFamily = FontFamily.Monospace)
                if (ContextCompat.checkSelfPermission(context, Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
                    Button(onClick = { permission.launch(Manifest.permission.CAMERA) }, enabled = count > 1) { Text(text = "Camera") }
                }
            }
            picture?.let { Image(bitmap = it.asImageBitmap(), contentDescription = null) } ?: CircularProgressIndicator()
            LinearProgressIndicator(progress = { 0.5f })
            Card { ListItem(headlineContent = { Text(state.text) }) }
            LazyColumn { items(state.lines) { line -> Text(line) } }
        }
    }
}

@Composable
fun Camera(onFrame: (Bitmap, Int) -> Unit) {
    val context = LocalContext.current
    val owner = LocalLifecycleOwner.current
    val executor = remember { Executors.newSingleThreadExecutor() }
    val view = remember { PreviewView(context).apply { scaleType = PreviewView.ScaleType.FILL_CENTER } }
    DisposableEffect(executor) { onDispose { executor.shutdown() } }
    LaunchedEffect(owner) {
        val provider = ProcessCameraProvider.awaitInstance(context)
        val analysis = ImageAnalysis.Builder()
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setResolutionSelector(ResolutionSelector.Builder().setResolutionStrategy(ResolutionStrategy(android.util.Size(640, 480), ResolutionStrategy.FALLBACK_RULE_CLOSEST_HIGHER_THEN_LOWER)).build())
            .build()
        analysis.setAnalyzer(executor) { image: ImageProxy ->
            image.use { onFrame(it.toBitmap(), it.imageInfo.rotationDegrees) }
        }
        val preview = Preview.Builder().build().apply { setSurfaceProvider(view.surfaceProvider) }
        provider.unbindAll()
        provider.bindToLifecycle(owner, CameraSelector.DEFAULT_BACK_CAMERA, preview, analysis)
        val other = Preview.Builder().build().also { p -> p.surfaceProvider = view.surfaceProvider }
        other.targetRotation = 1
        ContextCompat.getMainExecutor(context).execute { }
    }
    Box(Modifier.fillMaxSize()) { AndroidView(factory = { view }, modifier = Modifier.fillMaxSize()) }
}

@Composable
fun Finder(request: SurfaceRequest?) {
    request?.let { CameraXViewfinder(surfaceRequest = it, modifier = Modifier.fillMaxSize()) }
}
