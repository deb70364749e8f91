// Stub of AVFoundation, iOS 26 SDK (Xcode 26)
// What captures is not Sendable: sessions and devices belong to one queue, or to one actor.
@_exported import CoreMedia
@_exported import QuartzCore

public struct AVMediaType: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var video: AVMediaType { fatalError() }
    public static var audio: AVMediaType { fatalError() }
}

public enum AVAuthorizationStatus: Int, Sendable {
    case notDetermined = 0
    case restricted = 1
    case denied = 2
    case authorized = 3
}

open class AVCaptureDevice: NSObject {
    public enum Position: Int, Sendable {
        case unspecified = 0
        case back = 1
        case front = 2
    }

    public struct DeviceType: Hashable, RawRepresentable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static var builtInWideAngleCamera: DeviceType { fatalError() }
        public static var builtInUltraWideCamera: DeviceType { fatalError() }
        public static var builtInDualCamera: DeviceType { fatalError() }
        public static var builtInTripleCamera: DeviceType { fatalError() }
    }

    @available(iOS 17.0, macOS 14.0, *)
    open class RotationCoordinator: NSObject {
        public init(device: AVCaptureDevice, previewLayer: CALayer?) { fatalError() }

        open var videoRotationAngleForHorizonLevelPreview: CGFloat { fatalError() }
        open var videoRotationAngleForHorizonLevelCapture: CGFloat { fatalError() }
    }

    open class func `default`(for mediaType: AVMediaType) -> AVCaptureDevice? { fatalError() }
    open class func `default`(
        _ deviceType: DeviceType, for mediaType: AVMediaType?, position: Position
    ) -> AVCaptureDevice? { fatalError() }
    open class func authorizationStatus(for mediaType: AVMediaType) -> AVAuthorizationStatus { fatalError() }
    open class func requestAccess(for mediaType: AVMediaType) async -> Bool { fatalError() }
    open class func requestAccess(
        for mediaType: AVMediaType, completionHandler handler: @escaping @Sendable (Bool) -> Void
    ) { fatalError() }

    open var uniqueID: String { fatalError() }
    open var localizedName: String { fatalError() }
    open var position: Position { fatalError() }
    open var activeVideoMinFrameDuration: CMTime {
        get { fatalError() }
        set { fatalError() }
    }
    open var activeVideoMaxFrameDuration: CMTime {
        get { fatalError() }
        set { fatalError() }
    }

    open func lockForConfiguration() throws { fatalError() }
    open func unlockForConfiguration() { fatalError() }
}

open class AVCaptureInput: NSObject {}

open class AVCaptureDeviceInput: AVCaptureInput {
    public init(device: AVCaptureDevice) throws { fatalError() }

    open var device: AVCaptureDevice { fatalError() }
}

open class AVCaptureConnection: NSObject {
    open var isEnabled: Bool {
        get { fatalError() }
        set { fatalError() }
    }
    @available(iOS 17.0, macOS 14.0, *)
    open var videoRotationAngle: CGFloat {
        get { fatalError() }
        set { fatalError() }
    }
    open var isVideoMirroringSupported: Bool { fatalError() }
    open var isVideoMirrored: Bool {
        get { fatalError() }
        set { fatalError() }
    }

    @available(iOS 17.0, macOS 14.0, *)
    open func isVideoRotationAngleSupported(_ videoRotationAngle: CGFloat) -> Bool { fatalError() }

    // Deprecated since iOS 17; what there is on iOS 16.
    open var isVideoOrientationSupported: Bool { fatalError() }
    open var videoOrientation: AVCaptureVideoOrientation {
        get { fatalError() }
        set { fatalError() }
    }
}

public enum AVCaptureVideoOrientation: Int, Sendable {
    case portrait = 1
    case portraitUpsideDown = 2
    case landscapeRight = 3
    case landscapeLeft = 4
}

open class AVCaptureOutput: NSObject {
    open var connections: [AVCaptureConnection] { fatalError() }

    open func connection(with mediaType: AVMediaType) -> AVCaptureConnection? { fatalError() }
}

public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObjectProtocol {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)
}

// Both are optional requirements.
extension AVCaptureVideoDataOutputSampleBufferDelegate {
    public func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) { fatalError() }
    public func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) { fatalError() }
}

open class AVCaptureVideoDataOutput: AVCaptureOutput {
    public override init() { fatalError() }

    open var videoSettings: [String: Any]! {
        get { fatalError() }
        set { fatalError() }
    }
    open var alwaysDiscardsLateVideoFrames: Bool {
        get { fatalError() }
        set { fatalError() }
    }
    open var availableVideoPixelFormatTypes: [OSType] { fatalError() }

    open func setSampleBufferDelegate(
        _ sampleBufferDelegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?,
        queue sampleBufferCallbackQueue: DispatchQueue?
    ) { fatalError() }
}

open class AVCaptureSession: NSObject {
    public struct Preset: Hashable, RawRepresentable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static var photo: Preset { fatalError() }
        public static var high: Preset { fatalError() }
        public static var medium: Preset { fatalError() }
        public static var low: Preset { fatalError() }
        public static var vga640x480: Preset { fatalError() }
        public static var hd1280x720: Preset { fatalError() }
        public static var inputPriority: Preset { fatalError() }
    }

    public override init() { fatalError() }

    open var sessionPreset: Preset {
        get { fatalError() }
        set { fatalError() }
    }
    open var inputs: [AVCaptureInput] { fatalError() }
    open var outputs: [AVCaptureOutput] { fatalError() }
    open var isRunning: Bool { fatalError() }
    open var isInterrupted: Bool { fatalError() }

    open func canSetSessionPreset(_ preset: Preset) -> Bool { fatalError() }
    open func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError() }
    open func addInput(_ input: AVCaptureInput) { fatalError() }
    open func removeInput(_ input: AVCaptureInput) { fatalError() }
    open func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError() }
    open func addOutput(_ output: AVCaptureOutput) { fatalError() }
    open func removeOutput(_ output: AVCaptureOutput) { fatalError() }
    open func beginConfiguration() { fatalError() }
    open func commitConfiguration() { fatalError() }
    open func startRunning() { fatalError() }
    open func stopRunning() { fatalError() }

    public class var runtimeErrorNotification: NSNotification.Name { fatalError() }
    public class var wasInterruptedNotification: NSNotification.Name { fatalError() }
    public class var interruptionEndedNotification: NSNotification.Name { fatalError() }
}

public struct AVLayerVideoGravity: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var resize: AVLayerVideoGravity { fatalError() }
    public static var resizeAspect: AVLayerVideoGravity { fatalError() }
    public static var resizeAspectFill: AVLayerVideoGravity { fatalError() }
}

open class AVCaptureVideoPreviewLayer: CALayer {
    public init(session: AVCaptureSession) { fatalError() }

    open var session: AVCaptureSession? {
        get { fatalError() }
        set { fatalError() }
    }
    open var videoGravity: AVLayerVideoGravity {
        get { fatalError() }
        set { fatalError() }
    }
    open var connection: AVCaptureConnection? { fatalError() }
}
