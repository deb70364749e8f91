// Stands in for the interpreter of LiteRT 1 on computers that are no phones: the same names, one small model, and
// what a test wants. The model adds: its graph takes k, then x, and gives the sum, then the difference.
package org.tensorflow.lite

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.util.concurrent.CopyOnWriteArrayList

/** What there is, and what happened. */
object Device {
    var gpu = false
    var inputs = listOf("k", "x")
    var outputs = listOf("sum", "difference")
    val told = CopyOnWriteArrayList<String>()

    fun reset() {
        gpu = false
        inputs = listOf("k", "x")
        outputs = listOf("sum", "difference")
        told.clear()
    }
}

interface Delegate : AutoCloseable

class Tensor(
    private val name: String,
    private val index: Int,
    private val bytes: Int,
) {
    fun name(): String = "graph_$name:0"

    fun index(): Int = index

    fun numBytes(): Int = bytes
}

class Interpreter(model: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        val delegates = ArrayList<Delegate>()

        fun setNumThreads(numThreads: Int): Options = also { check(numThreads > 0) }

        fun addDelegate(delegate: Delegate): Options = also { delegates += delegate }
    }

    init {
        require(model.get(0) == 'm'.code.toByte()) { "ByteBuffer is not a valid TensorFlow Lite model flatbuffer" }
        Device.told += "opened with ${options.delegates.size} delegates"
    }

    val inputTensorCount: Int get() = Device.inputs.size
    val outputTensorCount: Int get() = Device.outputs.size

    fun getInputTensor(inputIndex: Int): Tensor = Tensor(Device.inputs[inputIndex], 10 - inputIndex, 8)

    fun getOutputTensor(outputIndex: Int): Tensor = Tensor(Device.outputs[outputIndex], 20 - outputIndex, 8)

    fun getInputTensorFromSignature(inputName: String, signatureKey: String): Tensor =
        named(Device.inputs, inputName, signatureKey, ::getInputTensor)

    fun getOutputTensorFromSignature(outputName: String, signatureKey: String): Tensor =
        named(Device.outputs, outputName, signatureKey, ::getOutputTensor)

    fun run(input: Any, output: Any) {
        Device.told += "run"
        compute(arrayOf(input), mapOf(0 to output))
    }

    fun runForMultipleInputsOutputs(inputs: Array<Any>, outputs: Map<Int, Any>) {
        Device.told += "runForMultipleInputsOutputs"
        compute(inputs, outputs)
    }

    override fun close() {
        Device.told += "interpreter closes"
    }

    private fun compute(inputs: Array<Any>, outputs: Map<Int, Any>) {
        require(inputs.size == Device.inputs.size) { "Invalid inputs" }
        val given = inputs.map { floats(it) }
        val results = listOf(given.last().get(0) + given[0].get(0), given.last().get(0) - given[0].get(0))
        for ((place, output) in outputs) floats(output).put(0, results[place])
    }

    private fun floats(value: Any): FloatBuffer {
        val bytes = value as ByteBuffer
        require(bytes.isDirect && bytes.order() == ByteOrder.nativeOrder() && bytes.position() == 0 && bytes.remaining() == 8)
        return bytes.asFloatBuffer()
    }

    private fun named(names: List<String>, name: String, signature: String, at: (Int) -> Tensor): Tensor {
        require(signature == "serve" && name in names) { "Invalid tensor name $name" }
        return at(names.indexOf(name))
    }
}
