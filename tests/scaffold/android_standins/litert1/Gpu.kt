// Stands in for the GPU delegate of LiteRT 1.
package org.tensorflow.lite.gpu

import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Device

class GpuDelegateFactory {
    class Options {
        fun setPrecisionLossAllowed(precisionLossAllowed: Boolean): Options = also { check(!precisionLossAllowed) }
    }
}

class CompatibilityList : AutoCloseable {
    val isDelegateSupportedOnThisDevice: Boolean get() = Device.gpu
    val bestOptionsForThisDevice = GpuDelegateFactory.Options()

    override fun close() {
        Device.told += "list closes"
    }
}

class GpuDelegate(options: GpuDelegateFactory.Options) : Delegate {
    private val options: Any = options

    override fun close() {
        Device.told += "delegate closes, of ${options.javaClass.simpleName}"
    }
}
