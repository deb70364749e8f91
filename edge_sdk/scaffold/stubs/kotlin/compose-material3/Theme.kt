// Stub of androidx.compose.material3:material3 of compose-bom 2026.09.00
package androidx.compose.material3

import android.content.Context
import androidx.annotation.RequiresApi
import androidx.compose.foundation.shape.CornerBasedShape
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.ProvidableCompositionLocal
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.TextStyle

@Immutable
class ColorScheme internal constructor() {
    val primary: Color get() = TODO()
    val onPrimary: Color get() = TODO()
    val primaryContainer: Color get() = TODO()
    val onPrimaryContainer: Color get() = TODO()
    val inversePrimary: Color get() = TODO()
    val secondary: Color get() = TODO()
    val onSecondary: Color get() = TODO()
    val secondaryContainer: Color get() = TODO()
    val onSecondaryContainer: Color get() = TODO()
    val tertiary: Color get() = TODO()
    val onTertiary: Color get() = TODO()
    val tertiaryContainer: Color get() = TODO()
    val onTertiaryContainer: Color get() = TODO()
    val background: Color get() = TODO()
    val onBackground: Color get() = TODO()
    val surface: Color get() = TODO()
    val onSurface: Color get() = TODO()
    val surfaceVariant: Color get() = TODO()
    val onSurfaceVariant: Color get() = TODO()
    val surfaceTint: Color get() = TODO()
    val inverseSurface: Color get() = TODO()
    val inverseOnSurface: Color get() = TODO()
    val error: Color get() = TODO()
    val onError: Color get() = TODO()
    val errorContainer: Color get() = TODO()
    val onErrorContainer: Color get() = TODO()
    val outline: Color get() = TODO()
    val outlineVariant: Color get() = TODO()
    val scrim: Color get() = TODO()
    val surfaceBright: Color get() = TODO()
    val surfaceDim: Color get() = TODO()
    val surfaceContainer: Color get() = TODO()
    val surfaceContainerHigh: Color get() = TODO()
    val surfaceContainerHighest: Color get() = TODO()
    val surfaceContainerLow: Color get() = TODO()
    val surfaceContainerLowest: Color get() = TODO()
}

fun lightColorScheme(
    primary: Color = TODO(),
    onPrimary: Color = TODO(),
    primaryContainer: Color = TODO(),
    onPrimaryContainer: Color = TODO(),
    inversePrimary: Color = TODO(),
    secondary: Color = TODO(),
    onSecondary: Color = TODO(),
    secondaryContainer: Color = TODO(),
    onSecondaryContainer: Color = TODO(),
    tertiary: Color = TODO(),
    onTertiary: Color = TODO(),
    tertiaryContainer: Color = TODO(),
    onTertiaryContainer: Color = TODO(),
    background: Color = TODO(),
    onBackground: Color = TODO(),
    surface: Color = TODO(),
    onSurface: Color = TODO(),
): ColorScheme = TODO()

fun darkColorScheme(
    primary: Color = TODO(),
    onPrimary: Color = TODO(),
    primaryContainer: Color = TODO(),
    onPrimaryContainer: Color = TODO(),
    inversePrimary: Color = TODO(),
    secondary: Color = TODO(),
    onSecondary: Color = TODO(),
    secondaryContainer: Color = TODO(),
    onSecondaryContainer: Color = TODO(),
    tertiary: Color = TODO(),
    onTertiary: Color = TODO(),
    tertiaryContainer: Color = TODO(),
    onTertiaryContainer: Color = TODO(),
    background: Color = TODO(),
    onBackground: Color = TODO(),
    surface: Color = TODO(),
    onSurface: Color = TODO(),
): ColorScheme = TODO()

@RequiresApi(31)
fun dynamicLightColorScheme(context: Context): ColorScheme = TODO()

@RequiresApi(31)
fun dynamicDarkColorScheme(context: Context): ColorScheme = TODO()

@Immutable
class Typography internal constructor() {
    val displayLarge: TextStyle get() = TODO()
    val displayMedium: TextStyle get() = TODO()
    val displaySmall: TextStyle get() = TODO()
    val headlineLarge: TextStyle get() = TODO()
    val headlineMedium: TextStyle get() = TODO()
    val headlineSmall: TextStyle get() = TODO()
    val titleLarge: TextStyle get() = TODO()
    val titleMedium: TextStyle get() = TODO()
    val titleSmall: TextStyle get() = TODO()
    val bodyLarge: TextStyle get() = TODO()
    val bodyMedium: TextStyle get() = TODO()
    val bodySmall: TextStyle get() = TODO()
    val labelLarge: TextStyle get() = TODO()
    val labelMedium: TextStyle get() = TODO()
    val labelSmall: TextStyle get() = TODO()
}

@Immutable
class Shapes internal constructor() {
    val extraSmall: CornerBasedShape get() = TODO()
    val small: CornerBasedShape get() = TODO()
    val medium: CornerBasedShape get() = TODO()
    val large: CornerBasedShape get() = TODO()
    val extraLarge: CornerBasedShape get() = TODO()
}

object MaterialTheme {
    val colorScheme: ColorScheme
        @Composable @ReadOnlyComposable get() = TODO()
    val typography: Typography
        @Composable @ReadOnlyComposable get() = TODO()
    val shapes: Shapes
        @Composable @ReadOnlyComposable get() = TODO()
}

@Composable
fun MaterialTheme(
    colorScheme: ColorScheme = MaterialTheme.colorScheme,
    shapes: Shapes = MaterialTheme.shapes,
    typography: Typography = MaterialTheme.typography,
    content: @Composable () -> Unit,
): Unit = TODO()

val LocalContentColor: ProvidableCompositionLocal<Color> get() = TODO()

val LocalTextStyle: ProvidableCompositionLocal<TextStyle> get() = TODO()

@Composable
@ReadOnlyComposable
fun contentColorFor(backgroundColor: Color): Color = TODO()

@RequiresOptIn("This material API is experimental and is likely to change or to be removed in the future.")
@Retention(AnnotationRetention.BINARY)
annotation class ExperimentalMaterial3Api
