// Stub of androidx.compose.ui:ui-text of compose-bom 2026.09.00
package androidx.compose.ui.text.font

import androidx.compose.runtime.Immutable

@Immutable
class FontWeight(val weight: Int) : Comparable<FontWeight> {
    override fun compareTo(other: FontWeight): Int = TODO()

    companion object {
        val Thin: FontWeight get() = TODO()
        val ExtraLight: FontWeight get() = TODO()
        val Light: FontWeight get() = TODO()
        val Normal: FontWeight get() = TODO()
        val Medium: FontWeight get() = TODO()
        val SemiBold: FontWeight get() = TODO()
        val Bold: FontWeight get() = TODO()
        val ExtraBold: FontWeight get() = TODO()
        val Black: FontWeight get() = TODO()
    }
}

@JvmInline
value class FontStyle(val value: Int) {
    companion object {
        val Normal: FontStyle get() = TODO()
        val Italic: FontStyle get() = TODO()
    }
}

@Immutable
sealed class FontFamily {
    companion object {
        val Default: SystemFontFamily get() = TODO()
        val SansSerif: GenericFontFamily get() = TODO()
        val Serif: GenericFontFamily get() = TODO()
        val Monospace: GenericFontFamily get() = TODO()
        val Cursive: GenericFontFamily get() = TODO()
    }
}

sealed class SystemFontFamily : FontFamily()

class GenericFontFamily internal constructor(val name: String) : SystemFontFamily()
