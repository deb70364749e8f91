// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.graphics.Rect;
import android.util.Size;
import org.jspecify.annotations.NullMarked;

@NullMarked
public class ResolutionInfo {
    public ResolutionInfo(Size resolution, Rect cropRect, int rotationDegrees) {}

    public native Size getResolution();

    public native Rect getCropRect();

    public native int getRotationDegrees();
}
