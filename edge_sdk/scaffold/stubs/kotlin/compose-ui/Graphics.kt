// Stub of androidx.compose.ui:ui-graphics of compose-bom 2026.09.00
package androidx.compose.ui.graphics

import android.graphics.Bitmap
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.unit.Density

@Immutable
@JvmInline
value class Color(val value: ULong) {
    val red: Float get() = TODO()
    val green: Float get() = TODO()
    val blue: Float get() = TODO()
    val alpha: Float get() = TODO()

    fun copy(
        alpha: Float = this.alpha,
        red: Float = this.red,
        green: Float = this.green,
        blue: Float = this.blue,
    ): Color = TODO()

    companion object {
        val Black: Color get() = TODO()
        val DarkGray: Color get() = TODO()
        val Gray: Color get() = TODO()
        val LightGray: Color get() = TODO()
        val White: Color get() = TODO()
        val Red: Color get() = TODO()
        val Green: Color get() = TODO()
        val Blue: Color get() = TODO()
        val Yellow: Color get() = TODO()
        val Cyan: Color get() = TODO()
        val Magenta: Color get() = TODO()
        val Transparent: Color get() = TODO()
        val Unspecified: Color get() = TODO()

        fun hsv(hue: Float, saturation: Float, value: Float, alpha: Float = 1f): Color = TODO()

        fun hsl(hue: Float, saturation: Float, lightness: Float, alpha: Float = 1f): Color = TODO()
    }
}

fun Color(color: Int): Color = TODO()

fun Color(color: Long): Color = TODO()

fun Color(red: Int, green: Int, blue: Int, alpha: Int = 0xFF): Color = TODO()

fun Color(red: Float, green: Float, blue: Float, alpha: Float = 1f): Color = TODO()

fun Color.toArgb(): Int = TODO()

fun Color.luminance(): Float = TODO()

fun Color.compositeOver(background: Color): Color = TODO()

interface ImageBitmap {
    val width: Int
    val height: Int
    val hasAlpha: Boolean

    fun prepareToDraw()

    companion object
}

fun Bitmap.asImageBitmap(): ImageBitmap = TODO()

fun ImageBitmap.asAndroidBitmap(): Bitmap = TODO()

@Immutable
interface Shape

val RectangleShape: Shape get() = TODO()

@Immutable
sealed class Brush {
    companion object {
        fun horizontalGradient(colors: List<Color>): Brush = TODO()

        fun verticalGradient(colors: List<Color>): Brush = TODO()
    }
}

class SolidColor(val value: Color) : Brush()

@JvmInline
value class StrokeCap internal constructor(internal val value: Int) {
    companion object {
        val Butt: StrokeCap get() = TODO()
        val Round: StrokeCap get() = TODO()
        val Square: StrokeCap get() = TODO()
    }
}

@JvmInline
value class StrokeJoin internal constructor(internal val value: Int) {
    companion object {
        val Miter: StrokeJoin get() = TODO()
        val Round: StrokeJoin get() = TODO()
        val Bevel: StrokeJoin get() = TODO()
    }
}

@JvmInline
value class FilterQuality internal constructor(val value: Int) {
    companion object {
        val None: FilterQuality get() = TODO()
        val Low: FilterQuality get() = TODO()
        val Medium: FilterQuality get() = TODO()
        val High: FilterQuality get() = TODO()
    }
}

@Immutable
open class ColorFilter internal constructor() {
    companion object {
        fun tint(color: Color): ColorFilter = TODO()
    }
}

interface PathEffect {
    companion object {
        fun dashPathEffect(intervals: FloatArray, phase: Float = 0f): PathEffect = TODO()
    }
}

interface Path {
    fun moveTo(x: Float, y: Float)

    fun lineTo(x: Float, y: Float)

    fun close()
}

fun Path(): Path = TODO()

@JvmInline
value class Matrix(val values: FloatArray = FloatArray(16)) {
    fun map(point: Offset): Offset = TODO()

    fun reset(): Unit = TODO()
}

@Stable
interface GraphicsLayerScope : Density {
    var scaleX: Float
    var scaleY: Float
    var alpha: Float
    var translationX: Float
    var translationY: Float
    var rotationZ: Float
    var clip: Boolean
}

fun Modifier.graphicsLayer(block: GraphicsLayerScope.() -> Unit): Modifier = TODO()
