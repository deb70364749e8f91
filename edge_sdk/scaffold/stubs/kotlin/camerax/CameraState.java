// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public abstract class CameraState {
    public static final int ERROR_MAX_CAMERAS_IN_USE = 1;
    public static final int ERROR_CAMERA_IN_USE = 2;
    public static final int ERROR_OTHER_RECOVERABLE_ERROR = 3;
    public static final int ERROR_STREAM_CONFIG = 4;
    public static final int ERROR_CAMERA_DISABLED = 5;
    public static final int ERROR_CAMERA_FATAL_ERROR = 6;
    public static final int ERROR_DO_NOT_DISTURB_MODE_ENABLED = 7;

    public abstract @Nullable StateError getError();

    public abstract Type getType();

    public enum Type {
        PENDING_OPEN,
        OPENING,
        OPEN,
        CLOSING,
        CLOSED
    }

    public enum ErrorType {
        RECOVERABLE,
        CRITICAL
    }

    public abstract static class StateError {
        public abstract int getCode();

        public abstract @Nullable Throwable getCause();

        public native ErrorType getType();
    }
}
