// Stub of androidx.compose.foundation:foundation of compose-bom 2026.09.00
package androidx.compose.foundation.shape

import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.unit.Dp

interface CornerSize

abstract class CornerBasedShape : Shape

class RoundedCornerShape(
    topStart: CornerSize,
    topEnd: CornerSize,
    bottomEnd: CornerSize,
    bottomStart: CornerSize,
) : CornerBasedShape()

val CircleShape: RoundedCornerShape get() = TODO()

fun RoundedCornerShape(corner: CornerSize): RoundedCornerShape = TODO()

fun RoundedCornerShape(size: Dp): RoundedCornerShape = TODO()

fun RoundedCornerShape(size: Float): RoundedCornerShape = TODO()

fun RoundedCornerShape(percent: Int): RoundedCornerShape = TODO()

fun RoundedCornerShape(
    topStart: Dp = TODO(),
    topEnd: Dp = TODO(),
    bottomEnd: Dp = TODO(),
    bottomStart: Dp = TODO(),
): RoundedCornerShape = TODO()
