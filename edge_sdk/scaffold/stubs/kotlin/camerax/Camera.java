// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import org.jspecify.annotations.NullMarked;

@NullMarked
public interface Camera {
    CameraControl getCameraControl();

    CameraInfo getCameraInfo();
}
