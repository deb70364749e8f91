// Stub of androidx.compose.ui:ui-geometry of compose-bom 2026.09.00
package androidx.compose.ui.geometry

@JvmInline
value class Offset internal constructor(internal val packedValue: Long) {
    val x: Float get() = TODO()
    val y: Float get() = TODO()

    operator fun plus(other: Offset): Offset = TODO()

    operator fun minus(other: Offset): Offset = TODO()

    operator fun unaryMinus(): Offset = TODO()

    operator fun times(operand: Float): Offset = TODO()

    operator fun div(operand: Float): Offset = TODO()

    operator fun component1(): Float = TODO()

    operator fun component2(): Float = TODO()

    fun copy(x: Float = this.x, y: Float = this.y): Offset = TODO()

    fun getDistance(): Float = TODO()

    companion object {
        val Zero: Offset get() = TODO()
        val Infinite: Offset get() = TODO()
        val Unspecified: Offset get() = TODO()
    }
}

fun Offset(x: Float, y: Float): Offset = TODO()

@JvmInline
value class Size internal constructor(internal val packedValue: Long) {
    val width: Float get() = TODO()
    val height: Float get() = TODO()
    val minDimension: Float get() = TODO()
    val maxDimension: Float get() = TODO()

    fun isEmpty(): Boolean = TODO()

    operator fun times(operand: Float): Size = TODO()

    operator fun div(operand: Float): Size = TODO()

    operator fun component1(): Float = TODO()

    operator fun component2(): Float = TODO()

    companion object {
        val Zero: Size get() = TODO()
        val Unspecified: Size get() = TODO()
    }
}

fun Size(width: Float, height: Float): Size = TODO()

val Size.center: Offset get() = TODO()

data class Rect(val left: Float, val top: Float, val right: Float, val bottom: Float) {
    val width: Float get() = TODO()
    val height: Float get() = TODO()
    val size: Size get() = TODO()
    val isEmpty: Boolean get() = TODO()
    val topLeft: Offset get() = TODO()
    val center: Offset get() = TODO()
    val bottomRight: Offset get() = TODO()

    fun translate(offset: Offset): Rect = TODO()

    fun intersect(other: Rect): Rect = TODO()

    fun overlaps(other: Rect): Boolean = TODO()

    fun contains(offset: Offset): Boolean = TODO()

    companion object {
        val Zero: Rect get() = TODO()
    }
}

fun Rect(offset: Offset, size: Size): Rect = TODO()

fun Rect(topLeft: Offset, bottomRight: Offset): Rect = TODO()

fun Rect(center: Offset, radius: Float): Rect = TODO()

@JvmInline
value class CornerRadius internal constructor(internal val packedValue: Long) {
    companion object {
        val Zero: CornerRadius get() = TODO()
    }
}

fun CornerRadius(x: Float, y: Float = x): CornerRadius = TODO()
