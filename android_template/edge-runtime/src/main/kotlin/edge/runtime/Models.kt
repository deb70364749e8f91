package edge.runtime

import android.content.Context
import android.os.Build
import edge.core.Accelerator
import edge.core.AcceleratorLadder
import edge.core.GoldenCheck
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.ModelRunning
import edge.core.RunReport
import edge.core.generated.ModelSpec
import java.io.File

/** Opens models. */
object Models {
    /**
     * Opens a model on the best accelerator whose numbers are those of the host; the report tells why.
     *
     * The first start with a model, a runtime or a system compares with the golden vectors, which takes a moment;
     * later ones remember what was found.
     *
     * @throws ModelError the model is not there, or nothing runs it.
     */
    suspend fun open(context: Context, facts: ModelFacts = ModelSpec): ModelRunning {
        val app = context.applicationContext
        return opened(app, facts) { backend ->
            val name = runtimeName(app)
            val ladder =
                AcceleratorLadder(
                    rungs = facts.accelerators.filter { it in Backend.RUNGS },
                    key = "${facts.modelSha256}|$name|${Build.FINGERPRINT}",
                    store = LadderFile(File(ModelStore.privateFolder(app), "ladder-${facts.modelFile}.txt")),
                )
            val climb =
                ladder.climb(
                    make = { rung -> backend.engine(rung).warmedUp(facts) },
                    check = { engine -> GoldenCheck.cases(SelfTest.vectors(app), engine::run) },
                )
            OpenModel(facts, RunReport(climb.accelerator, name, climb.lines), climb.runner, backend)
        }
    }

    /**
     * Opens a model on one accelerator alone, and asks neither the ladder nor the golden vectors: for tests.
     *
     * @throws ModelError the accelerator cannot run it.
     */
    suspend fun openOn(accelerator: Accelerator, context: Context, facts: ModelFacts = ModelSpec): ModelRunning {
        val app = context.applicationContext
        return opened(app, facts) { backend ->
            val engine = backend.engine(accelerator).warmedUp(facts)
            val report = RunReport(accelerator, runtimeName(app), listOf("${accelerator.key}: as asked for"))
            OpenModel(facts, report, engine, backend)
        }
    }

    private suspend inline fun opened(
        app: Context,
        facts: ModelFacts,
        crossinline choose: (Backend) -> ModelRunning,
    ): ModelRunning =
        madeOnModelThread {
            val backend = Backend.open(app, facts, ModelStore(app, facts).locate())
            try {
                choose(backend)
            } catch (failure: Throwable) {
                closeAll(listOf(backend), failure)
                throw failure
            }
        }
}
