// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.hapticfeedback

interface HapticFeedback {
    fun performHapticFeedback(hapticFeedbackType: HapticFeedbackType)
}

@JvmInline
value class HapticFeedbackType(internal val value: Int) {
    companion object {
        val LongPress: HapticFeedbackType get() = TODO()
        val TextHandleMove: HapticFeedbackType get() = TODO()
        val Confirm: HapticFeedbackType get() = TODO()
        val Reject: HapticFeedbackType get() = TODO()
    }
}
