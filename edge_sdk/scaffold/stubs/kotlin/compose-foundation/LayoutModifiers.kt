// Stub of androidx.compose.foundation:foundation-layout of compose-bom 2026.09.00
package androidx.compose.foundation.layout

import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.DpSize
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.dp

fun Modifier.padding(
    start: Dp = 0.dp,
    top: Dp = 0.dp,
    end: Dp = 0.dp,
    bottom: Dp = 0.dp,
): Modifier = TODO()

fun Modifier.padding(horizontal: Dp = 0.dp, vertical: Dp = 0.dp): Modifier = TODO()

fun Modifier.padding(all: Dp): Modifier = TODO()

fun Modifier.padding(paddingValues: PaddingValues): Modifier = TODO()

fun Modifier.offset(x: Dp = 0.dp, y: Dp = 0.dp): Modifier = TODO()

fun Modifier.offset(offset: Density.() -> IntOffset): Modifier = TODO()

fun Modifier.width(width: Dp): Modifier = TODO()

fun Modifier.height(height: Dp): Modifier = TODO()

fun Modifier.size(size: Dp): Modifier = TODO()

fun Modifier.size(width: Dp, height: Dp): Modifier = TODO()

fun Modifier.size(size: DpSize): Modifier = TODO()

fun Modifier.requiredSize(size: Dp): Modifier = TODO()

fun Modifier.widthIn(min: Dp = Dp.Unspecified, max: Dp = Dp.Unspecified): Modifier = TODO()

fun Modifier.heightIn(min: Dp = Dp.Unspecified, max: Dp = Dp.Unspecified): Modifier = TODO()

fun Modifier.sizeIn(
    minWidth: Dp = Dp.Unspecified,
    minHeight: Dp = Dp.Unspecified,
    maxWidth: Dp = Dp.Unspecified,
    maxHeight: Dp = Dp.Unspecified,
): Modifier = TODO()

fun Modifier.defaultMinSize(minWidth: Dp = Dp.Unspecified, minHeight: Dp = Dp.Unspecified): Modifier = TODO()

fun Modifier.fillMaxWidth(fraction: Float = 1f): Modifier = TODO()

fun Modifier.fillMaxHeight(fraction: Float = 1f): Modifier = TODO()

fun Modifier.fillMaxSize(fraction: Float = 1f): Modifier = TODO()

fun Modifier.wrapContentWidth(
    align: Alignment.Horizontal = Alignment.CenterHorizontally,
    unbounded: Boolean = false,
): Modifier = TODO()

fun Modifier.wrapContentHeight(
    align: Alignment.Vertical = Alignment.CenterVertically,
    unbounded: Boolean = false,
): Modifier = TODO()

fun Modifier.wrapContentSize(align: Alignment = Alignment.Center, unbounded: Boolean = false): Modifier = TODO()

fun Modifier.aspectRatio(ratio: Float, matchHeightConstraintsFirst: Boolean = false): Modifier = TODO()
