package edge.runtime

import edge.core.ModelFacts
import edge.core.Tensor
import java.util.concurrent.Executors
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.withContext

/** A model on one accelerator. It is opened, called and closed on [modelThread] alone. */
internal interface Engine : AutoCloseable {
    /** Runs the model once; names and types are the contract's, and were checked. */
    fun run(inputs: Map<String, Tensor>): Map<String, Tensor>
}

/**
 * The one thread that touches native code: calls of all models wait in a row, and what a GPU ties to a thread stays
 * on it. It lives as long as the process.
 */
internal val modelThread: ExecutorCoroutineDispatcher =
    Executors.newSingleThreadExecutor { work -> Thread(work, "edge-model").apply { isDaemon = true } }.asCoroutineDispatcher()

/** Makes something on [modelThread]. Where the caller is cancelled meanwhile, it is closed: nobody else would. */
internal suspend fun <T : AutoCloseable> madeOnModelThread(make: suspend () -> T): T {
    var made: T? = null
    try {
        return withContext(modelThread) { make().also { made = it } }
    } catch (stop: CancellationException) {
        made?.close()
        throw stop
    }
}

/** Runs the model once on zeros: runtimes may fail as late as that, and the first call is slow. */
internal fun <T : Engine> T.warmedUp(facts: ModelFacts): T {
    try {
        run(facts.inputs.associate { it.name to Tensor.zeros(it.type, it.shape) })
    } catch (failure: Throwable) {
        closeAll(listOf(this), failure)
        throw failure
    }
    return this
}

/**
 * Closes all, even where one of them cannot be closed.
 *
 * @param failure that goes on already, and gets what else goes wrong; without one, the first is thrown.
 */
internal fun closeAll(items: List<AutoCloseable>, failure: Throwable? = null) {
    var first = failure
    for (item in items) {
        try {
            item.close()
        } catch (another: Exception) {
            first?.addSuppressed(another) ?: run { first = another }
        }
    }
    if (failure == null) first?.let { throw it }
}
