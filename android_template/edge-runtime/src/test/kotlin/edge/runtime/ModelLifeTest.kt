package edge.runtime

import edge.core.Accelerator
import edge.core.ElementType
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.ModelRunning
import edge.core.RunReport
import edge.core.Tensor
import edge.core.TensorSpec
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** When models are opened, called and closed, with an engine that only tells what happens to it. */
class ModelLifeTest {
    private val spec = TensorSpec("x", ElementType.FLOAT32, listOf(1))
    private val facts = ModelFacts("m", "1", "v", "m.tflite", "0", 1, "", listOf(spec), listOf(spec))
    private val told = CopyOnWriteArrayList<String>()
    private var opened = 0

    private inner class Telling(private val name: String) : Engine {
        override fun run(inputs: Map<String, Tensor>): Map<String, Tensor> {
            told += "$name runs on ${Thread.currentThread().name.substringBefore(' ')}"
            return inputs
        }

        override fun close() {
            told += "$name closes"
        }
    }

    private fun model(name: String = "engine"): ModelRunning =
        OpenModel(facts, RunReport(Accelerator.CPU, "none", emptyList()), Telling(name), AutoCloseable { told += "$name's backend closes" })

    private fun lazy() = LazyModel { model("engine ${++opened}") }

    private val inputs = mapOf("x" to Tensor.zeros(ElementType.FLOAT32, listOf(1)))

    /** Waits until all that was begun on the thread of models is over. */
    private suspend fun settle() = withContext(modelThread) {}

    @Test
    fun callsGoToOneThreadAndClosingHappensOnce() =
        runBlocking {
            val model = model()
            List(5) { async { model.predict(inputs) } }.awaitAll()
            model.close()
            model.close()
            settle()
            assertEquals(List(5) { "engine runs on edge-model" } + listOf("engine closes", "engine's backend closes"), told)
            assertThrows(ModelError::class.java) { runBlocking { model.predict(inputs) } }
            Unit
        }

    @Test
    fun inputsThatDoNotFitNeverReachTheEngine() {
        for (wrong in listOf(emptyMap(), mapOf("y" to inputs.getValue("x")), mapOf("x" to Tensor.zeros(ElementType.INT8, listOf(1))))) {
            assertThrows(ModelError::class.java) { runBlocking { model().predict(wrong) } }
        }
        assertEquals(emptyList<String>(), told)
    }

    @Test
    fun aTrimmedModelIsOpenedAgain() =
        runBlocking {
            val lazy = lazy()
            lazy.trim()
            assertEquals(0, opened)
            lazy.use { it.predict(inputs) }
            lazy.use { it.predict(inputs) }
            assertEquals(1, opened)
            lazy.trim()
            lazy.use { it.predict(inputs) }
            settle()
            assertEquals(2, opened)
            assertTrue("engine 1 closes" in told && "engine 2 closes" !in told)
        }

    @Test
    fun aUseThatGoesOnKeepsItsModel() =
        runBlocking {
            val lazy = lazy()
            val inside = CompletableDeferred<Unit>()
            val goOn = CompletableDeferred<Unit>()
            val use =
                async {
                    lazy.use {
                        inside.complete(Unit)
                        goOn.await()
                        it.predict(inputs)
                    }
                }
            inside.await()
            lazy.trim()
            yield()
            assertEquals(emptyList<String>(), told)
            goOn.complete(Unit)
            use.await()
            settle()
            assertEquals(listOf("engine 1 runs on edge-model", "engine 1 closes", "engine 1's backend closes"), told)
        }

    @Test
    fun aClosedOneOpensNothing() {
        val lazy = lazy()
        lazy.close()
        assertThrows(ModelError::class.java) { runBlocking { lazy.use { it.predict(inputs) } } }
        assertEquals(0, opened)
    }

    @Test
    fun anEngineThatCannotWarmUpIsClosed() {
        val broken =
            object : Engine {
                override fun run(inputs: Map<String, Tensor>): Map<String, Tensor> = throw ModelError("no", "none")

                override fun close() {
                    told += "closes"
                }
            }
        assertThrows(ModelError::class.java) { broken.warmedUp(facts) }
        assertEquals(listOf("closes"), told)
    }

    @Test
    fun aModelThatNobodyWaitsForAnyMoreIsClosed() =
        runBlocking {
            val inside = CompletableDeferred<Unit>()
            val goOn = CountDownLatch(1)
            val opening =
                launch(Dispatchers.Default) {
                    madeOnModelThread {
                        inside.complete(Unit)
                        goOn.await()
                        model()
                    }
                }
            inside.await()
            opening.cancel()
            goOn.countDown()
            opening.join()
            settle()
            assertEquals(listOf("engine closes", "engine's backend closes"), told)
        }
}
