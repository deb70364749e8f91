// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.state

enum class ToggleableState { On, Off, Indeterminate }
