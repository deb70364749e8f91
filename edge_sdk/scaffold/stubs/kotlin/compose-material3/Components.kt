// Stub of androidx.compose.material3:material3 of compose-bom 2026.09.00
package androidx.compose.material3

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.RowScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.unit.Dp

object ProgressIndicatorDefaults {
    val circularColor: Color
        @Composable get() = TODO()
    val linearColor: Color
        @Composable get() = TODO()
    val linearTrackColor: Color
        @Composable get() = TODO()
    val LinearStrokeCap: StrokeCap get() = TODO()
}

@Composable
fun LinearProgressIndicator(
    progress: () -> Float,
    modifier: Modifier = Modifier,
    color: Color = ProgressIndicatorDefaults.linearColor,
    trackColor: Color = ProgressIndicatorDefaults.linearTrackColor,
    strokeCap: StrokeCap = ProgressIndicatorDefaults.LinearStrokeCap,
    gapSize: Dp = TODO(),
    drawStopIndicator: DrawScope.() -> Unit = {},
): Unit = TODO()

@Composable
fun LinearProgressIndicator(
    modifier: Modifier = Modifier,
    color: Color = ProgressIndicatorDefaults.linearColor,
    trackColor: Color = ProgressIndicatorDefaults.linearTrackColor,
    strokeCap: StrokeCap = ProgressIndicatorDefaults.LinearStrokeCap,
    gapSize: Dp = TODO(),
): Unit = TODO()

@Composable
fun CircularProgressIndicator(
    progress: () -> Float,
    modifier: Modifier = Modifier,
    color: Color = ProgressIndicatorDefaults.circularColor,
    strokeWidth: Dp = TODO(),
    trackColor: Color = TODO(),
    strokeCap: StrokeCap = TODO(),
    gapSize: Dp = TODO(),
): Unit = TODO()

@Composable
fun CircularProgressIndicator(
    modifier: Modifier = Modifier,
    color: Color = ProgressIndicatorDefaults.circularColor,
    strokeWidth: Dp = TODO(),
    trackColor: Color = TODO(),
    strokeCap: StrokeCap = TODO(),
    gapSize: Dp = TODO(),
): Unit = TODO()

@Composable
fun HorizontalDivider(
    modifier: Modifier = Modifier,
    thickness: Dp = TODO(),
    color: Color = TODO(),
): Unit = TODO()

@Composable
fun VerticalDivider(
    modifier: Modifier = Modifier,
    thickness: Dp = TODO(),
    color: Color = TODO(),
): Unit = TODO()

@Composable
fun AlertDialog(
    onDismissRequest: () -> Unit,
    confirmButton: @Composable () -> Unit,
    modifier: Modifier = Modifier,
    dismissButton: @Composable (() -> Unit)? = null,
    icon: @Composable (() -> Unit)? = null,
    title: @Composable (() -> Unit)? = null,
    text: @Composable (() -> Unit)? = null,
    shape: Shape = TODO(),
): Unit = TODO()

enum class SnackbarDuration { Short, Long, Indefinite }

enum class SnackbarResult { Dismissed, ActionPerformed }

@Stable
class SnackbarHostState {
    suspend fun showSnackbar(
        message: String,
        actionLabel: String? = null,
        withDismissAction: Boolean = false,
        duration: SnackbarDuration = if (actionLabel == null) SnackbarDuration.Short else SnackbarDuration.Indefinite,
    ): SnackbarResult = TODO()
}

@Composable
fun SnackbarHost(hostState: SnackbarHostState, modifier: Modifier = Modifier): Unit = TODO()

@Immutable
class ListItemColors internal constructor()

@Composable
fun ListItem(
    headlineContent: @Composable () -> Unit,
    modifier: Modifier = Modifier,
    overlineContent: @Composable (() -> Unit)? = null,
    supportingContent: @Composable (() -> Unit)? = null,
    leadingContent: @Composable (() -> Unit)? = null,
    trailingContent: @Composable (() -> Unit)? = null,
    colors: ListItemColors = TODO(),
    tonalElevation: Dp = TODO(),
    shadowElevation: Dp = TODO(),
): Unit = TODO()

@Immutable
class SelectableChipColors internal constructor()

@Immutable
class SelectableChipElevation internal constructor()

@Composable
fun FilterChip(
    selected: Boolean,
    onClick: () -> Unit,
    label: @Composable () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    leadingIcon: @Composable (() -> Unit)? = null,
    trailingIcon: @Composable (() -> Unit)? = null,
    shape: Shape = TODO(),
    colors: SelectableChipColors = TODO(),
    elevation: SelectableChipElevation? = TODO(),
    border: BorderStroke? = TODO(),
    interactionSource: MutableInteractionSource? = null,
): Unit = TODO()

@Composable
fun DropdownMenu(
    expanded: Boolean,
    onDismissRequest: () -> Unit,
    modifier: Modifier = Modifier,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
fun DropdownMenuItem(
    text: @Composable () -> Unit,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    leadingIcon: @Composable (() -> Unit)? = null,
    trailingIcon: @Composable (() -> Unit)? = null,
    enabled: Boolean = true,
): Unit = TODO()

@Composable
fun PrimaryTabRow(
    selectedTabIndex: Int,
    modifier: Modifier = Modifier,
    containerColor: Color = TODO(),
    contentColor: Color = TODO(),
    tabs: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun Tab(
    selected: Boolean,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    text: @Composable (() -> Unit)? = null,
    icon: @Composable (() -> Unit)? = null,
): Unit = TODO()

@Composable
fun NavigationBar(
    modifier: Modifier = Modifier,
    containerColor: Color = TODO(),
    contentColor: Color = TODO(),
    tonalElevation: Dp = TODO(),
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()
