// Stub of org.tensorflow:tensorflow-lite-select-tf-ops 2.16.1
package org.tensorflow.lite.flex;

import org.tensorflow.lite.Delegate;

public class FlexDelegate implements Delegate, AutoCloseable {
    public FlexDelegate() {}

    @Override
    public native long getNativeHandle();

    @Override
    public native void close();

    public static native void initTensorFlowForTesting();
}
