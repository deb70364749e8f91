// Stub of androidx.core:core-ktx 1.19.0
package androidx.core.os

import android.os.Bundle

inline fun <T> trace(sectionName: String, block: () -> T): T = block()

fun bundleOf(vararg pairs: Pair<String, Any?>): Bundle = TODO()
