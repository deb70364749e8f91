// Stub of com.google.ai.edge.litert:litert-gpu-api 1.4.2
package org.tensorflow.lite.gpu;

import org.tensorflow.lite.Delegate;
import org.tensorflow.lite.DelegateFactory;
import org.tensorflow.lite.RuntimeFlavor;

public class GpuDelegateFactory implements DelegateFactory {
    public GpuDelegateFactory() {}

    public GpuDelegateFactory(Options options) {}

    @Override
    public native Delegate create(RuntimeFlavor runtimeFlavor);

    public static class Options {
        public static final int INFERENCE_PREFERENCE_FAST_SINGLE_ANSWER = 0;
        public static final int INFERENCE_PREFERENCE_SUSTAINED_SPEED = 1;

        public Options() {}

        public native Options setPrecisionLossAllowed(boolean precisionLossAllowed);

        public native Options setQuantizedModelsAllowed(boolean quantizedModelsAllowed);

        public native Options setInferencePreference(int preference);

        public native Options setSerializationParams(String serializationDir, String modelToken);

        public native Options setForceBackend(GpuBackend forceBackend);

        public native boolean isPrecisionLossAllowed();

        public native boolean areQuantizedModelsAllowed();

        public native int getInferencePreference();

        public native String getSerializationDir();

        public native String getModelToken();

        public native GpuBackend getForceBackend();

        public enum GpuBackend {
            UNSET,
            OPENCL,
            OPENGL;

            public native int value();
        }
    }
}
