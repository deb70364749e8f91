// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.platform

import android.content.Context
import android.content.res.Configuration
import android.content.res.Resources
import android.view.View
import androidx.compose.runtime.CompositionLocal
import androidx.compose.runtime.ProvidableCompositionLocal
import androidx.compose.ui.Modifier
import androidx.compose.ui.hapticfeedback.HapticFeedback
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.LayoutDirection

val LocalContext: ProvidableCompositionLocal<Context> get() = TODO()

val LocalConfiguration: ProvidableCompositionLocal<Configuration> get() = TODO()

val LocalResources: CompositionLocal<Resources> get() = TODO()

val LocalView: ProvidableCompositionLocal<View> get() = TODO()

val LocalDensity: ProvidableCompositionLocal<Density> get() = TODO()

val LocalLayoutDirection: ProvidableCompositionLocal<LayoutDirection> get() = TODO()

val LocalInspectionMode: ProvidableCompositionLocal<Boolean> get() = TODO()

val LocalHapticFeedback: ProvidableCompositionLocal<HapticFeedback> get() = TODO()

fun Modifier.testTag(tag: String): Modifier = TODO()
