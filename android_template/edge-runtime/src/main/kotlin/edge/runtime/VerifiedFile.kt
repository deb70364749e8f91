package edge.runtime

import edge.core.ModelError
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.InputStream
import java.security.MessageDigest

/** A file that is there with one content, or not at all. */
internal class VerifiedFile(
    val file: File,
    private val sha256: String,
    private val size: Long,
) {
    /** Whether it is there. Its content was checked when it came. */
    val isThere: Boolean get() = file.length() == size && size > 0

    /**
     * Takes its content from a stream, and lets go of all other files beside it. One call at a time.
     *
     * @param progress is called now and then with the bytes that came; what it throws ends this.
     * @throws ModelError the content is another one.
     * @throws IOException it cannot be read or written.
     */
    fun take(stream: InputStream, progress: (Long) -> Unit = {}) {
        val folder = file.absoluteFile.parentFile ?: throw IOException("$file has no folder")
        if (!folder.isDirectory && !folder.mkdirs()) throw IOException("$folder cannot be made")
        // Always the same name: what a process that was ended left behind is written over.
        val part = File(folder, "${file.name}.part")
        try {
            copy(stream, part, progress)
            if (!part.renameTo(file)) throw IOException("$part cannot become $file")
            folder.listFiles().orEmpty().filter { it.name != file.name }.forEach { it.delete() }
        } finally {
            part.delete()
        }
    }

    private fun copy(stream: InputStream, part: File, progress: (Long) -> Unit) {
        val digest = MessageDigest.getInstance("SHA-256")
        val buffer = ByteArray(BUFFER)
        var total = 0L
        FileOutputStream(part).use { out ->
            while (true) {
                val count = stream.read(buffer)
                if (count < 0) break
                total += count
                if (total > size) throw foreign("more than the $size bytes that were expected")
                digest.update(buffer, 0, count)
                out.write(buffer, 0, count)
                progress(total)
            }
            out.fd.sync()
        }
        val found = digest.digest().joinToString("") { byte -> "%02x".format(byte) }
        if (found != sha256) throw foreign("$total bytes with SHA-256 $found, expected $size with $sha256")
    }

    private fun foreign(found: String) =
        ModelError("what was fetched is not this app's model: $found", "put the model of this version of the app on the server")

    private companion object {
        const val BUFFER = 1 shl 16
    }
}
