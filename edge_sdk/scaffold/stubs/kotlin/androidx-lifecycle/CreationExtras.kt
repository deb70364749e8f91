// Stub of androidx.lifecycle:lifecycle-viewmodel 2.11.0
package androidx.lifecycle.viewmodel

import androidx.lifecycle.ViewModel
import androidx.lifecycle.ViewModelProvider
import kotlin.reflect.KClass

abstract class CreationExtras internal constructor() {
    interface Key<T>

    abstract operator fun <T> get(key: Key<T>): T?

    object Empty : CreationExtras() {
        override fun <T> get(key: Key<T>): T? = TODO()
    }
}

class MutableCreationExtras @JvmOverloads constructor(initialExtras: CreationExtras = CreationExtras.Empty) :
    CreationExtras() {
    operator fun <T> set(key: Key<T>, t: T): Unit = TODO()

    override fun <T> get(key: Key<T>): T? = TODO()
}

@DslMarker
annotation class ViewModelFactoryDsl

@ViewModelFactoryDsl
class InitializerViewModelFactoryBuilder {
    fun <T : ViewModel> addInitializer(clazz: KClass<T>, initializer: CreationExtras.() -> T): Unit = TODO()

    fun build(): ViewModelProvider.Factory = TODO()
}

inline fun viewModelFactory(builder: InitializerViewModelFactoryBuilder.() -> Unit): ViewModelProvider.Factory =
    InitializerViewModelFactoryBuilder().apply(builder).build()

inline fun <reified VM : ViewModel> InitializerViewModelFactoryBuilder.initializer(
    noinline initializer: CreationExtras.() -> VM,
): Unit = addInitializer(VM::class, initializer)
