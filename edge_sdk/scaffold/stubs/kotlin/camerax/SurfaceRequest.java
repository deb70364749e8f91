// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import android.util.Size;
import android.view.Surface;
import androidx.core.util.Consumer;
import java.util.concurrent.Executor;
import org.jspecify.annotations.NullMarked;

@NullMarked
public final class SurfaceRequest {
    private SurfaceRequest() {}

    public native Size getResolution();

    public native void provideSurface(Surface surface, Executor executor, Consumer<Result> resultListener);

    public native boolean willNotProvideSurface();

    public native boolean invalidate();

    public abstract static class Result {
        public static final int RESULT_SURFACE_USED_SUCCESSFULLY = 0;
        public static final int RESULT_REQUEST_CANCELLED = 1;
        public static final int RESULT_INVALID_SURFACE = 2;
        public static final int RESULT_SURFACE_ALREADY_PROVIDED = 3;
        public static final int RESULT_WILL_NOT_PROVIDE_SURFACE = 4;

        public abstract int getResultCode();

        public abstract Surface getSurface();
    }
}
