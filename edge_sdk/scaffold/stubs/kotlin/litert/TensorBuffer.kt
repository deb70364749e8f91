// Stub of com.google.ai.edge.litert:litert 2.3.0
package com.google.ai.edge.litert

class TensorBuffer internal constructor(handle: Long) : JniHandle(handle) {
    @Throws(LiteRtException::class)
    fun writeInt(data: IntArray): Unit = TODO()

    @Throws(LiteRtException::class)
    fun writeFloat(data: FloatArray): Unit = TODO()

    @Throws(LiteRtException::class)
    fun writeInt8(data: ByteArray): Unit = TODO()

    @Throws(LiteRtException::class)
    fun writeBoolean(data: BooleanArray): Unit = TODO()

    @Throws(LiteRtException::class)
    fun writeLong(data: LongArray): Unit = TODO()

    @Throws(LiteRtException::class)
    fun readInt(): IntArray = TODO()

    @Throws(LiteRtException::class)
    fun readFloat(): FloatArray = TODO()

    @Throws(LiteRtException::class)
    fun readInt8(): ByteArray = TODO()

    @Throws(LiteRtException::class)
    fun readBoolean(): BooleanArray = TODO()

    @Throws(LiteRtException::class)
    fun readLong(): LongArray = TODO()

    override fun destroy(): Unit = TODO()
}

enum class TensorBufferType {
    Unknown,
    HostMemory,
    Ahwb,
    Ion,
    DmaBuf,
    FastRpc,
    GlBuffer,
    GlTexture,
    OpenClBuffer,
    OpenClBufferFp16,
    OpenClTexture,
    OpenClTextureFp16,
    OpenClBufferPacked,
    OpenClImageBuffer,
    OpenClImageBufferFp16,
    WebGpuBuffer,
    WebGpuBufferFp16,
    WebGpuTexture,
    WebGpuTextureFp16,
    WebGpuImageBuffer,
    WebGpuImageBufferFp16,
    WebGpuBufferPacked,
    VulkanBuffer,
    VulkanBufferFp16,
    VulkanTexture,
    VulkanTextureFp16,
    VulkanImageBuffer,
    VulkanImageBufferFp16,
    VulkanBufferPacked;

    companion object {
        fun of(type: Int): TensorBufferType = TODO()
    }
}

data class TensorBufferRequirements(
    val supportedTypes: List<TensorBufferType>,
    val bufferSize: Int,
    val strides: List<Int>,
) {
    constructor(supportedTypes: IntArray, bufferSize: Int, strides: IntArray) :
        this(supportedTypes.map(TensorBufferType::of), bufferSize, strides.toList())
}

data class TensorType @JvmOverloads constructor(val elementType: ElementType, val layout: Layout? = null) {
    enum class ElementType { INT, FLOAT, INT8, BOOLEAN, INT64 }

    data class Layout @JvmOverloads constructor(val dimensions: List<Int>, val strides: List<Int> = listOf()) {
        @JvmOverloads
        constructor(dimensions: IntArray, strides: IntArray = intArrayOf()) :
            this(dimensions.toList(), strides.toList())

        val rank: Int get() = TODO()
        val hasStrides: Boolean get() = TODO()
    }
}
