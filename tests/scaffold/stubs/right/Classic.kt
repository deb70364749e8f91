package app

import android.content.res.AssetManager
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.MappedByteBuffer
import java.nio.channels.FileChannel
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.flex.FlexDelegate
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate

fun loadModelFile(assets: AssetManager, name: String): MappedByteBuffer =
    assets.openFd(name).use { file ->
        FileInputStream(file.fileDescriptor).use { stream ->
            stream.channel.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength)
        }
    }

fun run(assets: AssetManager, input: ByteBuffer, output: Map<Int, Any>) {
    val gpu = CompatibilityList().use { if (it.isDelegateSupportedOnThisDevice) GpuDelegate(it.bestOptionsForThisDevice) else null }
    val options = Interpreter.Options().setNumThreads(2)
    gpu?.let(options::addDelegate)
    FlexDelegate().use { flex ->
        Interpreter(loadModelFile(assets, "m.tflite"), options.addDelegate(flex)).use {
            it.runForMultipleInputsOutputs(arrayOf<Any>(input), output)
        }
    }
    gpu?.close()
}
