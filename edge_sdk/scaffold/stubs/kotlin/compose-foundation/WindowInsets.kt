// Stub of androidx.compose.foundation:foundation-layout of compose-bom 2026.09.00
package androidx.compose.foundation.layout

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.LayoutDirection
import androidx.compose.ui.unit.dp

@Stable
interface WindowInsets {
    fun getLeft(density: Density, layoutDirection: LayoutDirection): Int

    fun getTop(density: Density): Int

    fun getRight(density: Density, layoutDirection: LayoutDirection): Int

    fun getBottom(density: Density): Int

    companion object
}

fun WindowInsets(left: Dp = 0.dp, top: Dp = 0.dp, right: Dp = 0.dp, bottom: Dp = 0.dp): WindowInsets = TODO()

val WindowInsets.Companion.systemBars: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.statusBars: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.navigationBars: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.ime: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.displayCutout: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.safeDrawing: WindowInsets
    @Composable get() = TODO()

val WindowInsets.Companion.safeContent: WindowInsets
    @Composable get() = TODO()

@Composable
fun WindowInsets.asPaddingValues(): PaddingValues = TODO()

fun Modifier.windowInsetsPadding(insets: WindowInsets): Modifier = TODO()

fun Modifier.consumeWindowInsets(insets: WindowInsets): Modifier = TODO()

fun Modifier.consumeWindowInsets(paddingValues: PaddingValues): Modifier = TODO()

fun Modifier.safeDrawingPadding(): Modifier = TODO()

fun Modifier.safeContentPadding(): Modifier = TODO()

fun Modifier.systemBarsPadding(): Modifier = TODO()

fun Modifier.statusBarsPadding(): Modifier = TODO()

fun Modifier.navigationBarsPadding(): Modifier = TODO()

fun Modifier.imePadding(): Modifier = TODO()
