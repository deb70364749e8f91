// Stub of CoreGraphics, iOS 26 SDK (Xcode 26)
// CGRect and its like are Foundation's on Linux. Classes of Core Foundation are stood for by those of Foundation that
// they are bridged to, so that `url as CFURL` and `[:] as CFDictionary` are good Swift.
@_exported import Foundation

public typealias CFTypeRef = AnyObject
public typealias CFString = NSString
public typealias CFData = NSData
public typealias CFMutableData = NSMutableData
public typealias CFURL = NSURL
public typealias CFDictionary = NSDictionary
public typealias CFArray = NSArray
public typealias CFNumber = NSNumber
public typealias CFBoolean = NSNumber
public typealias CFTimeInterval = Double

public var kCFBooleanTrue: CFBoolean! { fatalError() }
public var kCFBooleanFalse: CFBoolean! { fatalError() }

public func CFAbsoluteTimeGetCurrent() -> CFTimeInterval { fatalError() }

public struct CGAffineTransform: Equatable, Sendable {
    public var a: CGFloat
    public var b: CGFloat
    public var c: CGFloat
    public var d: CGFloat
    public var tx: CGFloat
    public var ty: CGFloat

    public init() { fatalError() }
    public init(a: CGFloat, b: CGFloat, c: CGFloat, d: CGFloat, tx: CGFloat, ty: CGFloat) { fatalError() }
    public init(translationX tx: CGFloat, y ty: CGFloat) { fatalError() }
    public init(scaleX sx: CGFloat, y sy: CGFloat) { fatalError() }
    public init(rotationAngle angle: CGFloat) { fatalError() }

    public static var identity: CGAffineTransform { fatalError() }

    public func translatedBy(x tx: CGFloat, y ty: CGFloat) -> CGAffineTransform { fatalError() }
    public func scaledBy(x sx: CGFloat, y sy: CGFloat) -> CGAffineTransform { fatalError() }
    public func rotated(by angle: CGFloat) -> CGAffineTransform { fatalError() }
    public func inverted() -> CGAffineTransform { fatalError() }
    public func concatenating(_ t2: CGAffineTransform) -> CGAffineTransform { fatalError() }
}

extension CGRect {
    public func applying(_ t: CGAffineTransform) -> CGRect { fatalError() }
}

public final class CGColorSpace: @unchecked Sendable {
    public init?(name: CFString) { fatalError() }

    public static var sRGB: CFString { fatalError() }
    public static var linearSRGB: CFString { fatalError() }
    public static var displayP3: CFString { fatalError() }
    public static var genericGrayGamma2_2: CFString { fatalError() }
    public static var linearGray: CFString { fatalError() }

    public var numberOfComponents: Int { fatalError() }
    public var model: CGColorSpaceModel { fatalError() }
}

public enum CGColorSpaceModel: Int32, Sendable {
    case unknown = -1
    case monochrome = 0
    case rgb = 1
    case cmyk = 2
    case lab = 3
    case deviceN = 4
    case indexed = 5
    case pattern = 6
    case XYZ = 7
}

public func CGColorSpaceCreateDeviceRGB() -> CGColorSpace { fatalError() }
public func CGColorSpaceCreateDeviceGray() -> CGColorSpace { fatalError() }

public enum CGImageAlphaInfo: UInt32, Sendable {
    case none = 0
    case premultipliedLast = 1
    case premultipliedFirst = 2
    case last = 3
    case first = 4
    case noneSkipLast = 5
    case noneSkipFirst = 6
    case alphaOnly = 7
}

public struct CGBitmapInfo: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var alphaInfoMask: CGBitmapInfo { fatalError() }
    public static var floatComponents: CGBitmapInfo { fatalError() }
    public static var byteOrder16Little: CGBitmapInfo { fatalError() }
    public static var byteOrder32Little: CGBitmapInfo { fatalError() }
    public static var byteOrder32Big: CGBitmapInfo { fatalError() }
}

public enum CGInterpolationQuality: Int32, Sendable {
    case `default` = 0
    case none = 1
    case low = 2
    case high = 3
    case medium = 4
}

public enum CGColorRenderingIntent: Int32, Sendable {
    case defaultIntent = 0
    case absoluteColorimetric = 1
    case relativeColorimetric = 2
    case perceptual = 3
    case saturation = 4
}

public final class CGDataProvider {
    public init?(data: CFData) { fatalError() }

    public var data: CFData? { fatalError() }
}

public final class CGImage: @unchecked Sendable {
    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int, space: CGColorSpace,
        bitmapInfo: CGBitmapInfo, provider: CGDataProvider, decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool,
        intent: CGColorRenderingIntent
    ) {
        fatalError()
    }

    public var width: Int { fatalError() }
    public var height: Int { fatalError() }
    public var bitsPerComponent: Int { fatalError() }
    public var bitsPerPixel: Int { fatalError() }
    public var bytesPerRow: Int { fatalError() }
    public var colorSpace: CGColorSpace? { fatalError() }
    public var alphaInfo: CGImageAlphaInfo { fatalError() }
    public var bitmapInfo: CGBitmapInfo { fatalError() }
    public var dataProvider: CGDataProvider? { fatalError() }

    public func cropping(to rect: CGRect) -> CGImage? { fatalError() }
    public func copy() -> CGImage? { fatalError() }
    public func copy(colorSpace: CGColorSpace) -> CGImage? { fatalError() }
}

public final class CGColor: @unchecked Sendable {
    public init(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) { fatalError() }
    public init(gray: CGFloat, alpha: CGFloat) { fatalError() }
}

public final class CGContext {
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) {
        fatalError()
    }

    public var data: UnsafeMutableRawPointer? { fatalError() }
    public var width: Int { fatalError() }
    public var height: Int { fatalError() }
    public var bytesPerRow: Int { fatalError() }
    public var interpolationQuality: CGInterpolationQuality {
        get { fatalError() }
        set { fatalError() }
    }

    public func makeImage() -> CGImage? { fatalError() }
    public func draw(_ image: CGImage, in rect: CGRect, byTiling: Bool = false) { fatalError() }
    public func setFillColor(_ color: CGColor) { fatalError() }
    public func setFillColor(gray: CGFloat, alpha: CGFloat) { fatalError() }
    public func setFillColor(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) { fatalError() }
    public func setStrokeColor(_ color: CGColor) { fatalError() }
    public func setLineWidth(_ width: CGFloat) { fatalError() }
    public func setShouldAntialias(_ shouldAntialias: Bool) { fatalError() }
    public func setBlendMode(_ mode: CGBlendMode) { fatalError() }
    public func fill(_ rect: CGRect) { fatalError() }
    public func stroke(_ rect: CGRect) { fatalError() }
    public func clear(_ rect: CGRect) { fatalError() }
    public func translateBy(x tx: CGFloat, y ty: CGFloat) { fatalError() }
    public func scaleBy(x sx: CGFloat, y sy: CGFloat) { fatalError() }
    public func rotate(by angle: CGFloat) { fatalError() }
    public func concatenate(_ transform: CGAffineTransform) { fatalError() }
    public func saveGState() { fatalError() }
    public func restoreGState() { fatalError() }
    public func flush() { fatalError() }
}

public enum CGBlendMode: Int32, Sendable {
    case normal = 0
    case multiply = 1
    case screen = 2
    case copy = 17
}
