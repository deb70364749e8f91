// Stub of androidx.lifecycle:lifecycle-viewmodel 2.11.0
package androidx.lifecycle

import android.app.Application
import androidx.annotation.MainThread
import androidx.lifecycle.viewmodel.CreationExtras
import kotlin.reflect.KClass
import kotlinx.coroutines.CoroutineScope

abstract class ViewModel {
    constructor()

    constructor(viewModelScope: CoroutineScope)

    constructor(vararg closeables: AutoCloseable)

    constructor(viewModelScope: CoroutineScope, vararg closeables: AutoCloseable)

    @MainThread
    protected open fun onCleared() {}

    fun addCloseable(key: String, closeable: AutoCloseable): Unit = TODO()

    open fun addCloseable(closeable: AutoCloseable): Unit = TODO()

    fun <T : AutoCloseable> getCloseable(key: String): T? = TODO()
}

val ViewModel.viewModelScope: CoroutineScope get() = TODO()

open class AndroidViewModel : ViewModel {
    constructor(application: Application)

    constructor(application: Application, viewModelScope: CoroutineScope)

    open fun <T : Application> getApplication(): T = TODO()
}

open class ViewModelStore {
    fun clear(): Unit = TODO()
}

interface ViewModelStoreOwner {
    val viewModelStore: ViewModelStore
}

interface HasDefaultViewModelProviderFactory {
    val defaultViewModelProviderFactory: ViewModelProvider.Factory

    val defaultViewModelCreationExtras: CreationExtras get() = CreationExtras.Empty
}

open class ViewModelProvider {
    @JvmOverloads
    constructor(
        store: ViewModelStore,
        factory: Factory,
        defaultCreationExtras: CreationExtras = CreationExtras.Empty,
    )

    constructor(owner: ViewModelStoreOwner)

    constructor(owner: ViewModelStoreOwner, factory: Factory)

    @MainThread
    operator fun <T : ViewModel> get(modelClass: KClass<T>): T = TODO()

    @MainThread
    open operator fun <T : ViewModel> get(modelClass: Class<T>): T = TODO()

    @MainThread
    operator fun <T : ViewModel> get(key: String, modelClass: KClass<T>): T = TODO()

    @MainThread
    open operator fun <T : ViewModel> get(key: String, modelClass: Class<T>): T = TODO()

    interface Factory {
        fun <T : ViewModel> create(modelClass: Class<T>): T = TODO()

        fun <T : ViewModel> create(modelClass: Class<T>, extras: CreationExtras): T = TODO()

        fun <T : ViewModel> create(modelClass: KClass<T>, extras: CreationExtras): T = TODO()
    }

    open class NewInstanceFactory : Factory

    open class AndroidViewModelFactory : NewInstanceFactory {
        constructor()

        constructor(application: Application)

        companion object {
            @JvmStatic
            fun getInstance(application: Application): AndroidViewModelFactory = TODO()

            @JvmField
            val APPLICATION_KEY: CreationExtras.Key<Application> = TODO()
        }
    }
}

@MainThread
inline fun <reified VM : ViewModel> ViewModelProvider.get(): VM = get(VM::class)
