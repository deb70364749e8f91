// Stub of com.google.android.gms:play-services-tasks 18.4.0
package com.google.android.gms.tasks;

import android.app.Activity;
import androidx.annotation.NonNull;
import androidx.annotation.Nullable;
import java.util.concurrent.Executor;

public abstract class Task<TResult> {
    public Task() {}

    public abstract @NonNull Task<TResult> addOnFailureListener(@NonNull OnFailureListener listener);

    public abstract @NonNull Task<TResult> addOnFailureListener(@NonNull Activity activity, @NonNull OnFailureListener listener);

    public abstract @NonNull Task<TResult> addOnFailureListener(@NonNull Executor executor, @NonNull OnFailureListener listener);

    public abstract @NonNull Task<TResult> addOnSuccessListener(@NonNull OnSuccessListener<? super TResult> listener);

    public abstract @NonNull Task<TResult> addOnSuccessListener(
            @NonNull Activity activity, @NonNull OnSuccessListener<? super TResult> listener);

    public abstract @NonNull Task<TResult> addOnSuccessListener(
            @NonNull Executor executor, @NonNull OnSuccessListener<? super TResult> listener);

    public native @NonNull Task<TResult> addOnCanceledListener(@NonNull OnCanceledListener listener);

    public native @NonNull Task<TResult> addOnCanceledListener(@NonNull Executor executor, @NonNull OnCanceledListener listener);

    public native @NonNull Task<TResult> addOnCompleteListener(@NonNull OnCompleteListener<TResult> listener);

    public native @NonNull Task<TResult> addOnCompleteListener(@NonNull Activity activity, @NonNull OnCompleteListener<TResult> listener);

    public native @NonNull Task<TResult> addOnCompleteListener(@NonNull Executor executor, @NonNull OnCompleteListener<TResult> listener);

    public abstract @Nullable Exception getException();

    public abstract TResult getResult();

    public abstract boolean isCanceled();

    public abstract boolean isComplete();

    public abstract boolean isSuccessful();
}
