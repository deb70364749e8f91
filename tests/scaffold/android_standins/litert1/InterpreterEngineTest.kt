package edge.runtime

import android.content.ContextWrapper
import edge.core.Accelerator
import edge.core.ElementType
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.Tensor
import edge.core.TensorSpec
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.tensorflow.lite.Device

/** The engine of the interpreter, with a stand-in for it; the model's file is mapped for real. */
class InterpreterEngineTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val given = mapOf("first" to floats(5f), "second" to floats(2f))

    private fun floats(value: Float) = Tensor.Floats(floatArrayOf(value, 0f), listOf(2))

    private fun facts(signature: String, inputs: Map<String, String>, outputs: Map<String, String>, size: Int = 2): ModelFacts {
        fun specs(names: Map<String, String>) = names.map { (name, stored) -> TensorSpec(name, ElementType.FLOAT32, listOf(size), stored) }
        return ModelFacts("m", "1", "v", "m.tflite", "0", 1, signature, specs(inputs), specs(outputs))
    }

    private val both =
        facts("serve", mapOf("first" to "x", "second" to "k"), mapOf("difference" to "difference", "sum" to "sum"))

    private fun backend(facts: ModelFacts, content: String = "model"): Backend {
        val file = folder.newFile().apply { writeText(content) }
        return Backend.open(ContextWrapper(null), facts, ModelSource.Stored(file))
    }

    @Before
    fun reset() = Device.reset()

    @Test
    fun namesOfASignatureFindTheirPlaces() {
        val out = backend(both).engine(Accelerator.CPU).run(given)
        assertArrayEquals(floatArrayOf(3f, 0f), out.getValue("difference").floats(), 0f)
        assertArrayEquals(floatArrayOf(7f, 0f), out.getValue("sum").floats(), 0f)
        assertTrue("runForMultipleInputsOutputs" in Device.told)
    }

    @Test
    fun withoutASignatureNamesAreThoseOfTheGraph() {
        val graph =
            facts("", mapOf("first" to "graph_x:0", "second" to "graph_k:0"), mapOf("difference" to "graph_difference:0"))
        assertEquals(3f, backend(graph).engine(Accelerator.CPU).run(given).getValue("difference").floats()[0])
    }

    @Test
    fun oneInputAndOneOutputTakeTheShortCall() {
        Device.inputs = listOf("x")
        Device.outputs = listOf("sum")
        val one = facts("serve", mapOf("first" to "x"), mapOf("sum" to "sum"))
        val engine = backend(one).engine(Accelerator.CPU)
        repeat(2) { assertEquals(10f, engine.run(mapOf("first" to floats(5f))).getValue("sum").floats()[0]) }
        assertEquals(listOf("opened with 0 delegates", "run", "run"), Device.told)
    }

    @Test
    fun theGpuIsTakenWhereItIsKnown() {
        val failure = assertThrows(ModelError::class.java) { backend(both).engine(Accelerator.GPU_CPU) }
        assertTrue(failure.reason, "not on the list" in failure.reason)
        Device.gpu = true
        Device.told.clear()
        backend(both).engine(Accelerator.GPU_CPU).close()
        assertEquals(
            listOf("list closes", "opened with 1 delegates", "interpreter closes", "delegate closes, of Options"),
            Device.told,
        )
        assertThrows(ModelError::class.java) { backend(both).engine(Accelerator.NPU) }
    }

    @Test
    fun whatDoesNotFitIsClosedAgain() {
        val unknown = facts("serve", mapOf("first" to "x", "second" to "k"), mapOf("sum" to "product"))
        val larger = facts("serve", mapOf("first" to "x", "second" to "k"), mapOf("sum" to "sum"), size = 3)
        val nameless = facts("", mapOf("first" to "x", "second" to "k"), mapOf("sum" to "sum"))
        for ((wrong, said) in mapOf(unknown to "Invalid tensor name", larger to "has 8 bytes, expected 12", nameless to "main graph")) {
            Device.told.clear()
            val failure = assertThrows(ModelError::class.java) { backend(wrong).engine(Accelerator.CPU) }
            assertTrue(failure.reason, said in failure.reason)
            assertEquals("interpreter closes", Device.told.last())
        }
    }

    @Test
    fun aFileThatIsNoModelIsSaid() {
        val failure = assertThrows(ModelError::class.java) { backend(both, content = "x").engine(Accelerator.CPU) }
        assertTrue(failure.reason, "not a valid" in failure.reason)
    }

    @Test
    fun anAssetIsMappedWhereItBegins() {
        System.setProperty("edge.assets", folder.root.path)
        folder.newFile("m.tflite").writeText("?".repeat(100) + "model")
        val asset = Backend.open(ContextWrapper(null), both, ModelSource.Asset("m.tflite"))
        assertEquals(7f, asset.engine(Accelerator.CPU).run(given).getValue("sum").floats()[0])
        val mapped = loadModelFile(ContextWrapper(null).assets, ModelSource.Asset("m.tflite"))
        assertEquals("model", Charsets.UTF_8.decode(mapped).toString())
        assertThrows(ModelError::class.java) { Backend.open(ContextWrapper(null), both, ModelSource.Asset("gone.tflite")) }
    }
}
