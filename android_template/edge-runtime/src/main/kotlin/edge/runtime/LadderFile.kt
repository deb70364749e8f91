package edge.runtime

import edge.core.LadderStore
import java.io.File
import java.io.FileOutputStream
import java.io.IOException

/** What a ladder learned, in one small file that is whole at any time. */
internal class LadderFile(private val file: File) : LadderStore {
    override fun read(): String? =
        try {
            file.readText()
        } catch (_: IOException) {
            null
        }

    override fun write(text: String) {
        file.parentFile?.mkdirs()
        val part = File(file.path + ".part")
        FileOutputStream(part).use {
            it.write(text.encodeToByteArray())
            // The next step may take the process down, and the mark must be found then.
            it.fd.sync()
        }
        if (!part.renameTo(file)) throw IOException("$part cannot become $file")
    }
}
