// Stub of androidx.test.ext:junit 1.3.0
package androidx.test.ext.junit.runners;

import org.junit.runner.Description;
import org.junit.runner.Runner;
import org.junit.runner.notification.RunNotifier;

public final class AndroidJUnit4 extends Runner {
    public AndroidJUnit4(Class<?> klass) {}

    @Override
    public native Description getDescription();

    @Override
    public native void run(RunNotifier runNotifier);
}
