// Stands in for LiteRT on computers that are no phones: the same names, one small model, and what a test wants to go
// wrong. Like LiteRT it throws where the GPU alone is asked for and missing, and is silent about all else.
package com.google.ai.edge.litert

import android.content.Context
import android.content.res.AssetManager
import java.util.concurrent.CopyOnWriteArrayList

/** What there is, what goes wrong, and what happened. */
object Device {
    var there = setOf(Accelerator.CPU)
    var wrong = setOf<Accelerator>()
    var failsToRun = false
    var shortOutput = false
    val told = CopyOnWriteArrayList<String>()

    fun reset() {
        there = setOf(Accelerator.CPU)
        wrong = emptySet()
        failsToRun = false
        shortOutput = false
        told.clear()
    }
}

enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

class Environment private constructor() : AutoCloseable {
    fun getAvailableAccelerators(): Set<Accelerator> = Device.there

    override fun close() {
        Device.told += "environment closes"
    }

    companion object {
        fun create(context: Context): Environment = Environment()
    }
}

class TensorBuffer(private val name: String) : AutoCloseable {
    var content: Any = FloatArray(0)

    fun writeFloat(data: FloatArray) = write(data.copyOf())

    fun writeInt8(data: ByteArray) = write(data.copyOf())

    fun writeInt(data: IntArray) = write(data.copyOf())

    fun writeLong(data: LongArray) = write(data.copyOf())

    fun writeBoolean(data: BooleanArray) = write(data.copyOf())

    fun readFloat(): FloatArray = (content as FloatArray).copyOf()

    fun readInt8(): ByteArray = (content as ByteArray).copyOf()

    fun readInt(): IntArray = (content as IntArray).copyOf()

    fun readLong(): LongArray = (content as LongArray).copyOf()

    fun readBoolean(): BooleanArray = (content as BooleanArray).copyOf()

    override fun close() {
        Device.told += "$name closes"
    }

    private fun write(data: Any) {
        content = data
    }
}

/** Doubles floats, and gives bytes back as they are. Input "x", output "y", signature "serve". */
class CompiledModel private constructor(private val runsOn: Accelerator) : AutoCloseable {
    data class CpuOptions(val numThreads: Int? = null)

    data class GpuOptions(val precision: Precision? = null) {
        enum class Precision { DEFAULT, FP16, FP32 }
    }

    class Options(val accelerators: Set<Accelerator>) {
        var cpuOptions: CpuOptions? = null
        var gpuOptions: GpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String = ""): TensorBuffer = buffer(inputName, "x", signature)

    fun createOutputBuffer(outputName: String, signature: String = ""): TensorBuffer = buffer(outputName, "y", signature)

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String = "") {
        if (Device.failsToRun || signature != "serve") throw LiteRtException("Failed to run")
        outputs.getValue("y").content =
            when (val given = inputs.getValue("x").content) {
                is FloatArray -> {
                    val off = if (runsOn in Device.wrong) 1f else 0f
                    FloatArray(given.size - (if (Device.shortOutput) 1 else 0)) { 2 * given[it] + off }
                }
                else -> given
            }
    }

    override fun close() {
        Device.told += "model closes"
    }

    private fun buffer(name: String, known: String, signature: String): TensorBuffer {
        if (name != known || signature != "serve") throw LiteRtException("Failed to find $name of $signature")
        return TensorBuffer(name)
    }

    companion object {
        fun create(assetManager: AssetManager, assetName: String, options: Options, optionalEnv: Environment?): CompiledModel =
            create(assetName, options, optionalEnv)

        fun create(filePath: String, options: Options, optionalEnv: Environment?): CompiledModel {
            checkNotNull(optionalEnv)
            Device.told += "$filePath for ${options.accelerators.joinToString("+")}"
            val missing = options.accelerators - Device.there
            if (missing == setOf(Accelerator.GPU) && options.accelerators.size == 1) throw LiteRtException("Failed to compile model")
            val found = options.accelerators - missing
            return CompiledModel(found.firstOrNull() ?: Accelerator.CPU)
        }
    }
}
