// Stub of androidx.lifecycle:lifecycle-runtime 2.11.0
package androidx.lifecycle

import android.view.View
import androidx.annotation.MainThread
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow

open class LifecycleRegistry(provider: LifecycleOwner) : Lifecycle() {
    override var currentState: State
        get() = TODO()
        set(_) = TODO()

    open val observerCount: Int get() = TODO()

    @MainThread
    override fun addObserver(observer: LifecycleObserver): Unit = TODO()

    @MainThread
    override fun removeObserver(observer: LifecycleObserver): Unit = TODO()

    open fun handleLifecycleEvent(event: Event): Unit = TODO()

    companion object {
        @JvmStatic
        fun createUnsafe(owner: LifecycleOwner): LifecycleRegistry = TODO()
    }
}

fun <T> Flow<T>.flowWithLifecycle(
    lifecycle: Lifecycle,
    minActiveState: Lifecycle.State = Lifecycle.State.STARTED,
): Flow<T> = TODO()

suspend fun Lifecycle.repeatOnLifecycle(state: Lifecycle.State, block: suspend CoroutineScope.() -> Unit): Unit =
    TODO()

suspend fun LifecycleOwner.repeatOnLifecycle(state: Lifecycle.State, block: suspend CoroutineScope.() -> Unit): Unit =
    TODO()

suspend inline fun <R> Lifecycle.withStarted(crossinline block: () -> R): R = block()

suspend inline fun <R> LifecycleOwner.withStarted(crossinline block: () -> R): R = block()

suspend inline fun <R> Lifecycle.withResumed(crossinline block: () -> R): R = block()

suspend inline fun <R> LifecycleOwner.withResumed(crossinline block: () -> R): R = block()

fun View.findViewTreeLifecycleOwner(): LifecycleOwner? = TODO()

fun View.setViewTreeLifecycleOwner(lifecycleOwner: LifecycleOwner?): Unit = TODO()
