// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.layout

import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.unit.IntSize

@Stable
interface ContentScale {
    fun computeScaleFactor(srcSize: Size, dstSize: Size): ScaleFactor

    companion object {
        val Crop: ContentScale get() = TODO()
        val Fit: ContentScale get() = TODO()
        val FillHeight: ContentScale get() = TODO()
        val FillWidth: ContentScale get() = TODO()
        val Inside: ContentScale get() = TODO()
        val None: FixedScale get() = TODO()
        val FillBounds: ContentScale get() = TODO()
    }
}

class FixedScale(val value: Float) : ContentScale {
    override fun computeScaleFactor(srcSize: Size, dstSize: Size): ScaleFactor = TODO()
}

@JvmInline
value class ScaleFactor internal constructor(internal val packedValue: Long) {
    val scaleX: Float get() = TODO()
    val scaleY: Float get() = TODO()
}

interface LayoutCoordinates {
    val size: IntSize
    val isAttached: Boolean
}

fun Modifier.onSizeChanged(onSizeChanged: (IntSize) -> Unit): Modifier = TODO()

fun Modifier.onGloballyPositioned(onGloballyPositioned: (LayoutCoordinates) -> Unit): Modifier = TODO()
