package [[ options.application_id ]]

import android.app.Application
[% if "camera" in flags %]
import android.graphics.Bitmap
import android.net.Uri
[% endif %]
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import edge.core.LatencyStatistics
import edge.core.Meaning
import edge.core.ModelError
[% if "camera" in flags %]
import edge.core.Picture
[% endif %]
import edge.core.Postprocess
import edge.core.Tensor
import edge.core.generated.ModelSpec
[% if "camera" in flags %]
import edge.runtime.BitmapPictures
[% endif %]
import edge.runtime.LazyModel
import edge.runtime.Models
import edge.runtime.SelfTest
import edge.runtime.TrimWhenMemoryIsShort
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
[% if "camera" in flags %]
import kotlinx.coroutines.runBlocking
[% endif %]
import kotlinx.coroutines.withContext

/** Runs the model for the screen. */
class MainViewModel(application: Application) : AndroidViewModel(application) {
    private val model = LazyModel { Models.open(application) }
    private val trimming = TrimWhenMemoryIsShort(model)
    private val latencies = LatencyStatistics()
    private val mutable = MutableStateFlow(ScreenState())

    /** The inputs of the first golden vector. */
    private val recorded by lazy {
        SelfTest.vectors(application).cases.first().inputs.mapValues { it.value.tensor() }
    }
[% if "camera" in flags %]

    /** Used by [frame] alone. */
    private val frames by lazy { PictureInputs { recorded } }
[% endif %]

    val state: StateFlow<ScreenState> = mutable.asStateFlow()

    init {
        application.registerComponentCallbacks(trimming)
        attempt { model.use { opened -> mutable.update { it.copy(report = opened.report) } } }
    }

    /** Runs the model on the inputs of the first golden vector, or on what [Customisation] makes of them. */
    fun runRecorded() = attempt {
[% if "camera" in flags %]
        val meaning = meaning(recorded + Customisation.inputs(recorded))
        mutable.update { it.copy(result = Result(lines(meaning), emptyList(), 1f, null)) }
[% else %]
        val meaning = meaning(Customisation.inputs(recorded))
        mutable.update { it.copy(result = Result(lines(meaning))) }
[% endif %]
    }

    /** Tries all accelerators again, also those that were wrong, failed or ended the app. */
    fun tryAll() = attempt {
        model.trim()
        Models.forget(getApplication())
        model.use { opened -> mutable.update { it.copy(report = opened.report) } }
    }

    /** Compares this device with the host. */
    fun selfTest() = attempt {
        val problems = model.use { SelfTest.problems(SelfTest.vectors(getApplication()), it) }
        mutable.update { it.copy(selfTest = problems) }
    }
[% if "camera" in flags %]

    /** Runs the model on a picture of the gallery. */
    fun open(uri: Uri) = attempt {
        val follows = ModelSpec.inputs.first { it.image != null }.image?.followsOrientation ?: true
        val picture = BitmapPictures().read(getApplication<Application>().contentResolver, uri, follows)
        val meaning = meaning(PictureInputs { recorded }.of(picture))
        mutable.update { it.copy(result = result(meaning, picture, shown = BitmapPictures.bitmap(picture))) }
    }

    /** Turns the camera on or off. */
    fun useCamera(on: Boolean) = mutable.update { it.copy(camera = on, result = null, problem = null) }

    /** Runs the model on a frame, and returns when it is over: the camera then gives the newest one. */
    @Synchronized // After the screen turned, the old camera may still be at its last frame.
    fun frame(bitmap: Bitmap, rotationDegrees: Int, mirrored: Boolean) {
        try {
            val picture = frames.bitmaps.picture(bitmap, rotationDegrees)
            val meaning = runBlocking { meaning(frames.of(picture)) }
            mutable.update { if (it.camera) it.copy(result = result(meaning, picture, mirrored = mirrored)) else it }
        } catch (failure: ModelError) {
            cameraFailed(failure.reason, failure.remedy)
        }
    }

    fun cameraFailed(reason: String, remedy: String) =
        mutable.update { it.copy(camera = false, problem = Problem(reason, remedy)) }
[% endif %]

    override fun onCleared() {
        getApplication<Application>().unregisterComponentCallbacks(trimming)
        model.close()
    }

    private suspend fun meaning(inputs: Map<String, Tensor>): Meaning =
        model.use { opened ->
            // Another accelerator's times are another story.
            if (opened.report != mutable.value.report) latencies.clear()
            val start = System.nanoTime()
            val outputs = opened.predict(inputs)
            latencies.add(System.nanoTime() - start)
            mutable.update { it.copy(report = opened.report, latency = Latency(latencies)) }
            Postprocess.outputs(outputs, opened.facts).also(Customisation::onResult)
        }
[% if "camera" in flags %]

    private fun result(meaning: Meaning, picture: Picture, shown: Bitmap? = null, mirrored: Boolean = false): Result {
        val spec = checkNotNull(ModelSpec.inputs.first { it.image != null }.image)
        val boxes =
            meaning.detections.orEmpty().map { LabelledBox.of(it, picture.height, picture.width, spec, mirrored) }
        return Result(lines(meaning), boxes, picture.width.toFloat() / picture.height, shown)
    }
[% endif %]

    private fun attempt(work: suspend () -> Unit) {
        viewModelScope.launch {
            mutable.update { it.copy(busy = true, problem = null) }
            try {
                withContext(Dispatchers.Default) { work() }
            } catch (failure: ModelError) {
                mutable.update { it.copy(problem = Problem(failure.reason, failure.remedy)) }
            } finally {
                mutable.update { it.copy(busy = false) }
            }
        }
    }
}
