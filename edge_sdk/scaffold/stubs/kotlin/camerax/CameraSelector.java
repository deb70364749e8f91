// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import java.util.List;
import org.jspecify.annotations.NullMarked;

@NullMarked
public final class CameraSelector {
    public static final int LENS_FACING_UNKNOWN = -1;
    public static final int LENS_FACING_FRONT = 0;
    public static final int LENS_FACING_BACK = 1;
    public static final int LENS_FACING_EXTERNAL = 2;
    public static final CameraSelector DEFAULT_FRONT_CAMERA = new Builder().build();
    public static final CameraSelector DEFAULT_BACK_CAMERA = new Builder().build();

    private CameraSelector() {}

    public native List<CameraInfo> filter(List<CameraInfo> cameraInfos);

    public static final class Builder {
        public Builder() {}

        public native Builder requireLensFacing(int lensFacing);

        public native CameraSelector build();
    }
}
