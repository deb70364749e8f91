// Stub of androidx.lifecycle:lifecycle-common 2.11.0
package androidx.lifecycle

import androidx.annotation.MainThread
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

abstract class Lifecycle {
    @MainThread
    abstract fun addObserver(observer: LifecycleObserver)

    @MainThread
    abstract fun removeObserver(observer: LifecycleObserver)

    @get:MainThread
    abstract val currentState: State

    open val currentStateFlow: StateFlow<State> get() = TODO()

    enum class Event {
        ON_CREATE,
        ON_START,
        ON_RESUME,
        ON_PAUSE,
        ON_STOP,
        ON_DESTROY,
        ON_ANY;

        val targetState: State get() = TODO()

        companion object {
            @JvmStatic
            fun downFrom(state: State): Event? = TODO()

            @JvmStatic
            fun downTo(state: State): Event? = TODO()

            @JvmStatic
            fun upFrom(state: State): Event? = TODO()

            @JvmStatic
            fun upTo(state: State): Event? = TODO()
        }
    }

    enum class State {
        DESTROYED,
        INITIALIZED,
        CREATED,
        STARTED,
        RESUMED;

        fun isAtLeast(state: State): Boolean = TODO()
    }
}

interface LifecycleObserver

interface LifecycleOwner {
    val lifecycle: Lifecycle
}

fun interface LifecycleEventObserver : LifecycleObserver {
    fun onStateChanged(source: LifecycleOwner, event: Lifecycle.Event)
}

interface DefaultLifecycleObserver : LifecycleObserver {
    fun onCreate(owner: LifecycleOwner) {}

    fun onStart(owner: LifecycleOwner) {}

    fun onResume(owner: LifecycleOwner) {}

    fun onPause(owner: LifecycleOwner) {}

    fun onStop(owner: LifecycleOwner) {}

    fun onDestroy(owner: LifecycleOwner) {}
}

abstract class LifecycleCoroutineScope internal constructor() : CoroutineScope

val Lifecycle.coroutineScope: LifecycleCoroutineScope get() = TODO()

val Lifecycle.eventFlow: Flow<Lifecycle.Event> get() = TODO()

val LifecycleOwner.lifecycleScope: LifecycleCoroutineScope get() = TODO()
