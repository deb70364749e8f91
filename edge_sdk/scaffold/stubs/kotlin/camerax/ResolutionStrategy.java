// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core.resolutionselector;

import android.util.Size;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class ResolutionStrategy {
    public static final ResolutionStrategy HIGHEST_AVAILABLE_STRATEGY = new ResolutionStrategy(new Size(0, 0), 0);
    public static final int FALLBACK_RULE_NONE = 0;
    public static final int FALLBACK_RULE_CLOSEST_HIGHER_THEN_LOWER = 1;
    public static final int FALLBACK_RULE_CLOSEST_HIGHER = 2;
    public static final int FALLBACK_RULE_CLOSEST_LOWER_THEN_HIGHER = 3;
    public static final int FALLBACK_RULE_CLOSEST_LOWER = 4;

    public ResolutionStrategy(Size boundSize, int fallbackRule) {}

    public native @Nullable Size getBoundSize();

    public native int getFallbackRule();
}
