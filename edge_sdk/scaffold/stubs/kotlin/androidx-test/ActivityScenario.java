// Stub of androidx.test:core 1.7.0
package androidx.test.core.app;

import android.app.Activity;
import android.content.Intent;
import androidx.lifecycle.Lifecycle;

public final class ActivityScenario<A extends Activity> implements AutoCloseable {
    private ActivityScenario() {}

    public static native <A extends Activity> ActivityScenario<A> launch(Class<A> activityClass);

    public static native <A extends Activity> ActivityScenario<A> launch(Intent startActivityIntent);

    public native ActivityScenario<A> moveToState(Lifecycle.State newState);

    public native ActivityScenario<A> onActivity(ActivityAction<A> action);

    public native ActivityScenario<A> recreate();

    public native Lifecycle.State getState();

    @Override
    public native void close();

    public interface ActivityAction<A extends Activity> {
        void perform(A activity);
    }
}
