// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import androidx.lifecycle.LiveData;
import org.jspecify.annotations.NullMarked;

@NullMarked
public interface CameraInfo {
    CameraSelector getCameraSelector();

    LiveData<CameraState> getCameraState();

    default int getLensFacing() {
        throw new UnsupportedOperationException();
    }

    int getSensorRotationDegrees();

    int getSensorRotationDegrees(int relativeRotation);

    LiveData<Integer> getTorchState();

    boolean hasFlashUnit();
}
