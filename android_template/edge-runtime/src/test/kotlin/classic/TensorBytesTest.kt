package edge.runtime

import edge.core.ElementType
import edge.core.Quantization
import edge.core.Tensor
import edge.core.TensorSpec
import java.nio.ByteOrder
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotSame
import org.junit.Test

/** What goes into the bytes of the interpreter comes out of them. */
class TensorBytesTest {
    private val shape = listOf(1, 3)

    private fun bytes(type: ElementType, stored: ElementType = type, quantization: Quantization? = null) =
        TensorBytes(TensorSpec("x", type, shape, storedType = stored, quantization = quantization), 0)

    @Test
    fun everyTypeComesBack() {
        val tensors =
            listOf(
                Tensor.Floats(floatArrayOf(0.5f, Float.NEGATIVE_INFINITY, -0f), shape),
                Tensor.Bytes(byteArrayOf(-128, 0, 127), shape),
                Tensor.Bytes(byteArrayOf(-1, 0, 127), shape, unsigned = true),
                Tensor.Ints(intArrayOf(Int.MIN_VALUE, 0, 7), shape),
                Tensor.Longs(longArrayOf(Long.MIN_VALUE, 0, 7), shape),
                Tensor.Booleans(booleanArrayOf(true, false, true), shape),
            )
        for (tensor in tensors) {
            val room = bytes(tensor.type)
            repeat(2) {
                room.write(tensor)
                assertEquals(0, room.bytes.position())
                val back = room.read()
                assertEquals(tensor.type, back.type)
                assertEquals(shape, back.shape)
                for (index in 0 until tensor.size) assertEquals(tensor.real(index), back.real(index), 0.0)
            }
        }
    }

    @Test
    fun bytesAreInTheOrderOfTheMachine() {
        val room = bytes(ElementType.INT32)
        room.write(Tensor.Ints(intArrayOf(1, 2, 3), shape))
        assertEquals(1, room.bytes.get(if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) 0 else 3).toInt())
        assertEquals(12, room.bytes.capacity())
    }

    @Test
    fun realNumbersAreStoredAsIntegers() {
        val room = bytes(ElementType.FLOAT32, ElementType.UINT8, Quantization(0.5f, 10))
        room.write(Tensor.Floats(floatArrayOf(-100f, 1f, 100f), shape))
        assertArrayEquals(byteArrayOf(0, 12, -46), ByteArray(3) { room.bytes.get(it) })
        assertArrayEquals(floatArrayOf(-5f, 1f, 100f), room.read().toFloats(), 0f)
    }

    @Test
    fun eachReadHasArraysOfItsOwn() {
        for (room in listOf(bytes(ElementType.FLOAT32), bytes(ElementType.FLOAT32, ElementType.INT8, Quantization(1f, 0)))) {
            assertNotSame(room.read().toFloats(), room.read().toFloats())
        }
    }
}
