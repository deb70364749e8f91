// Stub of com.google.android.gms:play-services-litert 17.0.0
//
// The documentation also names an overload that takes options, which turn the GPU on by setEnableGpu(true).
// No public source was found that names the class of these options: it is left out rather than guessed.
package com.google.android.gms.litert;

import android.content.Context;
import androidx.annotation.NonNull;
import com.google.ai.edge.litert.Environment;
import com.google.android.gms.tasks.Task;

public final class LiteRt {
    private LiteRt() {}

    public static native @NonNull Task<Environment> initialize(@NonNull Context context);
}
