// Stub of androidx.compose.material3:material3 of compose-bom 2026.09.00
package androidx.compose.material3

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.RowScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.painter.Painter
import androidx.compose.ui.graphics.vector.ImageVector

@Immutable
class ButtonColors internal constructor()

@Stable
class ButtonElevation internal constructor()

@Immutable
class IconButtonColors internal constructor()

@Immutable
class CheckboxColors internal constructor()

@Immutable
class SwitchColors internal constructor()

@Immutable
class RadioButtonColors internal constructor()

object ButtonDefaults {
    val shape: Shape
        @Composable get() = TODO()
    val ContentPadding: PaddingValues get() = TODO()

    @Composable
    fun buttonColors(): ButtonColors = TODO()

    @Composable
    fun buttonColors(
        containerColor: Color = Color.Unspecified,
        contentColor: Color = Color.Unspecified,
        disabledContainerColor: Color = Color.Unspecified,
        disabledContentColor: Color = Color.Unspecified,
    ): ButtonColors = TODO()
}

@Composable
fun Button(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: ButtonColors = TODO(),
    elevation: ButtonElevation? = TODO(),
    border: BorderStroke? = TODO(),
    contentPadding: PaddingValues = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun ElevatedButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: ButtonColors = TODO(),
    elevation: ButtonElevation? = TODO(),
    border: BorderStroke? = TODO(),
    contentPadding: PaddingValues = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun FilledTonalButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: ButtonColors = TODO(),
    elevation: ButtonElevation? = TODO(),
    border: BorderStroke? = TODO(),
    contentPadding: PaddingValues = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun OutlinedButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: ButtonColors = TODO(),
    elevation: ButtonElevation? = TODO(),
    border: BorderStroke? = TODO(),
    contentPadding: PaddingValues = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun TextButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: ButtonColors = TODO(),
    elevation: ButtonElevation? = TODO(),
    border: BorderStroke? = TODO(),
    contentPadding: PaddingValues = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun IconButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    colors: IconButtonColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
    shape: Shape = TODO(),
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun FilledIconButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: IconButtonColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun FilledTonalIconButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    shape: Shape = TODO(),
    colors: IconButtonColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun Icon(
    imageVector: ImageVector,
    contentDescription: String?,
    modifier: Modifier = Modifier,
    tint: Color = LocalContentColor.current,
): Unit = TODO()

@Composable
fun Icon(
    bitmap: ImageBitmap,
    contentDescription: String?,
    modifier: Modifier = Modifier,
    tint: Color = LocalContentColor.current,
): Unit = TODO()

@Composable
fun Icon(
    painter: Painter,
    contentDescription: String?,
    modifier: Modifier = Modifier,
    tint: Color = LocalContentColor.current,
): Unit = TODO()

@Composable
fun Checkbox(
    checked: Boolean,
    onCheckedChange: ((Boolean) -> Unit)?,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    colors: CheckboxColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
): Unit = TODO()

@Composable
fun Switch(
    checked: Boolean,
    onCheckedChange: ((Boolean) -> Unit)?,
    modifier: Modifier = Modifier,
    thumbContent: (@Composable () -> Unit)? = null,
    enabled: Boolean = true,
    colors: SwitchColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
): Unit = TODO()

@Composable
fun RadioButton(
    selected: Boolean,
    onClick: (() -> Unit)?,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    colors: RadioButtonColors = TODO(),
    interactionSource: MutableInteractionSource? = null,
): Unit = TODO()
