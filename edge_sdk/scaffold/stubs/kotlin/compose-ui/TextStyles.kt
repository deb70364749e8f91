// Stub of androidx.compose.ui:ui-text of compose-bom 2026.09.00
package androidx.compose.ui.text.style

import androidx.compose.runtime.Immutable

@JvmInline
value class TextAlign internal constructor(internal val value: Int) {
    companion object {
        val Left: TextAlign get() = TODO()
        val Right: TextAlign get() = TODO()
        val Center: TextAlign get() = TODO()
        val Justify: TextAlign get() = TODO()
        val Start: TextAlign get() = TODO()
        val End: TextAlign get() = TODO()
        val Unspecified: TextAlign get() = TODO()
    }
}

@JvmInline
value class TextOverflow internal constructor(internal val value: Int) {
    companion object {
        val Clip: TextOverflow get() = TODO()
        val Ellipsis: TextOverflow get() = TODO()
        val Visible: TextOverflow get() = TODO()
        val StartEllipsis: TextOverflow get() = TODO()
        val MiddleEllipsis: TextOverflow get() = TODO()
    }
}

@Immutable
class TextDecoration internal constructor(val mask: Int) {
    companion object {
        val None: TextDecoration get() = TODO()
        val Underline: TextDecoration get() = TODO()
        val LineThrough: TextDecoration get() = TODO()
    }
}
