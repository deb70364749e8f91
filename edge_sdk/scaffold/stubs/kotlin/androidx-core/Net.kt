// Stub of androidx.core:core-ktx 1.19.0
package androidx.core.net

import android.net.Uri
import java.io.File

fun String.toUri(): Uri = Uri.parse(this)

fun File.toUri(): Uri = Uri.fromFile(this)

fun Uri.toFile(): File = TODO()
