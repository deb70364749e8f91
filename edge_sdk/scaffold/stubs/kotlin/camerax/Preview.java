// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.util.Range;
import android.util.Size;
import androidx.camera.core.resolutionselector.ResolutionSelector;
import java.util.concurrent.Executor;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class Preview extends UseCase {
    private Preview() {}

    public native @Nullable ResolutionInfo getResolutionInfo();

    public native @Nullable ResolutionSelector getResolutionSelector();

    public native int getTargetRotation();

    public native void setTargetRotation(int targetRotation);

    // For the library itself, and not to be called: but it makes `surfaceProvider = ...` good Kotlin.
    public native @Nullable SurfaceProvider getSurfaceProvider();

    public native void setSurfaceProvider(@Nullable SurfaceProvider surfaceProvider);

    public native void setSurfaceProvider(Executor executor, @Nullable SurfaceProvider surfaceProvider);

    public interface SurfaceProvider {
        void onSurfaceRequested(SurfaceRequest request);
    }

    public static final class Builder {
        public Builder() {}

        public native Builder setMirrorMode(int mirrorMode);

        public native Builder setPreviewStabilizationEnabled(boolean enabled);

        public native Builder setResolutionSelector(ResolutionSelector resolutionSelector);

        @Deprecated
        public native Builder setTargetAspectRatio(int aspectRatio);

        @Deprecated
        public native Builder setTargetResolution(Size resolution);

        public native Builder setTargetFrameRate(Range<Integer> targetFrameRate);

        public native Builder setTargetName(String targetName);

        public native Builder setTargetRotation(int rotation);

        public native Preview build();
    }
}
