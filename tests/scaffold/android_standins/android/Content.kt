// Stands in for Android's own classes as far as tests here call them: those need a newer Java, and natives.
package android.content

import android.content.res.AssetManager

abstract class Context {
    fun getAssets(): AssetManager = AssetManager()
}

open class ContextWrapper(base: Context?) : Context() {
    val base: Context? = base
}
