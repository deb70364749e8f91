package edge.core

import edge.core.generated.ModelSpec
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** What this project computes around its model, compared with what the host recorded. No device is needed. */
class GoldenVectorsTest {
    private val vectors = GoldenVectors.read(resource("/golden.json"))

    @Test
    fun everyStepAroundTheModelComputesWhatTheHostComputed() {
        assertEquals(emptyList(), GoldenCheck.steps(vectors, ModelSpec))
    }

    @Test
    fun theRecordedCasesFitTheModel() {
        assertTrue(vectors.cases.isNotEmpty(), "golden.json has no case for the model")
        for (case in vectors.cases) {
            Tensor.check(case.inputs.mapValues { it.value.tensor() }, ModelSpec.inputs)
            for ((name, tensor) in case.outputs) assertEquals(ModelSpec.output(name).shape, tensor.shape, name)
        }
    }

    @Test
    fun tolerancesAreThoseOfTheModel() {
        assertEquals(ModelSpec.goldenAtol, vectors.atol)
        assertEquals(ModelSpec.goldenRtol, vectors.rtol)
    }

    private fun resource(name: String): String =
        assertNotNull(javaClass.getResourceAsStream(name), "$name is missing").use { it.readBytes().decodeToString() }
}
