// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

public final class CameraInfoUnavailableException extends Exception {}
