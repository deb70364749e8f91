// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.graphics.Matrix;
import org.jspecify.annotations.NullMarked;

@NullMarked
public interface ImageInfo {
    int getRotationDegrees();

    long getTimestamp();

    default Matrix getSensorToBufferTransformMatrix() {
        throw new UnsupportedOperationException();
    }
}
