// Stub of UIKit, iOS 26 SDK (Xcode 26)
@_exported import CoreImage
@_exported import QuartzCore

open class UIImage: NSObject, @unchecked Sendable {
    public enum Orientation: Int, Sendable {
        case up = 0
        case down = 1
        case left = 2
        case right = 3
        case upMirrored = 4
        case downMirrored = 5
        case leftMirrored = 6
        case rightMirrored = 7
    }

    public convenience init?(named name: String) { fatalError() }
    public convenience init?(systemName name: String) { fatalError() }
    public init?(contentsOfFile path: String) { fatalError() }
    public init?(data: Data) { fatalError() }
    public init(cgImage: CGImage) { fatalError() }
    public init(cgImage: CGImage, scale: CGFloat, orientation: Orientation) { fatalError() }
    public init(ciImage: CIImage) { fatalError() }

    open var size: CGSize { fatalError() }
    open var cgImage: CGImage? { fatalError() }
    open var ciImage: CIImage? { fatalError() }
    open var imageOrientation: Orientation { fatalError() }
    open var scale: CGFloat { fatalError() }

    open func draw(at point: CGPoint) { fatalError() }
    open func draw(in rect: CGRect) { fatalError() }
    public func jpegData(compressionQuality: CGFloat) -> Data? { fatalError() }
    public func pngData() -> Data? { fatalError() }
    open func preparingForDisplay() -> UIImage? { fatalError() }
    open func preparingThumbnail(of size: CGSize) -> UIImage? { fatalError() }
    open func byPreparingForDisplay() async -> UIImage? { fatalError() }
    open func byPreparingThumbnail(ofSize size: CGSize) async -> UIImage? { fatalError() }
}

open class UIColor: NSObject, @unchecked Sendable {
    public init(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) { fatalError() }

    open var cgColor: CGColor { fatalError() }

    open class var systemBackground: UIColor { fatalError() }
    open class var secondarySystemBackground: UIColor { fatalError() }
    open class var label: UIColor { fatalError() }
    open class var black: UIColor { fatalError() }
    open class var white: UIColor { fatalError() }
    open class var clear: UIColor { fatalError() }
}

open class UIGraphicsImageRendererFormat: NSObject {
    public override init() { fatalError() }

    open class func `default`() -> UIGraphicsImageRendererFormat { fatalError() }

    open var scale: CGFloat {
        get { fatalError() }
        set { fatalError() }
    }
    open var opaque: Bool {
        get { fatalError() }
        set { fatalError() }
    }
}

open class UIGraphicsImageRendererContext: NSObject {
    open var cgContext: CGContext { fatalError() }

    open func fill(_ rect: CGRect) { fatalError() }
}

open class UIGraphicsImageRenderer: NSObject {
    public init(size: CGSize) { fatalError() }
    public init(size: CGSize, format: UIGraphicsImageRendererFormat) { fatalError() }

    open func image(actions: (UIGraphicsImageRendererContext) -> Void) -> UIImage { fatalError() }
}

@MainActor
open class UIResponder: NSObject {}

@MainActor
open class UIView: UIResponder {
    public init(frame: CGRect) { fatalError() }
    public required init?(coder: NSCoder) { fatalError() }

    open class var layerClass: AnyClass { fatalError() }

    open var layer: CALayer { fatalError() }
    open var frame: CGRect {
        get { fatalError() }
        set { fatalError() }
    }
    open var bounds: CGRect {
        get { fatalError() }
        set { fatalError() }
    }
    open var backgroundColor: UIColor? {
        get { fatalError() }
        set { fatalError() }
    }
    open var window: UIWindow? { fatalError() }

    open func addSubview(_ view: UIView) { fatalError() }
    open func layoutSubviews() { fatalError() }
    open func setNeedsLayout() { fatalError() }
}

@MainActor
open class UIWindow: UIView {}

@MainActor
open class UIViewController: UIResponder {
    open var view: UIView! {
        get { fatalError() }
        set { fatalError() }
    }

    open func viewDidLoad() { fatalError() }
}

public struct UIBackgroundTaskIdentifier: Hashable, RawRepresentable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static var invalid: UIBackgroundTaskIdentifier { fatalError() }
}

@MainActor
open class UIApplication: UIResponder {
    open class var shared: UIApplication { fatalError() }

    open var isIdleTimerDisabled: Bool {
        get { fatalError() }
        set { fatalError() }
    }

    open func open(_ url: URL) async -> Bool { fatalError() }
    open func beginBackgroundTask(
        withName taskName: String?, expirationHandler handler: (@MainActor @Sendable () -> Void)? = nil
    ) -> UIBackgroundTaskIdentifier { fatalError() }
    open func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) { fatalError() }

    public nonisolated class var openSettingsURLString: String { fatalError() }
    public nonisolated class var didReceiveMemoryWarningNotification: NSNotification.Name { fatalError() }
    public nonisolated class var didEnterBackgroundNotification: NSNotification.Name { fatalError() }
    public nonisolated class var willEnterForegroundNotification: NSNotification.Name { fatalError() }
    public nonisolated class var didBecomeActiveNotification: NSNotification.Name { fatalError() }
    public nonisolated class var willResignActiveNotification: NSNotification.Name { fatalError() }
    public nonisolated class var willTerminateNotification: NSNotification.Name { fatalError() }
}

public enum UIDeviceOrientation: Int, Sendable {
    case unknown = 0
    case portrait = 1
    case portraitUpsideDown = 2
    case landscapeLeft = 3
    case landscapeRight = 4
    case faceUp = 5
    case faceDown = 6
}

@MainActor
open class UIDevice: NSObject {
    open class var current: UIDevice { fatalError() }

    open var name: String { fatalError() }
    open var model: String { fatalError() }
    open var systemName: String { fatalError() }
    open var systemVersion: String { fatalError() }
    open var orientation: UIDeviceOrientation { fatalError() }

    public nonisolated class var orientationDidChangeNotification: NSNotification.Name { fatalError() }
}

@MainActor
open class UIPasteboard: NSObject {
    open class var general: UIPasteboard { fatalError() }

    open var string: String? {
        get { fatalError() }
        set { fatalError() }
    }
}
