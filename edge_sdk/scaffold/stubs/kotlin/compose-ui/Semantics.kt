// Stub of androidx.compose.ui:ui of compose-bom 2026.09.00
package androidx.compose.ui.semantics

import androidx.compose.ui.Modifier
import androidx.compose.ui.state.ToggleableState

interface SemanticsPropertyReceiver

@JvmInline
value class Role private constructor(private val value: Int) {
    companion object {
        val Button: Role get() = TODO()
        val Checkbox: Role get() = TODO()
        val Switch: Role get() = TODO()
        val RadioButton: Role get() = TODO()
        val Tab: Role get() = TODO()
        val Image: Role get() = TODO()
        val DropdownList: Role get() = TODO()
    }
}

@JvmInline
value class LiveRegionMode private constructor(private val value: Int) {
    companion object {
        val Polite: LiveRegionMode get() = TODO()
        val Assertive: LiveRegionMode get() = TODO()
    }
}

class ProgressBarRangeInfo(
    val current: Float,
    val range: ClosedFloatingPointRange<Float>,
    val steps: Int = 0,
)

var SemanticsPropertyReceiver.contentDescription: String
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.stateDescription: String
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.liveRegion: LiveRegionMode
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.role: Role
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.testTag: String
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.toggleableState: ToggleableState
    get() = TODO()
    set(_) = TODO()

var SemanticsPropertyReceiver.progressBarRangeInfo: ProgressBarRangeInfo
    get() = TODO()
    set(_) = TODO()

fun SemanticsPropertyReceiver.heading(): Unit = TODO()

fun Modifier.semantics(
    mergeDescendants: Boolean = false,
    properties: SemanticsPropertyReceiver.() -> Unit,
): Modifier = TODO()

fun Modifier.clearAndSetSemantics(properties: SemanticsPropertyReceiver.() -> Unit): Modifier = TODO()
