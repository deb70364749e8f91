package edge.core

/** Numbers with a shape. The array is not copied. */
sealed class Tensor {
    abstract val shape: List<Int>
    abstract val type: ElementType

    /** How many values the array holds. */
    abstract val size: Int

    /** The value at a flat index as a real number. */
    abstract fun real(index: Int): Double

    class Floats(val values: FloatArray, override val shape: List<Int>) : Tensor() {
        override val type get() = ElementType.FLOAT32
        override val size get() = values.size

        override fun real(index: Int): Double = values[index].toDouble()
    }

    /** int8, or uint8 whose bytes are to be read without sign. */
    class Bytes(
        val values: ByteArray,
        override val shape: List<Int>,
        val unsigned: Boolean = false,
    ) : Tensor() {
        override val type get() = if (unsigned) ElementType.UINT8 else ElementType.INT8
        override val size get() = values.size

        override fun real(index: Int): Double = integer(index).toDouble()

        fun integer(index: Int): Int = if (unsigned) values[index].toInt() and 0xFF else values[index].toInt()
    }

    class Ints(val values: IntArray, override val shape: List<Int>) : Tensor() {
        override val type get() = ElementType.INT32
        override val size get() = values.size

        override fun real(index: Int): Double = values[index].toDouble()
    }

    class Longs(val values: LongArray, override val shape: List<Int>) : Tensor() {
        override val type get() = ElementType.INT64
        override val size get() = values.size

        override fun real(index: Int): Double = values[index].toDouble()
    }

    class Booleans(val values: BooleanArray, override val shape: List<Int>) : Tensor() {
        override val type get() = ElementType.BOOL
        override val size get() = values.size

        override fun real(index: Int): Double = if (values[index]) 1.0 else 0.0
    }

    /** The array of a float tensor. */
    fun floats(): FloatArray =
        (this as? Floats)?.values
            ?: throw ModelError("the tensor holds ${type.contractName}, not float32", "read it by its own type")

    /** The values as real numbers: the array itself of a float tensor, else a new one. */
    fun toFloats(): FloatArray = (this as? Floats)?.values ?: FloatArray(size) { real(it).toFloat() }

    companion object {
        /** A tensor of zeros. */
        fun zeros(type: ElementType, shape: List<Int>): Tensor {
            val size = shape.fold(1) { product, length -> Math.multiplyExact(product, length) }
            return when (type) {
                ElementType.FLOAT32 -> Floats(FloatArray(size), shape)
                ElementType.INT8 -> Bytes(ByteArray(size), shape)
                ElementType.UINT8 -> Bytes(ByteArray(size), shape, unsigned = true)
                ElementType.INT32 -> Ints(IntArray(size), shape)
                ElementType.INT64 -> Longs(LongArray(size), shape)
                ElementType.BOOL -> Booleans(BooleanArray(size), shape)
            }
        }

        /** Checks names, types, shapes and sizes before anything native sees them. */
        fun check(given: Map<String, Tensor>, specs: List<TensorSpec>) {
            val expected = specs.joinToString { it.toString() }
            for (name in given.keys) {
                if (specs.none { it.name == name }) {
                    throw ModelError("the model has no input called $name", "it takes $expected")
                }
            }
            for (spec in specs) {
                val tensor = given[spec.name] ?: throw ModelError("input ${spec.name} is missing", "the model takes $expected")
                if (tensor.type != spec.type || tensor.shape != spec.shape || tensor.size != spec.size) {
                    throw ModelError(
                        "input ${spec.name} is ${tensor.type.contractName}${tensor.shape} with ${tensor.size} values",
                        "expected ${spec.type.contractName}${spec.shape} with ${spec.size}",
                    )
                }
            }
        }
    }
}
