// Stub of androidx.compose.foundation:foundation-layout of compose-bom 2026.09.00
package androidx.compose.foundation.layout

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Constraints
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.LayoutDirection

@Immutable
object Arrangement {
    @Stable
    interface Horizontal {
        val spacing: Dp get() = TODO()
    }

    @Stable
    interface Vertical {
        val spacing: Dp get() = TODO()
    }

    @Stable
    interface HorizontalOrVertical : Horizontal, Vertical {
        override val spacing: Dp get() = TODO()
    }

    val Start: Horizontal get() = TODO()
    val End: Horizontal get() = TODO()
    val Top: Vertical get() = TODO()
    val Bottom: Vertical get() = TODO()
    val Center: HorizontalOrVertical get() = TODO()
    val SpaceEvenly: HorizontalOrVertical get() = TODO()
    val SpaceBetween: HorizontalOrVertical get() = TODO()
    val SpaceAround: HorizontalOrVertical get() = TODO()

    fun spacedBy(space: Dp): HorizontalOrVertical = TODO()

    fun spacedBy(space: Dp, alignment: Alignment.Horizontal): Horizontal = TODO()

    fun spacedBy(space: Dp, alignment: Alignment.Vertical): Vertical = TODO()

    fun aligned(alignment: Alignment.Horizontal): Horizontal = TODO()

    fun aligned(alignment: Alignment.Vertical): Vertical = TODO()
}

@DslMarker
annotation class LayoutScopeMarker

@LayoutScopeMarker
@Immutable
interface ColumnScope {
    fun Modifier.weight(weight: Float, fill: Boolean = true): Modifier

    fun Modifier.align(alignment: Alignment.Horizontal): Modifier
}

@LayoutScopeMarker
@Immutable
interface RowScope {
    fun Modifier.weight(weight: Float, fill: Boolean = true): Modifier

    fun Modifier.align(alignment: Alignment.Vertical): Modifier

    fun Modifier.alignByBaseline(): Modifier
}

@LayoutScopeMarker
@Immutable
interface BoxScope {
    fun Modifier.align(alignment: Alignment): Modifier

    fun Modifier.matchParentSize(): Modifier
}

@Stable
interface BoxWithConstraintsScope : BoxScope {
    val constraints: Constraints
    val minWidth: Dp
    val maxWidth: Dp
    val minHeight: Dp
    val maxHeight: Dp
}

@LayoutScopeMarker
@Stable
interface FlowRowScope : RowScope

@Composable
inline fun Column(
    modifier: Modifier = Modifier,
    verticalArrangement: Arrangement.Vertical = Arrangement.Top,
    horizontalAlignment: Alignment.Horizontal = Alignment.Start,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
inline fun Row(
    modifier: Modifier = Modifier,
    horizontalArrangement: Arrangement.Horizontal = Arrangement.Start,
    verticalAlignment: Alignment.Vertical = Alignment.Top,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
inline fun Box(
    modifier: Modifier = Modifier,
    contentAlignment: Alignment = Alignment.TopStart,
    propagateMinConstraints: Boolean = false,
    content: @Composable BoxScope.() -> Unit,
): Unit = TODO()

@Composable
fun Box(modifier: Modifier): Unit = TODO()

@Composable
fun BoxWithConstraints(
    modifier: Modifier = Modifier,
    contentAlignment: Alignment = Alignment.TopStart,
    propagateMinConstraints: Boolean = false,
    content: @Composable BoxWithConstraintsScope.() -> Unit,
): Unit = TODO()

@Composable
fun FlowRow(
    modifier: Modifier = Modifier,
    horizontalArrangement: Arrangement.Horizontal = Arrangement.Start,
    verticalArrangement: Arrangement.Vertical = Arrangement.Top,
    itemVerticalAlignment: Alignment.Vertical = Alignment.Top,
    maxItemsInEachRow: Int = Int.MAX_VALUE,
    maxLines: Int = Int.MAX_VALUE,
    content: @Composable FlowRowScope.() -> Unit,
): Unit = TODO()

@Composable
fun Spacer(modifier: Modifier): Unit = TODO()

@Stable
interface PaddingValues {
    fun calculateLeftPadding(layoutDirection: LayoutDirection): Dp

    fun calculateTopPadding(): Dp

    fun calculateRightPadding(layoutDirection: LayoutDirection): Dp

    fun calculateBottomPadding(): Dp
}

fun PaddingValues(all: Dp): PaddingValues = TODO()

fun PaddingValues(horizontal: Dp = TODO(), vertical: Dp = TODO()): PaddingValues = TODO()

fun PaddingValues(
    start: Dp = TODO(),
    top: Dp = TODO(),
    end: Dp = TODO(),
    bottom: Dp = TODO(),
): PaddingValues = TODO()

fun PaddingValues.calculateStartPadding(layoutDirection: LayoutDirection): Dp = TODO()

fun PaddingValues.calculateEndPadding(layoutDirection: LayoutDirection): Dp = TODO()
