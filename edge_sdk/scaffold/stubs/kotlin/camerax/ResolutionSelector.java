// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core.resolutionselector;

import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class ResolutionSelector {
    public static final int PREFER_CAPTURE_RATE_OVER_HIGHER_RESOLUTION = 0;
    public static final int PREFER_HIGHER_RESOLUTION_OVER_CAPTURE_RATE = 1;

    private ResolutionSelector() {}

    public native AspectRatioStrategy getAspectRatioStrategy();

    public native @Nullable ResolutionStrategy getResolutionStrategy();

    public native int getAllowedResolutionMode();

    public static final class Builder {
        public Builder() {}

        public native Builder setAspectRatioStrategy(AspectRatioStrategy strategy);

        public native Builder setResolutionStrategy(ResolutionStrategy strategy);

        public native Builder setAllowedResolutionMode(int mode);

        public native ResolutionSelector build();
    }
}
