package edge.runtime

import edge.core.ModelError
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class VerifiedFileTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val content = "abc".encodeToByteArray()
    private val sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    private val models by lazy { File(folder.root, "edge/models") }
    private val file by lazy { VerifiedFile(File(models, "new.tflite"), sha256, 3) }

    @Test
    fun theRightContentReplacesAllOthers() {
        models.mkdirs()
        File(models, "old.tflite").writeText("old")
        assertFalse(file.isThere)
        file.take(ByteArrayInputStream(content))
        assertTrue(file.isThere)
        assertArrayEquals(content, file.file.readBytes())
        assertEquals(listOf("new.tflite"), models.list()?.toList())
    }

    @Test
    fun anotherContentLeavesNothing() {
        for (wrong in listOf("abd", "ab", "", "abcd")) {
            assertThrows(ModelError::class.java) { file.take(ByteArrayInputStream(wrong.encodeToByteArray())) }
        }
        assertFalse(file.isThere)
        assertEquals(emptyList<String>(), models.list()?.toList())
    }

    @Test
    fun aStreamThatBreaksOffLeavesWhatWasThere() {
        file.take(ByteArrayInputStream(content))
        val broken =
            object : InputStream() {
                override fun read(): Int = throw IOException("the connection broke")
            }
        assertThrows(IOException::class.java) { file.take(broken) }
        assertTrue(file.isThere)
    }

    @Test
    fun whoStopsItKeepsNothing() {
        val told = ArrayList<Long>()
        assertThrows(IllegalStateException::class.java) {
            file.take(ByteArrayInputStream(content)) {
                told += it
                error("the person left")
            }
        }
        assertEquals(listOf(3L), told)
        assertEquals(emptyList<String>(), models.list()?.toList())
    }

    @Test
    fun whatAnEndedProcessLeftIsWrittenOver() {
        models.mkdirs()
        File(models, "new.tflite.part").writeText("abcdefgh")
        file.take(ByteArrayInputStream(content))
        assertEquals(listOf("new.tflite"), models.list()?.toList())
        assertArrayEquals(content, file.file.readBytes())
    }

    @Test
    fun moreThanTheModelIsNotReadToItsEnd() {
        val endless =
            object : InputStream() {
                override fun read(): Int = 0
            }
        assertThrows(ModelError::class.java) { file.take(endless) }
    }
}
