// Stub of com.google.android.gms:play-services-tasks 18.4.0
package com.google.android.gms.tasks;

import androidx.annotation.NonNull;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

public final class Tasks {
    private Tasks() {}

    public static native <TResult> TResult await(@NonNull Task<TResult> task)
            throws ExecutionException, InterruptedException;

    public static native <TResult> TResult await(
            @NonNull Task<TResult> task, long timeout, @NonNull TimeUnit unit)
            throws ExecutionException, InterruptedException, TimeoutException;

    public static native <TResult> @NonNull Task<TResult> call(
            @NonNull Executor executor, @NonNull Callable<TResult> callable);

    public static native <TResult> @NonNull Task<TResult> forException(@NonNull Exception exception);

    public static native <TResult> @NonNull Task<TResult> forResult(TResult result);
}
