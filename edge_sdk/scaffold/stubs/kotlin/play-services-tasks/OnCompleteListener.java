// Stub of com.google.android.gms:play-services-tasks 18.4.0
package com.google.android.gms.tasks;

import androidx.annotation.NonNull;

public interface OnCompleteListener<TResult> {
    void onComplete(@NonNull Task<TResult> task);
}
