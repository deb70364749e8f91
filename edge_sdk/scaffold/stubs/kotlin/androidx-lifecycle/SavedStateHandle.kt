// Stub of androidx.lifecycle:lifecycle-viewmodel-savedstate 2.11.0
package androidx.lifecycle

import androidx.annotation.MainThread
import androidx.lifecycle.viewmodel.CreationExtras
import kotlinx.coroutines.flow.StateFlow

class SavedStateHandle {
    constructor()

    constructor(initialState: Map<String, Any?>)

    @MainThread
    operator fun contains(key: String): Boolean = TODO()

    @MainThread
    fun <T> getStateFlow(key: String, initialValue: T): StateFlow<T> = TODO()

    @MainThread
    fun keys(): Set<String> = TODO()

    @MainThread
    operator fun <T> get(key: String): T? = TODO()

    @MainThread
    operator fun <T> set(key: String, value: T?): Unit = TODO()

    @MainThread
    fun <T> remove(key: String): T? = TODO()
}

@MainThread
fun CreationExtras.createSavedStateHandle(): SavedStateHandle = TODO()
