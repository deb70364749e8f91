// Stands in for assets of an APK: files of a folder, each of which begins with bytes that are not the asset's.
package android.content.res

import java.io.File
import java.io.FileDescriptor
import java.io.FileInputStream

class AssetManager {
    fun openFd(fileName: String): AssetFileDescriptor = AssetFileDescriptor(File(System.getProperty("edge.assets"), fileName))
}

class AssetFileDescriptor(private val file: File) : java.io.Closeable {
    private val stream = FileInputStream(file)

    fun getFileDescriptor(): FileDescriptor = stream.fd

    fun getStartOffset(): Long = BEFORE

    fun getDeclaredLength(): Long = file.length() - BEFORE

    override fun close() = stream.close()

    private companion object {
        const val BEFORE = 100L
    }
}
