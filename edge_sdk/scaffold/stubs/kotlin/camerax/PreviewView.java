// Stub of androidx.camera:camera-view 1.6.2
package androidx.camera.view;

import android.content.Context;
import android.graphics.Bitmap;
import android.util.AttributeSet;
import android.widget.FrameLayout;
import androidx.camera.core.Preview;
import androidx.lifecycle.LiveData;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class PreviewView extends FrameLayout {
    public PreviewView(Context context) {
        super(context);
    }

    public PreviewView(Context context, @Nullable AttributeSet attrs) {
        super(context);
    }

    public native @Nullable Bitmap getBitmap();

    public native ImplementationMode getImplementationMode();

    public native void setImplementationMode(ImplementationMode implementationMode);

    public native LiveData<StreamState> getPreviewStreamState();

    public native ScaleType getScaleType();

    public native void setScaleType(ScaleType scaleType);

    public native Preview.SurfaceProvider getSurfaceProvider();

    public enum ImplementationMode {
        PERFORMANCE,
        COMPATIBLE
    }

    public enum ScaleType {
        FILL_START,
        FILL_CENTER,
        FILL_END,
        FIT_START,
        FIT_CENTER,
        FIT_END
    }

    public enum StreamState {
        IDLE,
        STREAMING
    }
}
