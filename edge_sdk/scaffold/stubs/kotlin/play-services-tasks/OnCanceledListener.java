// Stub of com.google.android.gms:play-services-tasks 18.4.0
package com.google.android.gms.tasks;

public interface OnCanceledListener {
    void onCanceled();
}
