// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.res

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.runtime.Composable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.painter.Painter
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.unit.Dp

@Composable
@ReadOnlyComposable
fun stringResource(@StringRes id: Int): String = TODO()

@Composable
@ReadOnlyComposable
fun stringResource(@StringRes id: Int, vararg formatArgs: Any): String = TODO()

@Composable
@ReadOnlyComposable
fun stringArrayResource(id: Int): Array<String> = TODO()

@Composable
@ReadOnlyComposable
fun pluralStringResource(id: Int, count: Int): String = TODO()

@Composable
@ReadOnlyComposable
fun pluralStringResource(id: Int, count: Int, vararg formatArgs: Any): String = TODO()

@Composable
@ReadOnlyComposable
fun colorResource(id: Int): Color = TODO()

@Composable
@ReadOnlyComposable
fun dimensionResource(id: Int): Dp = TODO()

@Composable
fun painterResource(@DrawableRes id: Int): Painter = TODO()

@Composable
fun ImageVector.Companion.vectorResource(@DrawableRes id: Int): ImageVector = TODO()
