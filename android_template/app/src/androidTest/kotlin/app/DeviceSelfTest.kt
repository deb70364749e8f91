package [[ options.application_id ]]

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.filters.LargeTest
import androidx.test.platform.app.InstrumentationRegistry
import edge.core.Accelerator
import edge.core.GoldenCheck
import edge.core.ModelError
import edge.core.ModelRunning
import edge.core.generated.ModelSpec
import edge.runtime.Models
import edge.runtime.SelfTest
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.AssumptionViolatedException
import org.junit.Test
import org.junit.runner.RunWith

/** Whether each accelerator of this device computes what the host computed, and which one the app would take. */
@RunWith(AndroidJUnit4::class)
@LargeTest
class DeviceSelfTest {
    private val context = InstrumentationRegistry.getInstrumentation().targetContext
    private val vectors = SelfTest.vectors(context)

    @Test
    fun stepsAroundTheModel() = assertEquals(emptyList<String>(), GoldenCheck.steps(vectors, ModelSpec))

    @Test
    fun npu() = compare(Accelerator.NPU)

    @Test
    fun gpuAlone() = compare(Accelerator.GPU)

    @Test
    fun gpuAndCpu() = compare(Accelerator.GPU_CPU)

    @Test
    fun cpu() = compare(Accelerator.CPU)

    @Test
    fun theLadderFindsAnAcceleratorThatIsRight() = runBlocking { check(Models.open(context)) }

    /** Only the CPU has to run: what a device lacks is skipped, what is wrong fails. */
    private fun compare(accelerator: Accelerator) =
        runBlocking {
            val model =
                try {
                    Models.openOn(accelerator, context)
                } catch (failure: ModelError) {
                    if (accelerator == Accelerator.CPU) throw failure
                    throw AssumptionViolatedException("${accelerator.key}: ${failure.message}", failure)
                }
            check(model)
        }

    private suspend fun check(model: ModelRunning) =
        model.use {
            println("${it.report.accelerator.key}, ${it.report.runtime}: ${it.report.lines.joinToString("; ")}")
            assertEquals(emptyList<String>(), SelfTest.problems(vectors, it))
        }
}
