// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import com.google.common.util.concurrent.ListenableFuture;
import org.jspecify.annotations.NullMarked;

@NullMarked
public interface CameraControl {
    ListenableFuture<Void> enableTorch(boolean torch);

    ListenableFuture<Void> cancelFocusAndMetering();

    ListenableFuture<Void> setZoomRatio(float ratio);

    ListenableFuture<Void> setLinearZoom(float linearZoom);

    ListenableFuture<Integer> setExposureCompensationIndex(int value);
}
