// Stub of androidx.core:core 1.19.0
package androidx.core.content;

import android.content.Context;
import android.content.Intent;
import android.content.res.ColorStateList;
import android.graphics.drawable.Drawable;
import android.os.Bundle;
import java.io.File;
import java.util.concurrent.Executor;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public class ContextCompat {
    protected ContextCompat() {}

    public static native int checkSelfPermission(Context context, String permission);

    public static native int getColor(Context context, int id);

    public static native @Nullable ColorStateList getColorStateList(Context context, int id);

    public static native @Nullable Drawable getDrawable(Context context, int id);

    public static native Executor getMainExecutor(Context context);

    public static native @Nullable File getNoBackupFilesDir(Context context);

    public static native String getString(Context context, int resId);

    public static native <T> @Nullable T getSystemService(Context context, Class<T> serviceClass);

    public static native void startActivity(Context context, Intent intent, @Nullable Bundle options);
}
