// Stub of androidx.activity:activity 1.13.0
package androidx.activity

import android.app.Activity
import android.content.Intent
import android.content.res.Configuration
import android.content.res.Resources
import android.os.Bundle
import androidx.activity.result.ActivityResultCallback
import androidx.activity.result.ActivityResultCaller
import androidx.activity.result.ActivityResultLauncher
import androidx.activity.result.ActivityResultRegistry
import androidx.activity.result.ActivityResultRegistryOwner
import androidx.activity.result.contract.ActivityResultContract
import androidx.annotation.MainThread
import androidx.core.util.Consumer
import androidx.lifecycle.HasDefaultViewModelProviderFactory
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ViewModel
import androidx.lifecycle.ViewModelProvider
import androidx.lifecycle.ViewModelStore
import androidx.lifecycle.ViewModelStoreOwner
import androidx.lifecycle.viewmodel.CreationExtras

open class ComponentActivity :
    Activity,
    LifecycleOwner,
    ViewModelStoreOwner,
    HasDefaultViewModelProviderFactory,
    OnBackPressedDispatcherOwner,
    ActivityResultCaller,
    ActivityResultRegistryOwner {
    constructor()

    constructor(contentLayoutId: Int)

    override val lifecycle: Lifecycle get() = TODO()
    override val viewModelStore: ViewModelStore get() = TODO()
    override val defaultViewModelProviderFactory: ViewModelProvider.Factory get() = TODO()
    override val defaultViewModelCreationExtras: CreationExtras get() = TODO()
    final override val onBackPressedDispatcher: OnBackPressedDispatcher get() = TODO()
    final override val activityResultRegistry: ActivityResultRegistry get() = TODO()

    override fun onCreate(savedInstanceState: Bundle?): Unit = TODO()

    final override fun <I, O> registerForActivityResult(
        contract: ActivityResultContract<I, O>,
        callback: ActivityResultCallback<O>,
    ): ActivityResultLauncher<I> = TODO()

    final override fun <I, O> registerForActivityResult(
        contract: ActivityResultContract<I, O>,
        registry: ActivityResultRegistry,
        callback: ActivityResultCallback<O>,
    ): ActivityResultLauncher<I> = TODO()

    fun addOnTrimMemoryListener(listener: Consumer<Int>): Unit = TODO()

    fun removeOnTrimMemoryListener(listener: Consumer<Int>): Unit = TODO()

    fun addOnConfigurationChangedListener(listener: Consumer<Configuration>): Unit = TODO()

    fun removeOnConfigurationChangedListener(listener: Consumer<Configuration>): Unit = TODO()

    fun addOnNewIntentListener(listener: Consumer<Intent>): Unit = TODO()

    fun removeOnNewIntentListener(listener: Consumer<Intent>): Unit = TODO()

    open fun initializeViewTreeOwners(): Unit = TODO()
}

@MainThread
inline fun <reified VM : ViewModel> ComponentActivity.viewModels(
    noinline extrasProducer: (() -> CreationExtras)? = null,
    noinline factoryProducer: (() -> ViewModelProvider.Factory)? = null,
): Lazy<VM> = TODO()

class SystemBarStyle private constructor() {
    companion object {
        @JvmStatic
        @JvmOverloads
        fun auto(
            lightScrim: Int,
            darkScrim: Int,
            detectDarkMode: (Resources) -> Boolean = { TODO() },
        ): SystemBarStyle = TODO()

        @JvmStatic
        fun dark(scrim: Int): SystemBarStyle = TODO()

        @JvmStatic
        fun light(scrim: Int, darkScrim: Int): SystemBarStyle = TODO()
    }
}

@JvmOverloads
fun ComponentActivity.enableEdgeToEdge(
    statusBarStyle: SystemBarStyle = TODO(),
    navigationBarStyle: SystemBarStyle = TODO(),
): Unit = TODO()

interface OnBackPressedDispatcherOwner : LifecycleOwner {
    val onBackPressedDispatcher: OnBackPressedDispatcher
}

abstract class OnBackPressedCallback(enabled: Boolean) {
    @get:MainThread
    @set:MainThread
    var isEnabled: Boolean
        get() = TODO()
        set(_) = TODO()

    @MainThread
    fun remove(): Unit = TODO()

    @MainThread
    abstract fun handleOnBackPressed()
}

class OnBackPressedDispatcher @JvmOverloads constructor(fallbackOnBackPressed: Runnable? = null) {
    @MainThread
    fun addCallback(onBackPressedCallback: OnBackPressedCallback): Unit = TODO()

    @MainThread
    fun addCallback(owner: LifecycleOwner, onBackPressedCallback: OnBackPressedCallback): Unit = TODO()

    @MainThread
    fun hasEnabledCallbacks(): Boolean = TODO()

    @MainThread
    fun onBackPressed(): Unit = TODO()
}

fun OnBackPressedDispatcher.addCallback(
    owner: LifecycleOwner? = null,
    enabled: Boolean = true,
    onBackPressed: OnBackPressedCallback.() -> Unit,
): OnBackPressedCallback = TODO()
