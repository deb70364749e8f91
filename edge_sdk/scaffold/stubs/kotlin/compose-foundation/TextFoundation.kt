// Stub of androidx.compose.foundation:foundation of compose-bom 2026.09.00
package androidx.compose.foundation.text

import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable

interface TextAutoSize

@Immutable
class KeyboardOptions internal constructor() {
    companion object {
        @Stable
        val Default: KeyboardOptions get() = TODO()
    }
}

@Stable
class KeyboardActions internal constructor() {
    companion object {
        @Stable
        val Default: KeyboardActions get() = TODO()
    }
}
