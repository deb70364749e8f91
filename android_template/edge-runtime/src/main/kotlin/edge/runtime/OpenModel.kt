package edge.runtime

import android.util.Log
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.ModelRunning
import edge.core.RunReport
import edge.core.Tensor
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.withContext

/** A model that passed its self-test. */
internal class OpenModel(
    override val facts: ModelFacts,
    override val report: RunReport,
    private val engine: Engine,
    private val backend: AutoCloseable,
) : ModelRunning {
    private val closed = AtomicBoolean(false)

    override suspend fun predict(inputs: Map<String, Tensor>): Map<String, Tensor> {
        Tensor.check(inputs, facts.inputs)
        return withContext(modelThread) {
            if (closed.get()) throw ModelError("the model is closed", "open it again with Models.open")
            engine.run(inputs)
        }
    }

    /** A call that runs is waited for, behind the caller's back. */
    override fun close() {
        if (closed.getAndSet(true)) return
        modelThread.executor.execute {
            try {
                closeAll(listOf(engine, backend))
            } catch (failure: Exception) {
                Log.w("edge", "the model could not be closed", failure)
            }
        }
    }
}
