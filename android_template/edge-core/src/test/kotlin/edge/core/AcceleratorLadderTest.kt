package edge.core

import java.util.concurrent.CancellationException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class AcceleratorLadderTest {
    private class Memory(var text: String? = null) : LadderStore {
        var broken = false

        override fun read(): String? = text

        override fun write(text: String) {
            if (broken) throw java.io.IOException("disk full")
            this.text = text
        }
    }

    private class Runner(val accelerator: Accelerator) : AutoCloseable {
        var closed = false

        override fun close() {
            closed = true
        }
    }

    /** The process ends here; nothing of the app runs after it. */
    private class Death : Error()

    private val store = Memory()
    private val made = ArrayList<Runner>()
    private val checked = ArrayList<Accelerator>()

    private fun ladder(key: String = "model|runtime|system", wasLeft: Boolean = false) =
        AcceleratorLadder(Accelerator.entries, key, store, wasLeft)

    private fun make(accelerator: Accelerator): Runner = Runner(accelerator).also { made += it }

    private fun start(
        key: String = "model|runtime|system",
        wrong: Set<Accelerator> = emptySet(),
        missing: Set<Accelerator> = emptySet(),
        deadly: Set<Accelerator> = emptySet(),
        wasLeft: Boolean = false,
    ): AcceleratorLadder.Climb<Runner>? {
        made.clear()
        checked.clear()
        return try {
            ladder(key, wasLeft).climb(
                make = { rung ->
                    if (rung in missing) throw IllegalStateException("no driver")
                    if (rung in deadly) throw Death()
                    make(rung)
                },
                check = { runner ->
                    checked += runner.accelerator
                    if (runner.accelerator in wrong) listOf("0.5 is not 0.9", "more") else emptyList()
                },
            )
        } catch (_: Death) {
            null
        }
    }

    @Test
    fun theBestRungIsTakenAndCheckedOnce() {
        assertEquals(Accelerator.NPU, start()?.accelerator)
        assertEquals(listOf(Accelerator.NPU), checked)
        val again = start()
        assertEquals(Accelerator.NPU, again?.accelerator)
        assertTrue(checked.isEmpty())
        assertEquals(listOf("npu: runs, its numbers were right before"), again?.lines)
    }

    @Test
    fun wrongNumbersAreFinalForThisModelRuntimeAndSystem() {
        val first = start(wrong = setOf(Accelerator.NPU))
        assertEquals(Accelerator.GPU, first?.accelerator)
        assertEquals("npu: wrong numbers: 0.5 is not 0.9 (and 1 more)", first?.lines?.first())
        assertTrue(made.first().closed)
        repeat(20) { assertEquals(Accelerator.GPU, start()?.accelerator) }
        assertEquals(Accelerator.NPU, start(key = "another model")?.accelerator)
    }

    @Test
    fun whatCannotBeOpenedIsTriedAgainLater() {
        val first = start(missing = setOf(Accelerator.NPU))
        assertEquals("npu: failed: no driver", first?.lines?.first())
        repeat(AcceleratorLadder.PAUSE) { assertEquals(Accelerator.GPU, start()?.accelerator) }
        assertEquals(Accelerator.NPU, start()?.accelerator)
    }

    @Test
    fun aRungThatTookTheAppWithItIsLeftAlone() {
        val deadly = setOf(Accelerator.GPU)
        assertEquals(null, start(missing = setOf(Accelerator.NPU), deadly = deadly))
        val second = start(deadly = deadly)
        assertEquals(Accelerator.GPU_CPU, second?.accelerator)
        assertTrue("gpu: not tried, the app ended while it was tried" in second!!.lines)
        repeat(AcceleratorLadder.PAUSE - 1) { start(missing = setOf(Accelerator.NPU), deadly = deadly) }
        assertEquals(null, start(missing = setOf(Accelerator.NPU), deadly = deadly))
        // Each time it is left alone for twice as long.
        repeat(2 * AcceleratorLadder.PAUSE) {
            val later = start(missing = setOf(Accelerator.NPU), deadly = deadly)
            assertEquals(Accelerator.GPU_CPU, later?.accelerator)
            assertEquals("gpu: not tried, the app ended 2 times while it was tried", later!!.lines[1])
        }
        assertEquals(null, start(missing = setOf(Accelerator.NPU), deadly = deadly))
        ladder().forget()
        assertEquals(Accelerator.NPU, start()?.accelerator)
    }

    @Test
    fun howeverOftenARungDiedItIsTriedAgainAtLast() {
        var memory = LadderMemory.read(null, "k")
        repeat(40) {
            memory.trying = Accelerator.NPU
            memory = LadderMemory.read(memory.text("k"), "k")
        }
        repeat(AcceleratorLadder.LONGEST_PAUSE) {
            memory.passTime()
            assertEquals("the app ended 40 times while it was tried", memory.reasonToSkip(Accelerator.NPU))
        }
        memory.passTime()
        assertEquals(null, memory.reasonToSkip(Accelerator.NPU))
    }

    @Test
    fun anAppThatNobodySawTellsLittleOfTheRungThatWasTried() {
        val deadly = setOf(Accelerator.NPU)
        repeat(AcceleratorLadder.PATIENCE) { assertEquals(null, start(deadly = deadly, wasLeft = true)) }
        val climb = start(wasLeft = true)
        assertEquals("npu: not tried, the app ended while it was tried", climb?.lines?.first())
        // What runs after all is forgiven, and one that died before is not.
        ladder().forget()
        assertEquals(null, start(deadly = deadly))
        assertEquals(listOf("npu: runs, its numbers are right"), start(wasLeft = true)?.lines)
        assertEquals(null, start(deadly = deadly))
        assertEquals(Accelerator.GPU, start()?.accelerator)
    }

    @Test
    fun theLastRungIsAlwaysTried() {
        val others = setOf(Accelerator.NPU, Accelerator.GPU, Accelerator.GPU_CPU)
        repeat(3) { assertEquals(null, start(missing = others, deadly = setOf(Accelerator.CPU))) }
        assertEquals(Accelerator.CPU, start(missing = others)?.accelerator)
        val error = assertFailsWith<ModelError> { start(key = "k", missing = Accelerator.entries.toSet()) }
        assertTrue("cpu: failed: no driver" in error.reason)
    }

    @Test
    fun withoutAPlaceForItsMarkOnlyTheLastRungIsTried() {
        store.broken = true
        val climb = start()
        assertEquals(Accelerator.CPU, climb?.accelerator)
        assertEquals("npu: not tried, its mark could not be stored", climb?.lines?.first())
    }

    @Test
    fun aStopIsNoFailureOfTheRung() {
        assertFailsWith<CancellationException> {
            ladder().climb(make = ::make, check = { throw CancellationException("left the screen") })
        }
        assertTrue(made.single().closed)
        assertEquals(Accelerator.NPU, start()?.accelerator)
    }

    @Test
    fun aDamagedMemoryCountsAsNone() {
        for (text in listOf("", "edge-ladder 1", "rubbish\nmodel", "edge-ladder 1\nmodel|runtime|system\nnpu\n\nx y\ntrying")) {
            store.text = text
            assertEquals(Accelerator.NPU, start()?.accelerator, text)
        }
    }
}
