// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.graphics.Matrix;
import android.util.Size;
import androidx.camera.core.resolutionselector.ResolutionSelector;
import java.util.concurrent.Executor;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class ImageAnalysis extends UseCase {
    public static final int STRATEGY_KEEP_ONLY_LATEST = 0;
    public static final int STRATEGY_BLOCK_PRODUCER = 1;
    public static final int OUTPUT_IMAGE_FORMAT_YUV_420_888 = 1;
    public static final int OUTPUT_IMAGE_FORMAT_RGBA_8888 = 2;
    public static final int OUTPUT_IMAGE_FORMAT_NV21 = 3;
    public static final int COORDINATE_SYSTEM_ORIGINAL = 0;
    public static final int COORDINATE_SYSTEM_VIEW_REFERENCED = 1;
    public static final int COORDINATE_SYSTEM_SENSOR = 2;

    private ImageAnalysis() {}

    public native void setAnalyzer(Executor executor, Analyzer analyzer);

    public native void clearAnalyzer();

    public native int getBackpressureStrategy();

    public native int getImageQueueDepth();

    public native int getOutputImageFormat();

    public native boolean isOutputImageRotationEnabled();

    public native @Nullable ResolutionInfo getResolutionInfo();

    public native @Nullable ResolutionSelector getResolutionSelector();

    public native int getTargetRotation();

    public native void setTargetRotation(int rotation);

    public interface Analyzer {
        void analyze(ImageProxy image);

        default @Nullable Size getDefaultTargetResolution() {
            return null;
        }

        default int getTargetCoordinateSystem() {
            return COORDINATE_SYSTEM_ORIGINAL;
        }

        default void updateTransform(@Nullable Matrix matrix) {}
    }

    public static final class Builder {
        public Builder() {}

        public native Builder setBackgroundExecutor(Executor executor);

        public native Builder setBackpressureStrategy(int strategy);

        public native Builder setImageQueueDepth(int depth);

        public native Builder setOutputImageFormat(int outputImageFormat);

        public native Builder setOutputImageRotationEnabled(boolean outputImageRotationEnabled);

        public native Builder setResolutionSelector(ResolutionSelector resolutionSelector);

        @Deprecated
        public native Builder setTargetAspectRatio(int aspectRatio);

        @Deprecated
        public native Builder setTargetResolution(Size resolution);

        public native Builder setTargetName(String targetName);

        public native Builder setTargetRotation(int rotation);

        public native ImageAnalysis build();
    }
}
