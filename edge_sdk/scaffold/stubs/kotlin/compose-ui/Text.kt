// Stub of androidx.compose.ui:ui-text of compose-bom 2026.09.00
package androidx.compose.ui.text

import androidx.compose.runtime.Immutable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.text.style.TextDecoration
import androidx.compose.ui.unit.IntSize
import androidx.compose.ui.unit.TextUnit

@Immutable
class AnnotatedString(val text: String) : CharSequence {
    override val length: Int get() = TODO()

    override fun get(index: Int): Char = TODO()

    override fun subSequence(startIndex: Int, endIndex: Int): AnnotatedString = TODO()
}

class TextLayoutResult internal constructor() {
    val size: IntSize get() = TODO()
    val lineCount: Int get() = TODO()
    val hasVisualOverflow: Boolean get() = TODO()
}

@Immutable
class TextStyle(
    color: Color = Color.Unspecified,
    fontSize: TextUnit = TextUnit.Unspecified,
    fontWeight: FontWeight? = null,
    fontStyle: FontStyle? = null,
    fontFamily: FontFamily? = null,
    fontFeatureSettings: String? = null,
    letterSpacing: TextUnit = TextUnit.Unspecified,
    background: Color = Color.Unspecified,
    textDecoration: TextDecoration? = null,
    textAlign: TextAlign = TextAlign.Unspecified,
    lineHeight: TextUnit = TextUnit.Unspecified,
) {
    val color: Color get() = TODO()
    val fontSize: TextUnit get() = TODO()
    val fontWeight: FontWeight? get() = TODO()
    val fontFamily: FontFamily? get() = TODO()
    val lineHeight: TextUnit get() = TODO()

    fun merge(other: TextStyle? = null): TextStyle = TODO()

    fun copy(
        color: Color = TODO(),
        fontSize: TextUnit = TODO(),
        fontWeight: FontWeight? = TODO(),
        fontStyle: FontStyle? = TODO(),
        fontFamily: FontFamily? = TODO(),
        fontFeatureSettings: String? = TODO(),
        letterSpacing: TextUnit = TODO(),
        background: Color = TODO(),
        textDecoration: TextDecoration? = TODO(),
        textAlign: TextAlign = TODO(),
        lineHeight: TextUnit = TODO(),
    ): TextStyle = TODO()

    companion object {
        val Default: TextStyle get() = TODO()
    }
}
