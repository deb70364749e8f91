// Stub of CoreImage, iOS 26 SDK (Xcode 26)
@_exported import CoreVideo
@_exported import ImageIO
import Metal

public struct CIImageOption: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var applyOrientationProperty: CIImageOption { fatalError() }
    public static var colorSpace: CIImageOption { fatalError() }
}

public struct CIContextOption: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var useSoftwareRenderer: CIContextOption { fatalError() }
    public static var cacheIntermediates: CIContextOption { fatalError() }
    public static var workingColorSpace: CIContextOption { fatalError() }
    public static var outputColorSpace: CIContextOption { fatalError() }
}

public struct CIFormat: Equatable, Sendable {
    public static var RGBA8: CIFormat { fatalError() }
    public static var BGRA8: CIFormat { fatalError() }
    public static var R8: CIFormat { fatalError() }
    public static var RGBAf: CIFormat { fatalError() }
}

open class CIImage: NSObject, @unchecked Sendable {
    public init(cgImage image: CGImage) { fatalError() }
    public init(cgImage image: CGImage, options: [CIImageOption: Any]? = nil) { fatalError() }
    public init(cvPixelBuffer pixelBuffer: CVPixelBuffer) { fatalError() }
    public init(cvPixelBuffer pixelBuffer: CVPixelBuffer, options: [CIImageOption: Any]? = nil) { fatalError() }
    public init?(data: Data) { fatalError() }
    public init?(data: Data, options: [CIImageOption: Any]? = nil) { fatalError() }
    public init?(contentsOf url: URL) { fatalError() }
    public init?(contentsOf url: URL, options: [CIImageOption: Any]? = nil) { fatalError() }

    open var extent: CGRect { fatalError() }
    open var pixelBuffer: CVPixelBuffer? { fatalError() }
    open var cgImage: CGImage? { fatalError() }

    open func transformed(by matrix: CGAffineTransform) -> CIImage { fatalError() }
    open func oriented(_ orientation: CGImagePropertyOrientation) -> CIImage { fatalError() }
    open func oriented(forExifOrientation orientation: Int32) -> CIImage { fatalError() }
    open func cropped(to rect: CGRect) -> CIImage { fatalError() }
    open func clampedToExtent() -> CIImage { fatalError() }
    open func applyingFilter(_ filterName: String, parameters params: [String: Any]) -> CIImage { fatalError() }
    open func applyingFilter(_ filterName: String) -> CIImage { fatalError() }
}

open class CIContext: NSObject, @unchecked Sendable {
    public init(options: [CIContextOption: Any]? = nil) { fatalError() }
    public init(mtlDevice device: any MTLDevice) { fatalError() }
    public init(mtlDevice device: any MTLDevice, options: [CIContextOption: Any]? = nil) { fatalError() }
    public override init() { fatalError() }

    open func createCGImage(_ image: CIImage, from fromRect: CGRect) -> CGImage? { fatalError() }
    open func createCGImage(
        _ image: CIImage, from fromRect: CGRect, format: CIFormat, colorSpace: CGColorSpace?
    ) -> CGImage? { fatalError() }
    open func render(_ image: CIImage, to buffer: CVPixelBuffer) { fatalError() }
    open func render(
        _ image: CIImage, to buffer: CVPixelBuffer, bounds: CGRect, colorSpace: CGColorSpace?
    ) { fatalError() }
    open func render(
        _ image: CIImage, toBitmap data: UnsafeMutableRawPointer, rowBytes: Int, bounds: CGRect, format: CIFormat,
        colorSpace: CGColorSpace?
    ) { fatalError() }
    open func clearCaches() { fatalError() }
}
