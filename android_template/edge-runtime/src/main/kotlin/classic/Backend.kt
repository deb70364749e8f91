package edge.runtime

import android.content.Context
import edge.core.Accelerator
import edge.core.ModelError
import edge.core.ModelFacts
import java.io.IOException
import java.nio.MappedByteBuffer
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate

/** The interpreter of LiteRT 1: what all engines of one model share. */
internal class Backend private constructor(
    private val facts: ModelFacts,
    private val model: MappedByteBuffer,
) : AutoCloseable {
    /**
     * Opens the model on one accelerator.
     *
     * @throws ModelError the device or the model does not allow it.
     */
    fun engine(accelerator: Accelerator): Engine =
        translated("the model cannot be opened on ${accelerator.key}") {
            val delegate =
                when (accelerator) {
                    Accelerator.CPU -> null
                    Accelerator.GPU_CPU -> gpu()
                    else -> throw ModelError("LiteRT 1 has no ${accelerator.key}", "make the project with --runtime litert")
                }
            val threads = Runtime.getRuntime().availableProcessors().coerceAtMost(MAX_THREADS)
            val options = Interpreter.Options().setNumThreads(threads)
            delegate?.let(options::addDelegate)
            val interpreter =
                try {
                    Interpreter(model, options)
                } catch (failure: Throwable) {
                    closeAll(listOfNotNull(delegate), failure)
                    throw failure
                }
            InterpreterEngine(facts, interpreter, delegate)
        }

    private fun gpu(): GpuDelegate =
        CompatibilityList().use { devices ->
            if (!devices.isDelegateSupportedOnThisDevice) {
                throw ModelError("this device's GPU is not on the list of LiteRT 1", "nothing is to be done: the CPU runs the model")
            }
            // Half precision is faster, but its numbers are not the host's: the golden vectors would refuse the GPU.
            GpuDelegate(devices.bestOptionsForThisDevice.setPrecisionLossAllowed(false))
        }

    /** The mapped file goes with the last engine. */
    override fun close() = Unit

    companion object {
        private const val MAX_THREADS = 4

        /** What this runtime can be asked for: its GPU always leaves to the CPU what it cannot do. */
        val RUNGS: Set<Accelerator> = setOf(Accelerator.GPU_CPU, Accelerator.CPU)

        fun open(context: Context, facts: ModelFacts, source: ModelSource): Backend =
            try {
                Backend(facts, loadModelFile(context.assets, source))
            } catch (failure: IOException) {
                throw ModelError("the model ${facts.modelFile} cannot be read: ${failure.message}", "install the app again", failure)
            }
    }
}

/** Turns errors of the interpreter into ones that say what was tried. */
internal inline fun <T> translated(what: String, block: () -> T): T =
    try {
        block()
    } catch (failure: IllegalArgumentException) {
        throw failed(what, failure)
    } catch (failure: IllegalStateException) {
        throw failed(what, failure)
    } catch (failure: LinkageError) {
        throw ModelError("$what: ${failure.message}", "this device's processor has no LiteRT, or the app lacks its library", failure)
    }

internal fun failed(what: String, failure: Exception) =
    ModelError(
        "$what: ${failure.message}",
        "adb logcat -s tflite shows what the runtime says; another accelerator may do",
        failure,
    )
