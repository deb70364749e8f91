package edge.runtime

import android.content.ComponentCallbacks2
import android.content.Context
import android.content.res.Configuration
import edge.core.ModelError
import edge.core.ModelRunning
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * A model that is opened when it is needed first, and given back while memory is short; the next use opens it again.
 *
 * @param open makes the model: `{ Models.open(context) }`.
 */
class LazyModel(private val open: suspend () -> ModelRunning) : AutoCloseable {
    private val mutex = Mutex()
    private var model: ModelRunning? = null
    private val unwanted = AtomicBoolean(false)
    private val closed = AtomicBoolean(false)

    /**
     * Calls [block] with the model; others wait until it returns. Not from inside of another use.
     *
     * @throws ModelError the model cannot be opened, or this was closed.
     */
    suspend fun <T> use(block: suspend (ModelRunning) -> T): T =
        try {
            mutex.withLock {
                if (closed.get()) throw ModelError("the model is closed", "make another LazyModel")
                block(model ?: open().also { model = it })
            }
        } finally {
            settle()
        }

    /** Gives the model's memory back: at once, or when the use that goes on is over. */
    fun trim() {
        unwanted.set(true)
        settle()
    }

    /** Gives the model back for good. */
    override fun close() {
        closed.set(true)
        trim()
    }

    // Whoever comes last, a trim or the end of a use, finds the lock free.
    private fun settle() {
        if (!unwanted.get() || !mutex.tryLock()) return
        try {
            if (unwanted.getAndSet(false)) {
                model?.close()
                model = null
            }
        } finally {
            mutex.unlock()
        }
    }
}

/** Trims a model when the system asks for memory; register it with Context.registerComponentCallbacks. */
class TrimWhenMemoryIsShort(private val model: LazyModel) : ComponentCallbacks2 {
    override fun onTrimMemory(level: Int) {
        // Newer systems only tell that the app is out of sight, or in the background and may be ended.
        if (level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND) model.trim()
    }

    @Deprecated("Systems since Android 14 call onTrimMemory alone")
    override fun onLowMemory() = model.trim()

    override fun onConfigurationChanged(newConfig: Configuration) = Unit
}
