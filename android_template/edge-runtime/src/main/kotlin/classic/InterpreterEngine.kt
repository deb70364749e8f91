package edge.runtime

import edge.core.ElementType
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.Quantizer
import edge.core.Tensor
import edge.core.TensorSpec
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor as Native

/** An interpreter and its buffers, which are made once. Owns the interpreter and its delegate. */
internal class InterpreterEngine(
    private val facts: ModelFacts,
    private val interpreter: Interpreter,
    private val delegate: AutoCloseable?,
) : Engine {
    private val inputs: List<TensorBytes>
    private val outputs: List<TensorBytes>

    init {
        try {
            inputs = facts.inputs.map { place(it, interpreter.inputTensorCount, ::inputAt, ::inputNamed) }
            outputs = facts.outputs.map { place(it, interpreter.outputTensorCount, ::outputAt, ::outputNamed) }
        } catch (failure: Throwable) {
            closeAll(owned(), failure)
            throw failure
        }
    }

    override fun run(inputs: Map<String, Tensor>): Map<String, Tensor> =
        translated("the model cannot run") {
            for (slot in this.inputs) slot.write(inputs.getValue(slot.spec.name))
            for (slot in outputs) slot.rewind()
            if (this.inputs.size == 1 && outputs.size == 1) {
                interpreter.run(this.inputs[0].bytes, outputs[0].bytes)
            } else {
                val ordered = this.inputs.sortedBy { it.place }.map { it.bytes }.toTypedArray<Any>()
                interpreter.runForMultipleInputsOutputs(ordered, outputs.associate { it.place to it.bytes })
            }
            outputs.associate { it.spec.name to it.read() }
        }

    override fun close() = closeAll(owned())

    private fun owned(): List<AutoCloseable> = listOfNotNull(interpreter, delegate)

    /** Finds where a tensor stands: names of a signature are not those of the graph, but mean the same tensors. */
    private fun place(spec: TensorSpec, count: Int, at: (Int) -> Native, named: (String) -> Native): TensorBytes {
        val place =
            if (facts.signature.isEmpty()) {
                (0 until count).firstOrNull { at(it).name() == spec.storedName }
            } else {
                val wanted = named(spec.storedName).index()
                (0 until count).firstOrNull { at(it).index() == wanted }
            }
        if (place == null) {
            throw ModelError(
                "tensor ${spec.storedName} is not in the model's main graph",
                "make the project with --runtime litert, which calls any signature",
            )
        }
        val slot = TensorBytes(spec, place)
        if (at(place).numBytes() != slot.bytes.capacity()) {
            throw ModelError(
                "tensor ${spec.storedName} has ${at(place).numBytes()} bytes, expected ${slot.bytes.capacity()}",
                "run edge scaffold update with the model's bundle",
            )
        }
        return slot
    }

    private fun inputAt(index: Int) = interpreter.getInputTensor(index)

    private fun outputAt(index: Int) = interpreter.getOutputTensor(index)

    private fun inputNamed(name: String) = interpreter.getInputTensorFromSignature(name, facts.signature)

    private fun outputNamed(name: String) = interpreter.getOutputTensorFromSignature(name, facts.signature)
}

/** One tensor of the interpreter as bytes outside of the heap, in the order of the machine. */
internal class TensorBytes(
    val spec: TensorSpec,
    val place: Int,
) {
    val bytes: ByteBuffer = ByteBuffer.allocateDirect(spec.size * spec.storedType.width).order(ByteOrder.nativeOrder())

    /** Integers of a quantized tensor. */
    private val integers = spec.quantization?.let { Tensor.zeros(spec.storedType, spec.shape) }

    /** Back to the first byte, as a Buffer: Android 7 to 9 have no rewind of ByteBuffer's own. */
    fun rewind() {
        start(bytes)
    }

    /** Takes a value of the contract's type. */
    fun write(tensor: Tensor) {
        rewind()
        when (val stored = integers?.let { Quantizer.toStored(tensor, spec, it) } ?: tensor) {
            is Tensor.Floats -> bytes.asFloatBuffer().put(stored.values)
            is Tensor.Bytes -> bytes.put(stored.values)
            is Tensor.Ints -> bytes.asIntBuffer().put(stored.values)
            is Tensor.Longs -> bytes.asLongBuffer().put(stored.values)
            is Tensor.Booleans -> for (index in stored.values.indices) bytes.put(index, if (stored.values[index]) 1 else 0)
        }
        rewind()
    }

    /** Gives a value of the contract's type, in arrays of its own. */
    fun read(): Tensor {
        rewind()
        val out = integers ?: Tensor.zeros(spec.storedType, spec.shape)
        when (out) {
            is Tensor.Floats -> bytes.asFloatBuffer().get(out.values)
            is Tensor.Bytes -> bytes.get(out.values)
            is Tensor.Ints -> bytes.asIntBuffer().get(out.values)
            is Tensor.Longs -> bytes.asLongBuffer().get(out.values)
            is Tensor.Booleans -> for (index in out.values.indices) out.values[index] = bytes.get(index) != 0.toByte()
        }
        if (spec.quantization == null) return out
        return Quantizer.fromStored(out, spec, Tensor.zeros(spec.type, spec.shape))
    }
}

private fun start(buffer: Buffer) {
    buffer.rewind()
}

private val ElementType.width: Int
    get() =
        when (this) {
            ElementType.FLOAT32, ElementType.INT32 -> 4
            ElementType.INT64 -> 8
            ElementType.INT8, ElementType.UINT8, ElementType.BOOL -> 1
        }
