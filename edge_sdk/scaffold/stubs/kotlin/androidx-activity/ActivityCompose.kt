// Stub of androidx.activity:activity-compose 1.13.0
package androidx.activity.compose

import androidx.activity.ComponentActivity
import androidx.activity.OnBackPressedDispatcherOwner
import androidx.activity.result.ActivityResultLauncher
import androidx.activity.result.contract.ActivityResultContract
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionContext
import androidx.compose.runtime.ProvidableCompositionLocal
import androidx.core.app.ActivityOptionsCompat

fun ComponentActivity.setContent(
    parent: CompositionContext? = null,
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun BackHandler(enabled: Boolean = true, onBack: () -> Unit): Unit = TODO()

@Composable
fun <I, O> rememberLauncherForActivityResult(
    contract: ActivityResultContract<I, O>,
    onResult: (O) -> Unit,
): ManagedActivityResultLauncher<I, O> = TODO()

class ManagedActivityResultLauncher<I, O> internal constructor() : ActivityResultLauncher<I>() {
    override val contract: ActivityResultContract<I, O> get() = TODO()

    override fun launch(input: I, options: ActivityOptionsCompat?): Unit = TODO()

    @Deprecated("Registration is automatically handled by rememberLauncherForActivityResult")
    override fun unregister(): Unit = TODO()
}

object LocalOnBackPressedDispatcherOwner {
    val current: OnBackPressedDispatcherOwner?
        @Composable get() = TODO()
}

val LocalActivity: ProvidableCompositionLocal<android.app.Activity?> get() = TODO()

@Composable
fun ReportDrawn(): Unit = TODO()

@Composable
fun ReportDrawnWhen(predicate: () -> Boolean): Unit = TODO()
