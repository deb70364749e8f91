// Stub of androidx.lifecycle:lifecycle-livedata-core 2.11.0
package androidx.lifecycle

fun interface Observer<T> {
    fun onChanged(value: T)
}
