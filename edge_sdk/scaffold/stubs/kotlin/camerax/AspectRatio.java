// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

public class AspectRatio {
    public static final int RATIO_4_3 = 0;
    public static final int RATIO_16_9 = 1;
    public static final int RATIO_DEFAULT = -1;

    private AspectRatio() {}
}
