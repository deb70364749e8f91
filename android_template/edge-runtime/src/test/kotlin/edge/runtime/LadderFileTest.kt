package edge.runtime

import java.io.File
import java.io.IOException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class LadderFileTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun whatWasWrittenIsRead() {
        val file = File(folder.root, "edge/ladder.txt")
        assertNull(LadderFile(file).read())
        LadderFile(file).write("one")
        LadderFile(file).write("two\nlines")
        assertEquals("two\nlines", LadderFile(file).read())
        assertEquals(listOf("ladder.txt"), file.parentFile?.list()?.toList())
    }

    @Test
    fun aPlaceThatCannotBeWrittenIsAnError() {
        val blocked = File(folder.newFile("blocked"), "ladder.txt")
        assertThrows(IOException::class.java) { LadderFile(blocked).write("one") }
        assertNull(LadderFile(blocked).read())
    }
}
