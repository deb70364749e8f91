// Stub of androidx.core:core 1.19.0
package androidx.core.util

fun interface Consumer<T> {
    fun accept(value: T)
}
