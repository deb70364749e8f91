package edge.runtime

import android.content.Context
import com.google.ai.edge.litert.Accelerator as Hardware
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.LiteRtException
[% if options.runtime == "play" %]
import com.google.android.gms.litert.LiteRt
[% endif %]
import edge.core.Accelerator
import edge.core.ModelError
import edge.core.ModelFacts
[% if options.runtime == "play" %]
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.tasks.await
[% endif %]

[% if options.runtime == "play" %]
/** LiteRT as Play services bring it: what all engines of one model share. */
[% else %]
/** LiteRT: what all engines of one model share. */
[% endif %]
internal class Backend private constructor(
    private val context: Context,
    private val facts: ModelFacts,
    private val source: ModelSource,
    private val environment: Environment,
) : AutoCloseable {
    /**
     * Opens the model on one accelerator.
     *
     * @throws ModelError the device or the model does not allow it.
     */
    fun engine(accelerator: Accelerator): Engine =
        translated("the model cannot be compiled for ${accelerator.key}") {
            requireThere(accelerator)
            LiteRtEngine(facts, compile(options(accelerator)))
        }

    override fun close() = environment.close()

    /** Asked for an NPU, or for GPU and CPU together, LiteRT takes the CPU where there is none, and says nothing. */
    private fun requireThere(accelerator: Accelerator) {
        val (needed, remedy) =
            when (accelerator) {
                Accelerator.NPU -> Hardware.NPU to "an NPU needs its vendor's runtime of LiteRT in the app"
                Accelerator.GPU_CPU -> Hardware.GPU to "the CPU can run the model"
                else -> return
            }
        if (needed !in environment.getAvailableAccelerators()) {
            throw ModelError("LiteRT has no $needed on this device", remedy)
        }
    }

    private fun compile(options: CompiledModel.Options): CompiledModel =
        when (source) {
            is ModelSource.Asset -> CompiledModel.create(context.assets, source.name, options, environment)
            is ModelSource.Stored -> CompiledModel.create(source.file.path, options, environment)
        }

    private fun options(accelerator: Accelerator): CompiledModel.Options {
        val hardware =
            when (accelerator) {
                Accelerator.NPU -> setOf(Hardware.NPU)
                // The GPU alone throws where it cannot run all of the model; together with the CPU it never does.
                Accelerator.GPU -> setOf(Hardware.GPU)
                Accelerator.GPU_CPU -> setOf(Hardware.GPU, Hardware.CPU)
                Accelerator.CPU -> setOf(Hardware.CPU)
            }
        return CompiledModel.Options(hardware).apply {
            if (Hardware.CPU in hardware) {
                val threads = Runtime.getRuntime().availableProcessors().coerceAtMost(MAX_THREADS)
                cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
            }
            if (Hardware.GPU in hardware) {
                // Half precision is faster, but its numbers are not the host's: the golden vectors would refuse the GPU.
                gpuOptions = CompiledModel.GpuOptions(precision = CompiledModel.GpuOptions.Precision.FP32)
            }
        }
    }

    companion object {
        private const val MAX_THREADS = 4

        /** What this runtime can be asked for. */
        val RUNGS: Set<Accelerator> = Accelerator.entries.toSet()

        suspend fun open(context: Context, facts: ModelFacts, source: ModelSource): Backend =
[% if options.runtime == "play" %]
            try {
                Backend(context, facts, source, LiteRt.initialize(context).await())
            } catch (stop: CancellationException) {
                throw stop
            } catch (failure: Exception) {
                throw ModelError(
                    "Play services cannot bring LiteRT: ${failure.message}",
                    "update Play services and connect once; a device without them needs edge scaffold --runtime litert",
                    failure,
                )
            }
[% else %]
            translated("LiteRT cannot start") { Backend(context, facts, source, Environment.create(context)) }
[% endif %]
    }
}

/** Turns errors of LiteRT, which say little, into ones that say what was tried. */
internal inline fun <T> translated(what: String, block: () -> T): T =
    try {
        block()
    } catch (failure: LiteRtException) {
        throw ModelError(
            "$what: ${failure.message}",
            "adb logcat -s tflite litert shows what the runtime says; another accelerator may do",
            failure,
        )
    } catch (failure: LinkageError) {
        throw ModelError("$what: ${failure.message}", "this device's processor has no LiteRT, or the app lacks its library", failure)
    }
