// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Stable
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.IntSize
import androidx.compose.ui.unit.LayoutDirection

@Stable
interface Modifier {
    fun <R> foldIn(initial: R, operation: (R, Element) -> R): R

    fun <R> foldOut(initial: R, operation: (Element, R) -> R): R

    fun any(predicate: (Element) -> Boolean): Boolean

    fun all(predicate: (Element) -> Boolean): Boolean

    infix fun then(other: Modifier): Modifier = TODO()

    interface Element : Modifier

    companion object : Modifier {
        override fun <R> foldIn(initial: R, operation: (R, Element) -> R): R = TODO()

        override fun <R> foldOut(initial: R, operation: (Element, R) -> R): R = TODO()

        override fun any(predicate: (Element) -> Boolean): Boolean = TODO()

        override fun all(predicate: (Element) -> Boolean): Boolean = TODO()

        override infix fun then(other: Modifier): Modifier = TODO()
    }
}

@Stable
fun interface Alignment {
    fun align(size: IntSize, space: IntSize, layoutDirection: LayoutDirection): IntOffset

    @Stable
    fun interface Horizontal {
        fun align(size: Int, space: Int, layoutDirection: LayoutDirection): Int
    }

    @Stable
    fun interface Vertical {
        fun align(size: Int, space: Int): Int
    }

    companion object {
        val TopStart: Alignment get() = TODO()
        val TopCenter: Alignment get() = TODO()
        val TopEnd: Alignment get() = TODO()
        val CenterStart: Alignment get() = TODO()
        val Center: Alignment get() = TODO()
        val CenterEnd: Alignment get() = TODO()
        val BottomStart: Alignment get() = TODO()
        val BottomCenter: Alignment get() = TODO()
        val BottomEnd: Alignment get() = TODO()
        val Top: Vertical get() = TODO()
        val CenterVertically: Vertical get() = TODO()
        val Bottom: Vertical get() = TODO()
        val Start: Horizontal get() = TODO()
        val CenterHorizontally: Horizontal get() = TODO()
        val End: Horizontal get() = TODO()
    }
}

fun Modifier.composed(factory: @Composable Modifier.() -> Modifier): Modifier = TODO()

@RequiresOptIn("This API is experimental and is likely to change in the future.")
@Retention(AnnotationRetention.BINARY)
annotation class ExperimentalComposeUiApi
