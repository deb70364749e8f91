// Stub of androidx.test:monitor 1.8.0
package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

public final class InstrumentationRegistry {
    private InstrumentationRegistry() {}

    public static native Instrumentation getInstrumentation();

    public static native Bundle getArguments();
}
