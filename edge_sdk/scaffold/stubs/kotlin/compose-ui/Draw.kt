// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.draw

import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.drawscope.ContentDrawScope
import androidx.compose.ui.graphics.drawscope.DrawScope

fun Modifier.alpha(alpha: Float): Modifier = TODO()

fun Modifier.clip(shape: Shape): Modifier = TODO()

fun Modifier.clipToBounds(): Modifier = TODO()

fun Modifier.rotate(degrees: Float): Modifier = TODO()

fun Modifier.scale(scale: Float): Modifier = TODO()

fun Modifier.scale(scaleX: Float, scaleY: Float): Modifier = TODO()

fun Modifier.drawBehind(onDraw: DrawScope.() -> Unit): Modifier = TODO()

fun Modifier.drawWithContent(onDraw: ContentDrawScope.() -> Unit): Modifier = TODO()
