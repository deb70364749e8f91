// Stub of com.google.ai.edge.litert:litert 2.3.0
package com.google.ai.edge.litert

import android.content.res.AssetManager

class CompiledModel private constructor(handle: Long) : JniHandle(handle) {

    data class CpuOptions(
        val numThreads: Int? = null,
        val xnnPackFlags: Int? = null,
        val xnnPackWeightCachePath: String? = null,
    )

    data class GpuOptions(
        val constantTensorSharing: Boolean? = null,
        val infiniteFloatCapping: Boolean? = null,
        val allowSrcQuantizedFcConvOps: Boolean? = null,
        val precision: Precision? = null,
        val bufferStorageType: BufferStorageType? = null,
        val preferTextureWeights: Boolean? = null,
        val serializationDir: String? = null,
        val modelCacheKey: String? = null,
        val serializeProgramCache: Boolean? = null,
        val serializeExternalTensors: Boolean? = null,
        val externalTensorsMode: Boolean? = null,
        val externalTensorPattern: String? = null,
        val backend: Backend? = null,
        val priority: Priority? = null,
        val numStepsOfCommandBufferPreparations: Int? = null,
    ) {
        enum class Precision(val value: Int) { DEFAULT(0), FP16(1), FP32(2) }

        enum class BufferStorageType(val value: Int) { DEFAULT(0), BUFFER(1), TEXTURE_2D(2) }

        // What each stands for in the native library is not told here: `value` is not to be relied on.
        enum class Backend(val value: Int) { AUTOMATIC(0), OPENCL(1), OPENGL(2) }

        enum class Priority(val value: Int) { DEFAULT(0), LOW(1), NORMAL(2), HIGH(3) }
    }

    data class QualcommOptions(
        val logLevel: LogLevel? = null,
        val useHtpPreference: Boolean? = null,
        val useQint16AsQuint16: Boolean? = null,
        val enableWeightSharing: Boolean? = null,
        val dumpTensorIds: List<Int>? = null,
        val useConvHmx: Boolean? = null,
        val useFoldRelu: Boolean? = null,
        val htpPerformanceMode: HtpPerformanceMode? = null,
        val profiling: Profiling? = null,
        val irJsonDir: String? = null,
        val dlcDir: String? = null,
        val vtcmSize: Int? = null,
        val numHvxThreads: Int? = null,
        val optimizationLevel: OptimizationLevel? = null,
    ) {
        enum class LogLevel(val value: Int) { OFF(0), ERROR(1), WARN(2), INFO(3), VERBOSE(4), DEBUG(5) }

        enum class HtpPerformanceMode(val value: Int) {
            DEFAULT(0),
            SUSTAINED_HIGH_PERFORMANCE(1),
            BURST(2),
            HIGH_PERFORMANCE(3),
            POWER_SAVER(4),
            LOW_POWER_SAVER(5),
            HIGH_POWER_SAVER(6),
            LOW_BALANCED(7),
            BALANCED(8),
            EXTREME_POWER_SAVER(9),
        }

        enum class Profiling(val value: Int) { OFF(0), BASIC(1), DETAILED(2), LINTING(3), OPTRACE(4) }

        enum class OptimizationLevel(val value: Int) {
            HTP_OPTIMIZE_FOR_INFERENCE(0),
            HTP_OPTIMIZE_FOR_PREPARE(1),
            HTP_OPTIMIZE_FOR_INFERENCE_O3(2),
        }
    }

    class Options(internal val accelerators: Set<Accelerator>) {
        constructor(vararg accelerators: Accelerator) : this(setOf(*accelerators))

        var cpuOptions: CpuOptions? = null
        var gpuOptions: GpuOptions? = null
        var qualcommOptions: QualcommOptions? = null

        companion object {
            @JvmStatic
            val CPU: Options = Options(Accelerator.CPU)
        }
    }

    // A signature that has no name is "": these take no null.
    @Throws(LiteRtException::class)
    fun createInputBuffer(inputName: String, signature: String = ""): TensorBuffer = TODO()

    @Throws(LiteRtException::class)
    fun getInputBufferRequirements(inputName: String, signature: String = ""): TensorBufferRequirements = TODO()

    @Throws(LiteRtException::class)
    fun createOutputBuffer(outputName: String, signature: String = ""): TensorBuffer = TODO()

    @Throws(LiteRtException::class)
    fun getOutputBufferRequirements(outputName: String, signature: String = ""): TensorBufferRequirements = TODO()

    @Throws(LiteRtException::class)
    @JvmOverloads
    fun createInputBuffers(signatureIndex: Int = 0): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    fun createInputBuffers(signature: String): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    @JvmOverloads
    fun createOutputBuffers(signatureIndex: Int = 0): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    fun createOutputBuffers(signature: String): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    @JvmOverloads
    fun run(inputs: List<TensorBuffer>, signatureIndex: Int = 0): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    fun run(inputs: List<TensorBuffer>, signature: String): List<TensorBuffer> = TODO()

    @Throws(LiteRtException::class)
    @JvmOverloads
    fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>, signatureIndex: Int = 0): Unit = TODO()

    @Throws(LiteRtException::class)
    fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>, signature: String): Unit = TODO()

    @Throws(LiteRtException::class)
    fun run(
        inputs: Map<String, TensorBuffer>,
        outputs: Map<String, TensorBuffer>,
        signature: String = "",
    ): Unit = TODO()

    fun getInputTensorType(inputName: String, signature: String = ""): TensorType = TODO()

    fun getOutputTensorType(outputName: String, signature: String = ""): TensorType = TODO()

    override fun destroy(): Unit = TODO()

    companion object {
        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options = Options.CPU,
            optionalEnv: Environment? = null,
        ): CompiledModel = TODO()

        @Throws(LiteRtException::class)
        @JvmOverloads
        @JvmStatic
        fun create(
            filePath: String,
            options: Options = Options.CPU,
            optionalEnv: Environment? = null,
        ): CompiledModel = TODO()
    }
}
