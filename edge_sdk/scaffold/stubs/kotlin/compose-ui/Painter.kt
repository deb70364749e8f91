// Stub of androidx.compose.ui:ui-graphics of compose-bom 2026.09.00
package androidx.compose.ui.graphics.painter

import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.FilterQuality
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.IntSize

abstract class Painter {
    abstract val intrinsicSize: Size

    protected abstract fun DrawScope.onDraw()
}

class BitmapPainter(
    image: ImageBitmap,
    srcOffset: IntOffset = IntOffset.Zero,
    srcSize: IntSize = IntSize(image.width, image.height),
) : Painter() {
    override val intrinsicSize: Size get() = TODO()

    override fun DrawScope.onDraw(): Unit = TODO()
}

fun BitmapPainter(
    image: ImageBitmap,
    srcOffset: IntOffset = IntOffset.Zero,
    srcSize: IntSize = IntSize(image.width, image.height),
    filterQuality: FilterQuality = FilterQuality.Low,
): BitmapPainter = TODO()

class ColorPainter(val color: Color) : Painter() {
    override val intrinsicSize: Size get() = TODO()

    override fun DrawScope.onDraw(): Unit = TODO()
}
