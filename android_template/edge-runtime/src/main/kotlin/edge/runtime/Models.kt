package edge.runtime

import android.content.Context
import android.os.Build
import edge.core.Accelerator
import edge.core.AcceleratorLadder
import edge.core.GoldenCheck
import edge.core.ModelError
import edge.core.ModelRunning
import edge.core.RunReport
import edge.core.generated.ModelSpec
import java.io.File
import kotlinx.coroutines.withContext

/** Opens the model of this project. */
object Models {
    /**
     * Opens the model on the first accelerator whose numbers are those of the host; the report tells why.
     *
     * The first start with a model, a runtime or a system compares with the golden vectors, which takes a moment;
     * later ones remember what was found.
     *
     * @param rungs what is tried, best first: `listOf(Accelerator.CPU)` where a GPU's start is not worth it. What this
     *   runtime does not have is left out.
     * @throws ModelError the model is not there, or nothing runs it.
     */
    suspend fun open(context: Context, rungs: List<Accelerator> = ModelSpec.accelerators): ModelRunning {
        val app = context.applicationContext
        return opened(app) { backend ->
            val climb =
                ladder(app, rungs).climb(
                    make = { rung -> backend.engine(rung).warmedUp(ModelSpec) },
                    check = { engine -> GoldenCheck.cases(SelfTest.vectors(app), engine::run) },
                )
            OpenModel(ModelSpec, RunReport(climb.accelerator, runtimeName(app), climb.lines), climb.runner, backend)
        }
    }

    /**
     * Opens the model on one accelerator alone, and asks neither the ladder nor the golden vectors: for tests.
     *
     * @throws ModelError the accelerator cannot run it.
     */
    suspend fun openOn(accelerator: Accelerator, context: Context): ModelRunning {
        val app = context.applicationContext
        return opened(app) { backend ->
            val engine = backend.engine(accelerator).warmedUp(ModelSpec)
            val report = RunReport(accelerator, runtimeName(app), listOf("${accelerator.key}: as asked for"))
            OpenModel(ModelSpec, report, engine, backend)
        }
    }

    /** Forgets what was found, so that the next [open] tries all accelerators again. */
    suspend fun forget(context: Context) =
        withContext(modelThread) { ladder(context.applicationContext, ModelSpec.accelerators).forget() }

    private fun ladder(app: Context, rungs: List<Accelerator>): AcceleratorLadder {
        val here = rungs.filter { it in Backend.RUNGS }
        if (here.isEmpty()) throw ModelError("${runtimeName(app)} has none of $rungs", "name another accelerator, such as the CPU")
        return AcceleratorLadder(
            rungs = here,
            key = "${ModelSpec.modelSha256}|${runtimeName(app)}|${Build.FINGERPRINT}",
            store = LadderFile(File(ModelStore.privateFolder(app), "ladder-${ModelSpec.modelFile}.txt")),
            wasLeft = LastEnd.wasLeft(app),
        )
    }

    private suspend inline fun opened(app: Context, crossinline choose: (Backend) -> ModelRunning): ModelRunning =
        madeOnModelThread {
            val backend = Backend.open(app, ModelSpec, ModelStore(app).locate())
            try {
                choose(backend)
            } catch (failure: Throwable) {
                closeAll(listOf(backend), failure)
                throw failure
            }
        }
}
