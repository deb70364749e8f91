package edge.runtime

import android.content.ContextWrapper
import com.google.ai.edge.litert.Accelerator as Hardware
import com.google.ai.edge.litert.Device
import edge.core.Accelerator
import edge.core.AcceleratorLadder
import edge.core.ElementType
import edge.core.LadderStore
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.Quantization
import edge.core.Tensor
import edge.core.TensorSpec
import java.io.File
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test

/** LiteRT's engine and its ladder, with a stand-in for LiteRT. */
class LiteRtEngineTest {
    private val shape = listOf(1, 2)
    private val floats = facts(TensorSpec("in", ElementType.FLOAT32, shape, "x"), TensorSpec("out", ElementType.FLOAT32, shape, "y"))
    private val given = mapOf("in" to Tensor.Floats(floatArrayOf(1f, -2f), shape))

    private fun facts(input: TensorSpec, output: TensorSpec, signature: String = "serve") =
        ModelFacts("m", "1", "v", "m.tflite", "0", 1, signature, listOf(input), listOf(output))

    private fun backend(facts: ModelFacts = floats): Backend =
        runBlocking { Backend.open(ContextWrapper(null), facts, ModelSource.Stored(File("m.tflite"))) }

    private fun climb(backend: Backend, store: LadderStore = Memory()): AcceleratorLadder.Climb<Engine> =
        AcceleratorLadder(Accelerator.entries.filter { it in Backend.RUNGS }, "key", store).climb(
            make = { backend.engine(it).warmedUp(floats) },
            check = { engine ->
                val found = engine.run(given).getValue("out").floats()
                if (found.contentEquals(floatArrayOf(2f, -4f))) emptyList() else listOf("out is ${found.toList()}")
            },
        )

    private class Memory : LadderStore {
        private var text: String? = null

        override fun read() = text

        override fun write(text: String) {
            this.text = text
        }
    }

    private val asked: List<String> get() = Device.told.filter { " for " in it }

    @Before
    fun reset() = Device.reset()

    @Test
    fun aDeviceWithTheCpuAloneIsNotSaidToHaveMore() {
        val found = climb(backend())
        assertEquals(Accelerator.CPU, found.accelerator)
        assertEquals(listOf("npu", "gpu", "gpu_cpu", "cpu"), found.lines.map { it.substringBefore(':') })
        // NPU, and GPU with CPU, would have been the CPU in silence.
        assertEquals(listOf("m.tflite for GPU", "m.tflite for CPU"), asked)
    }

    @Test
    fun theGpuIsAskedForAlone() {
        Device.there = setOf(Hardware.CPU, Hardware.GPU)
        assertEquals(Accelerator.GPU, climb(backend()).accelerator)
        assertEquals(listOf("m.tflite for GPU"), asked)
    }

    @Test
    fun anNpuThatIsThereComesFirst() {
        Device.there = setOf(Hardware.CPU, Hardware.GPU, Hardware.NPU)
        assertEquals(Accelerator.NPU, climb(backend()).accelerator)
    }

    @Test
    fun wrongNumbersAreFoundOnceAndNotAskedForAgain() {
        Device.there = setOf(Hardware.CPU, Hardware.GPU)
        Device.wrong = setOf(Hardware.GPU)
        val store = Memory()
        val found = climb(backend(), store)
        assertEquals(Accelerator.CPU, found.accelerator)
        assertTrue(found.lines.any { it.startsWith("gpu: wrong numbers: out is [3.0, -3.0]") })
        Device.told.clear()
        assertEquals(Accelerator.CPU, climb(backend(), store).accelerator)
        assertEquals(listOf("m.tflite for CPU"), asked)
    }

    @Test
    fun allIsClosedInItsOrder() {
        val backend = backend()
        val engine = backend.engine(Accelerator.CPU)
        Device.told.clear()
        closeAll(listOf(engine, backend))
        assertEquals(listOf("x closes", "y closes", "model closes", "environment closes"), Device.told)
    }

    @Test
    fun aModelWithAnotherSignatureIsClosedAgain() {
        val other = facts(floats.inputs[0], TensorSpec("out", ElementType.FLOAT32, shape, "z"))
        val failure = assertThrows(ModelError::class.java) { backend(other).engine(Accelerator.CPU) }
        assertTrue(failure.reason, "Failed to find z" in failure.reason)
        assertEquals(listOf("x closes", "model closes"), Device.told.filter { "closes" in it })
    }

    @Test
    fun quantizedTensorsAreConverted() {
        val rule = Quantization(0.5f, 10)
        val int8 =
            facts(
                TensorSpec("in", ElementType.FLOAT32, shape, "x", ElementType.INT8, rule),
                TensorSpec("out", ElementType.FLOAT32, shape, "y", ElementType.INT8, rule),
            )
        val engine = backend(int8).engine(Accelerator.CPU)
        val out = engine.run(mapOf("in" to Tensor.Floats(floatArrayOf(1.2f, 1000f), shape))).getValue("out").floats()
        assertArrayEquals(floatArrayOf(1f, 58.5f), out, 0f)
    }

    @Test
    fun otherTypesPassAsTheyAre() {
        for (type in ElementType.entries - ElementType.UINT8 - ElementType.FLOAT32) {
            val same = facts(TensorSpec("in", type, shape, "x"), TensorSpec("out", type, shape, "y"))
            val tensor = Tensor.zeros(type, shape)
            if (tensor is Tensor.Longs) tensor.values[1] = Long.MIN_VALUE
            val out = backend(same).engine(Accelerator.CPU).run(mapOf("in" to tensor)).getValue("out")
            assertEquals(type, out.type)
            assertEquals(tensor.real(1), out.real(1), 0.0)
        }
    }

    @Test
    fun failuresSayWhatWasTried() {
        val engine = backend().engine(Accelerator.CPU)
        Device.failsToRun = true
        val failed = assertThrows(ModelError::class.java) { engine.run(given) }
        assertEquals("the model cannot run: Failed to run", failed.reason)
        Device.failsToRun = false
        Device.shortOutput = true
        val short = assertThrows(ModelError::class.java) { engine.run(given) }
        assertEquals("output out has 1 values, expected 2", short.reason)
    }
}
