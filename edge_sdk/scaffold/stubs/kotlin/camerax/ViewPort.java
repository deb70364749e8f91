// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.util.Rational;
import org.jspecify.annotations.NullMarked;

@NullMarked
public final class ViewPort {
    public static final int FILL_START = 0;
    public static final int FILL_CENTER = 1;
    public static final int FILL_END = 2;
    public static final int FIT = 3;

    private ViewPort() {}

    public native Rational getAspectRatio();

    public native int getRotation();

    public static final class Builder {
        public Builder(Rational aspectRatio, int rotation) {}

        public native Builder setScaleType(int scaleType);

        public native ViewPort build();
    }
}
