// Stub of androidx.compose.material3:material3 of compose-bom 2026.09.00
package androidx.compose.material3

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.RectangleShape
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp

@Composable
fun Surface(
    modifier: Modifier = Modifier,
    shape: Shape = RectangleShape,
    color: Color = MaterialTheme.colorScheme.surface,
    contentColor: Color = contentColorFor(color),
    tonalElevation: Dp = 0.dp,
    shadowElevation: Dp = 0.dp,
    border: BorderStroke? = null,
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun Surface(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = RectangleShape,
    color: Color = MaterialTheme.colorScheme.surface,
    contentColor: Color = contentColorFor(color),
    tonalElevation: Dp = 0.dp,
    shadowElevation: Dp = 0.dp,
    border: BorderStroke? = null,
    interactionSource: MutableInteractionSource? = null,
    content: @Composable () -> Unit,
): Unit = TODO()

@JvmInline
value class FabPosition internal constructor(internal val value: Int) {
    companion object {
        val Start: FabPosition get() = TODO()
        val Center: FabPosition get() = TODO()
        val End: FabPosition get() = TODO()
    }
}

@Composable
fun Scaffold(
    modifier: Modifier = Modifier,
    topBar: @Composable () -> Unit = {},
    bottomBar: @Composable () -> Unit = {},
    snackbarHost: @Composable () -> Unit = {},
    floatingActionButton: @Composable () -> Unit = {},
    floatingActionButtonPosition: FabPosition = FabPosition.End,
    containerColor: Color = MaterialTheme.colorScheme.background,
    contentColor: Color = contentColorFor(containerColor),
    contentWindowInsets: WindowInsets = TODO(),
    content: @Composable (PaddingValues) -> Unit,
): Unit = TODO()

@Immutable
class CardColors internal constructor()

@Immutable
class CardElevation internal constructor()

object CardDefaults {
    @Composable
    fun cardColors(): CardColors = TODO()

    @Composable
    fun cardColors(
        containerColor: Color = Color.Unspecified,
        contentColor: Color = TODO(),
        disabledContainerColor: Color = Color.Unspecified,
        disabledContentColor: Color = TODO(),
    ): CardColors = TODO()

    @Composable
    fun cardElevation(
        defaultElevation: Dp = TODO(),
        pressedElevation: Dp = TODO(),
        focusedElevation: Dp = TODO(),
        hoveredElevation: Dp = TODO(),
        draggedElevation: Dp = TODO(),
        disabledElevation: Dp = TODO(),
    ): CardElevation = TODO()
}

@Composable
fun Card(
    modifier: Modifier = Modifier,
    shape: Shape = TODO(),
    colors: CardColors = CardDefaults.cardColors(),
    elevation: CardElevation = CardDefaults.cardElevation(),
    border: BorderStroke? = null,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
fun Card(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: CardColors = CardDefaults.cardColors(),
    elevation: CardElevation = CardDefaults.cardElevation(),
    border: BorderStroke? = null,
    interactionSource: MutableInteractionSource? = null,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
fun ElevatedCard(
    modifier: Modifier = Modifier,
    shape: Shape = TODO(),
    colors: CardColors = TODO(),
    elevation: CardElevation = TODO(),
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
fun OutlinedCard(
    modifier: Modifier = Modifier,
    shape: Shape = TODO(),
    colors: CardColors = TODO(),
    elevation: CardElevation = TODO(),
    border: BorderStroke = TODO(),
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@ExperimentalMaterial3Api
@Stable
class TopAppBarColors internal constructor()

@ExperimentalMaterial3Api
@Stable
interface TopAppBarScrollBehavior

@ExperimentalMaterial3Api
object TopAppBarDefaults {
    @Composable
    fun topAppBarColors(): TopAppBarColors = TODO()

    @Composable
    fun topAppBarColors(
        containerColor: Color = Color.Unspecified,
        scrolledContainerColor: Color = Color.Unspecified,
        navigationIconContentColor: Color = Color.Unspecified,
        titleContentColor: Color = Color.Unspecified,
        actionIconContentColor: Color = Color.Unspecified,
        subtitleContentColor: Color = Color.Unspecified,
    ): TopAppBarColors = TODO()
}

@ExperimentalMaterial3Api
@Composable
fun TopAppBar(
    title: @Composable () -> Unit,
    modifier: Modifier = Modifier,
    navigationIcon: @Composable () -> Unit = {},
    actions: @Composable RowScope.() -> Unit = {},
    expandedHeight: Dp = TODO(),
    windowInsets: WindowInsets = TODO(),
    colors: TopAppBarColors = TopAppBarDefaults.topAppBarColors(),
    scrollBehavior: TopAppBarScrollBehavior? = null,
    contentPadding: PaddingValues = TODO(),
): Unit = TODO()

@ExperimentalMaterial3Api
@Composable
fun CenterAlignedTopAppBar(
    title: @Composable () -> Unit,
    modifier: Modifier = Modifier,
    navigationIcon: @Composable () -> Unit = {},
    actions: @Composable RowScope.() -> Unit = {},
    expandedHeight: Dp = TODO(),
    windowInsets: WindowInsets = TODO(),
    colors: TopAppBarColors = TopAppBarDefaults.topAppBarColors(),
    scrollBehavior: TopAppBarScrollBehavior? = null,
    contentPadding: PaddingValues = TODO(),
): Unit = TODO()
