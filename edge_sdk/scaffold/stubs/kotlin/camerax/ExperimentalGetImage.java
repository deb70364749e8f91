// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

@Retention(RetentionPolicy.CLASS)
public @interface ExperimentalGetImage {}
