package edge.core

/** Real numbers to stored integers and back, as the runner of edge_sdk computes it on boards. */
object Quantizer {
    /**
     * Stored integers: real / scale in float32, rounded half away from zero, plus the zero point, clipped.
     *
     * @param stored as long as [real]; int8, or uint8 where [unsigned].
     */
    fun quantize(real: FloatArray, stored: ByteArray, quantization: Quantization, unsigned: Boolean = false) {
        val low = if (unsigned) 0 else Byte.MIN_VALUE.toInt()
        val high = if (unsigned) 255 else Byte.MAX_VALUE.toInt()
        requireSize(real.size, stored.size)
        for (index in real.indices) {
            stored[index] = integer(real[index], quantization, low.toLong(), high.toLong()).toByte()
        }
    }

    /** The same for tensors of 32-bit integers. */
    fun quantize(real: FloatArray, stored: IntArray, quantization: Quantization) {
        requireSize(real.size, stored.size)
        for (index in real.indices) {
            stored[index] =
                integer(real[index], quantization, Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong()).toInt()
        }
    }

    /** Real numbers: scale * (stored - zero point), in float32. */
    fun dequantize(stored: ByteArray, real: FloatArray, quantization: Quantization, unsigned: Boolean = false) {
        requireSize(stored.size, real.size)
        val mask = if (unsigned) 0xFF else -1
        for (index in stored.indices) {
            val value = stored[index].toInt() and mask
            real[index] = quantization.scale * (value - quantization.zeroPoint).toFloat()
        }
    }

    /** The same for tensors of 32-bit integers. */
    fun dequantize(stored: IntArray, real: FloatArray, quantization: Quantization) {
        requireSize(stored.size, real.size)
        for (index in stored.indices) {
            real[index] = quantization.scale * (stored[index] - quantization.zeroPoint).toFloat()
        }
    }

    /**
     * What the file takes for an input: the tensor itself where nothing is converted, else [scratch], filled.
     *
     * @param scratch `Tensor.zeros(spec.storedType, spec.shape)`, made once.
     */
    fun toStored(tensor: Tensor, spec: TensorSpec, scratch: Tensor): Tensor {
        val quantization = spec.quantization ?: return unchanged(tensor, spec)
        when (scratch) {
            is Tensor.Bytes -> quantize(tensor.floats(), scratch.values, quantization, scratch.unsigned)
            is Tensor.Ints -> quantize(tensor.floats(), scratch.values, quantization)
            else -> throw impossible(spec)
        }
        return scratch
    }

    /**
     * What an output of the file means: the tensor itself where nothing is converted, else [scratch], filled.
     *
     * @param scratch `Tensor.zeros(spec.type, spec.shape)`.
     */
    fun fromStored(stored: Tensor, spec: TensorSpec, scratch: Tensor): Tensor {
        val quantization = spec.quantization ?: return unchanged(stored, spec)
        when (stored) {
            is Tensor.Bytes -> dequantize(stored.values, scratch.floats(), quantization, stored.unsigned)
            is Tensor.Ints -> dequantize(stored.values, scratch.floats(), quantization)
            else -> throw impossible(spec)
        }
        return scratch
    }

    private fun unchanged(tensor: Tensor, spec: TensorSpec): Tensor =
        if (spec.type == spec.storedType) tensor else throw impossible(spec)

    private fun impossible(spec: TensorSpec) =
        ModelError(
            "tensor ${spec.name} is ${spec.type.contractName}, and stored as ${spec.storedType.contractName}",
            "make the project anew with edge scaffold update",
        )

    private fun integer(real: Float, quantization: Quantization, low: Long, high: Long): Long {
        val scaled = real / quantization.scale
        if (scaled.isNaN()) {
            throw ModelError("there is NaN among the values", "an integer tensor cannot hold it")
        }
        val room = (high - low + 1).toFloat()
        val clipped = scaled.coerceIn(-room, room)
        // Truncation and the difference are exact, so a value just below one half is not lifted to it.
        val whole = clipped.toLong()
        val rest = clipped - whole.toFloat()
        val rounded = whole + (if (rest >= 0.5f) 1 else 0) - (if (rest <= -0.5f) 1 else 0)
        return (rounded + quantization.zeroPoint).coerceIn(low, high)
    }

    private fun requireSize(given: Int, room: Int) {
        if (given != room) throw ModelError("$given values do not fit a tensor of $room", "give as many as the model takes")
    }
}
