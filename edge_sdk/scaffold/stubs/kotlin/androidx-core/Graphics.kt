// Stub of androidx.core:core-ktx 1.19.0
package androidx.core.graphics

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.ColorSpace
import android.graphics.Matrix
import androidx.annotation.RequiresApi

inline fun Bitmap.applyCanvas(block: Canvas.() -> Unit): Bitmap {
    Canvas(this).block()
    return this
}

operator fun Bitmap.get(x: Int, y: Int): Int = getPixel(x, y)

operator fun Bitmap.set(x: Int, y: Int, color: Int): Unit = setPixel(x, y, color)

fun Bitmap.scale(width: Int, height: Int, filter: Boolean = true): Bitmap =
    Bitmap.createScaledBitmap(this, width, height, filter)

fun createBitmap(width: Int, height: Int, config: Bitmap.Config = Bitmap.Config.ARGB_8888): Bitmap =
    Bitmap.createBitmap(width, height, config)

@RequiresApi(26)
fun createBitmap(
    width: Int,
    height: Int,
    config: Bitmap.Config = Bitmap.Config.ARGB_8888,
    hasAlpha: Boolean = true,
    colorSpace: ColorSpace = ColorSpace.get(ColorSpace.Named.SRGB),
): Bitmap = Bitmap.createBitmap(width, height, config, hasAlpha, colorSpace)

fun rotationMatrix(degrees: Float, px: Float = 0.0f, py: Float = 0.0f): Matrix = TODO()

fun scaleMatrix(sx: Float = 1.0f, sy: Float = 1.0f): Matrix = TODO()

fun translationMatrix(tx: Float = 0.0f, ty: Float = 0.0f): Matrix = TODO()
