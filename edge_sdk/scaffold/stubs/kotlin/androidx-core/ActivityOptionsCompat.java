// Stub of androidx.core:core 1.19.0
package androidx.core.app;

import android.os.Bundle;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public class ActivityOptionsCompat {
    protected ActivityOptionsCompat() {}

    public static native ActivityOptionsCompat makeBasic();

    public native @Nullable Bundle toBundle();
}
