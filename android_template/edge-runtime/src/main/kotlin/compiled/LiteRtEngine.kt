package edge.runtime

import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import edge.core.ElementType
import edge.core.ModelError
import edge.core.ModelFacts
import edge.core.Quantizer
import edge.core.Tensor
import edge.core.TensorSpec

/** A compiled model and its buffers, which are made once. Owns the model. */
internal class LiteRtEngine(private val facts: ModelFacts, private val model: CompiledModel) : Engine {
    private val inputs = LinkedHashMap<String, TensorBuffer>()
    private val outputs = LinkedHashMap<String, TensorBuffer>()

    /** Integers of quantized inputs, by name. */
    private val integers =
        facts.inputs.filter { it.quantization != null }.associate { it.name to Tensor.zeros(it.storedType, it.shape) }

    init {
        try {
            for (name in facts.inputs.map { it.storedName }) inputs[name] = model.createInputBuffer(name, facts.signature)
            for (name in facts.outputs.map { it.storedName }) outputs[name] = model.createOutputBuffer(name, facts.signature)
        } catch (failure: Throwable) {
            closeAll(owned(), failure)
            throw failure
        }
    }

    override fun run(inputs: Map<String, Tensor>): Map<String, Tensor> =
        translated("the model cannot run") {
            for (spec in facts.inputs) {
                val given = inputs.getValue(spec.name)
                val stored = integers[spec.name]?.let { Quantizer.toStored(given, spec, it) } ?: given
                this.inputs.getValue(spec.storedName).write(stored)
            }
            model.run(this.inputs, outputs, facts.signature)
            facts.outputs.associate { it.name to read(it) }
        }

    override fun close() = closeAll(owned())

    private fun owned(): List<AutoCloseable> = inputs.values + outputs.values + model

    private fun TensorBuffer.write(tensor: Tensor) =
        when (tensor) {
            is Tensor.Floats -> writeFloat(tensor.values)
            is Tensor.Bytes -> writeInt8(tensor.values)
            is Tensor.Ints -> writeInt(tensor.values)
            is Tensor.Longs -> writeLong(tensor.values)
            is Tensor.Booleans -> writeBoolean(tensor.values)
        }

    /** An output in the contract's type; LiteRT gives an array of its own each time. */
    private fun read(spec: TensorSpec): Tensor {
        val buffer = outputs.getValue(spec.storedName)
        val stored =
            when (spec.storedType) {
                ElementType.FLOAT32 -> Tensor.Floats(buffer.readFloat(), spec.shape)
                ElementType.INT8 -> Tensor.Bytes(buffer.readInt8(), spec.shape)
                ElementType.INT32 -> Tensor.Ints(buffer.readInt(), spec.shape)
                ElementType.INT64 -> Tensor.Longs(buffer.readLong(), spec.shape)
                ElementType.BOOL -> Tensor.Booleans(buffer.readBoolean(), spec.shape)
                ElementType.UINT8 ->
                    throw ModelError("output ${spec.name} is uint8", "LiteRT 2 cannot read it: make the project with --runtime litert1")
            }
        if (stored.size != spec.size) {
            throw ModelError(
                "output ${spec.name} has ${stored.size} values, expected ${spec.size}",
                "run edge scaffold update with the model's bundle",
            )
        }
        if (spec.quantization == null) return stored
        return Quantizer.fromStored(stored, spec, Tensor.zeros(spec.type, spec.shape))
    }
}
