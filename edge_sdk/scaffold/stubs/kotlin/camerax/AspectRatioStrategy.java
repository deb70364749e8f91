// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core.resolutionselector;

import org.jspecify.annotations.NullMarked;

@NullMarked
public final class AspectRatioStrategy {
    public static final int FALLBACK_RULE_NONE = 0;
    public static final int FALLBACK_RULE_AUTO = 1;
    public static final AspectRatioStrategy RATIO_4_3_FALLBACK_AUTO_STRATEGY = new AspectRatioStrategy(0, 1);
    public static final AspectRatioStrategy RATIO_16_9_FALLBACK_AUTO_STRATEGY = new AspectRatioStrategy(1, 1);

    public AspectRatioStrategy(int preferredAspectRatio, int fallbackRule) {}

    public native int getPreferredAspectRatio();

    public native int getFallbackRule();
}
