// Stub of com.google.ai.edge.litert:litert 2.3.0
package com.google.ai.edge.litert

import android.content.Context

enum class Accelerator(val value: Int) {
    NONE(0),
    CPU(1),
    GPU(2),
    NPU(3),
}

abstract class JniHandle internal constructor(internal val handle: Long) : AutoCloseable {
    protected fun assertNotDestroyed(): Unit = TODO()

    protected abstract fun destroy()

    final override fun close(): Unit = TODO()
}

class Environment private constructor(handle: Long) : JniHandle(handle) {
    enum class Option(val value: Int) {
        CompilerPluginLibraryDir(0),
        DispatchLibraryDir(1),
    }

    @Throws(LiteRtException::class)
    fun getAvailableAccelerators(): Set<Accelerator> = TODO()

    override fun destroy(): Unit = TODO()

    companion object {
        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(
            context: Context,
            options: Map<Option, String> = mapOf(),
            enableCompilerCache: Boolean = true,
        ): Environment = TODO()

        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(options: Map<Option, String> = mapOf()): Environment = TODO()

        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(
            context: Context,
            npuAcceleratorProvider: NpuAcceleratorProvider,
            options: Map<Option, String> = mapOf(),
            enableCompilerCache: Boolean = true,
        ): Environment = TODO()

        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(
            npuAcceleratorProvider: NpuAcceleratorProvider,
            options: Map<Option, String> = mapOf(),
        ): Environment = TODO()
    }
}

interface NpuCompatibilityChecker {
    fun isDeviceSupported(): Boolean

    companion object {
        val Qualcomm: NpuCompatibilityChecker get() = TODO()
        val Mediatek: NpuCompatibilityChecker get() = TODO()
        val GoogleTensor: NpuCompatibilityChecker get() = TODO()
        val Default: NpuCompatibilityChecker get() = TODO()
    }
}

interface NpuAcceleratorProvider {
    fun isDeviceSupported(): Boolean

    fun isLibraryReady(): Boolean

    suspend fun downloadLibrary()

    fun getLibraryDir(): String
}

class BuiltinNpuAcceleratorProvider @JvmOverloads constructor(
    context: Context,
    npuCompatibilityChecker: NpuCompatibilityChecker = NpuCompatibilityChecker.Default,
) : NpuAcceleratorProvider {
    override fun isDeviceSupported(): Boolean = TODO()

    override fun isLibraryReady(): Boolean = TODO()

    override suspend fun downloadLibrary(): Unit = TODO()

    override fun getLibraryDir(): String = TODO()
}
