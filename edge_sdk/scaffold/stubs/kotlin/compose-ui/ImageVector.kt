// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.graphics.vector

import androidx.compose.runtime.Immutable
import androidx.compose.ui.unit.Dp

@Immutable
class ImageVector internal constructor() {
    val name: String get() = TODO()
    val defaultWidth: Dp get() = TODO()
    val defaultHeight: Dp get() = TODO()

    companion object
}
