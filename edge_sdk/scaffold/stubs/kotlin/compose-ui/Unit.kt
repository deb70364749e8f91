// Stub of androidx.compose.ui:ui-unit of compose-bom 2026.09.00
package androidx.compose.ui.unit

@JvmInline
value class Dp(val value: Float) : Comparable<Dp> {
    operator fun plus(other: Dp): Dp = TODO()

    operator fun minus(other: Dp): Dp = TODO()

    operator fun unaryMinus(): Dp = TODO()

    operator fun div(other: Float): Dp = TODO()

    operator fun div(other: Int): Dp = TODO()

    operator fun div(other: Dp): Float = TODO()

    operator fun times(other: Float): Dp = TODO()

    operator fun times(other: Int): Dp = TODO()

    override fun compareTo(other: Dp): Int = TODO()

    companion object {
        val Hairline: Dp get() = TODO()
        val Infinity: Dp get() = TODO()
        val Unspecified: Dp get() = TODO()
    }
}

inline val Int.dp: Dp get() = Dp(toFloat())

inline val Double.dp: Dp get() = Dp(toFloat())

inline val Float.dp: Dp get() = Dp(this)

@JvmInline
value class TextUnit internal constructor(internal val packedValue: Long) {
    operator fun unaryMinus(): TextUnit = TODO()

    operator fun times(other: Float): TextUnit = TODO()

    val isSp: Boolean get() = TODO()
    val isEm: Boolean get() = TODO()
    val value: Float get() = TODO()

    companion object {
        val Unspecified: TextUnit get() = TODO()
    }
}

val Int.sp: TextUnit get() = TODO()

val Double.sp: TextUnit get() = TODO()

val Float.sp: TextUnit get() = TODO()

val Int.em: TextUnit get() = TODO()

val Double.em: TextUnit get() = TODO()

interface Density {
    val density: Float
    val fontScale: Float

    fun Dp.toPx(): Float = TODO()

    fun Dp.roundToPx(): Int = TODO()

    fun Dp.toSp(): TextUnit = TODO()

    fun TextUnit.toPx(): Float = TODO()

    fun TextUnit.roundToPx(): Int = TODO()

    fun TextUnit.toDp(): Dp = TODO()

    fun Int.toDp(): Dp = TODO()

    fun Float.toDp(): Dp = TODO()
}

fun Density(density: Float, fontScale: Float = 1f): Density = TODO()

enum class LayoutDirection { Ltr, Rtl }

@JvmInline
value class IntSize internal constructor(internal val packedValue: Long) {
    val width: Int get() = TODO()
    val height: Int get() = TODO()

    operator fun component1(): Int = TODO()

    operator fun component2(): Int = TODO()

    companion object {
        val Zero: IntSize get() = TODO()
    }
}

fun IntSize(width: Int, height: Int): IntSize = TODO()

@JvmInline
value class IntOffset internal constructor(internal val packedValue: Long) {
    val x: Int get() = TODO()
    val y: Int get() = TODO()

    companion object {
        val Zero: IntOffset get() = TODO()
    }
}

fun IntOffset(x: Int, y: Int): IntOffset = TODO()

@JvmInline
value class Constraints(internal val value: Long) {
    val minWidth: Int get() = TODO()
    val maxWidth: Int get() = TODO()
    val minHeight: Int get() = TODO()
    val maxHeight: Int get() = TODO()
}

fun max(a: Dp, b: Dp): Dp = TODO()

fun min(a: Dp, b: Dp): Dp = TODO()

fun Dp.coerceAtLeast(minimumValue: Dp): Dp = TODO()

fun Dp.coerceAtMost(maximumValue: Dp): Dp = TODO()

fun Dp.coerceIn(minimumValue: Dp, maximumValue: Dp): Dp = TODO()

@JvmInline
value class DpSize internal constructor(internal val packedValue: Long) {
    val width: Dp get() = TODO()
    val height: Dp get() = TODO()
}

fun DpSize(width: Dp, height: Dp): DpSize = TODO()
