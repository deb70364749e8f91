// Stub of CoreML, iOS 26 SDK (Xcode 26)
import Foundation

public enum MLFeatureType: Int, Sendable {
    case invalid = 0
    case int64 = 1
    case double = 2
    case string = 3
    case image = 4
    case multiArray = 5
    case dictionary = 6
    case sequence = 7
    case state = 8
}

open class MLFeatureDescription: NSObject {
    open var name: String { fatalError() }
    open var type: MLFeatureType { fatalError() }
    open var isOptional: Bool { fatalError() }
    open var multiArrayConstraint: MLMultiArrayConstraint? { fatalError() }
    open var imageConstraint: MLImageConstraint? { fatalError() }

    open func isAllowedValue(_ value: MLFeatureValue) -> Bool { fatalError() }
}

open class MLMultiArrayConstraint: NSObject {
    open var shape: [NSNumber] { fatalError() }
    open var dataType: MLMultiArrayDataType { fatalError() }
}

open class MLImageConstraint: NSObject {
    open var pixelsHigh: Int { fatalError() }
    open var pixelsWide: Int { fatalError() }
    open var pixelFormatType: OSType { fatalError() }
}

public protocol MLFeatureProvider: NSObjectProtocol {
    var featureNames: Set<String> { get }

    func featureValue(for featureName: String) -> MLFeatureValue?
}

open class MLDictionaryFeatureProvider: NSObject, MLFeatureProvider {
    public init(dictionary: [String: Any]) throws { fatalError() }

    open var dictionary: [String: MLFeatureValue] { fatalError() }
    open var featureNames: Set<String> { fatalError() }

    open func featureValue(for featureName: String) -> MLFeatureValue? { fatalError() }

    open subscript(featureName: String) -> MLFeatureValue? { fatalError() }
}

public protocol MLBatchProvider: NSObjectProtocol {
    var count: Int { get }

    func features(at index: Int) -> any MLFeatureProvider
}

open class MLArrayBatchProvider: NSObject, MLBatchProvider {
    public init(array: [any MLFeatureProvider]) { fatalError() }
    public init(dictionary: [String: [Any]]) throws { fatalError() }

    open var array: [any MLFeatureProvider] { fatalError() }
    open var count: Int { fatalError() }

    open func features(at index: Int) -> any MLFeatureProvider { fatalError() }
}

open class MLFeatureValue: NSObject {
    public struct ImageOption: Hashable, RawRepresentable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static var cropRect: ImageOption { fatalError() }
        public static var cropAndScale: ImageOption { fatalError() }
    }

    open var type: MLFeatureType { fatalError() }
    open var isUndefined: Bool { fatalError() }
    open var int64Value: Int64 { fatalError() }
    open var doubleValue: Double { fatalError() }
    open var stringValue: String { fatalError() }
    open var multiArrayValue: MLMultiArray? { fatalError() }
    open var dictionaryValue: [AnyHashable: NSNumber] { fatalError() }
    open var imageBufferValue: CVPixelBuffer? { fatalError() }

    public convenience init(int64 value: Int64) { fatalError() }
    public convenience init(double value: Double) { fatalError() }
    public convenience init(string value: String) { fatalError() }
    public convenience init(multiArray value: MLMultiArray) { fatalError() }
    public convenience init(pixelBuffer value: CVPixelBuffer) { fatalError() }
    public convenience init(dictionary value: [AnyHashable: NSNumber]) throws { fatalError() }
    public convenience init<Scalar: MLShapedArrayScalar>(shapedArray value: MLShapedArray<Scalar>) { fatalError() }
    public convenience init(undefined type: MLFeatureType) { fatalError() }
    public convenience init(
        cgImage: CGImage, constraint: MLImageConstraint, options: [ImageOption: Any]? = nil
    ) throws { fatalError() }
    public convenience init(
        cgImage: CGImage, orientation: CGImagePropertyOrientation, constraint: MLImageConstraint,
        options: [ImageOption: Any]? = nil
    ) throws { fatalError() }
    public convenience init(
        cgImage: CGImage, pixelsWide: Int, pixelsHigh: Int, pixelFormatType: OSType, options: [ImageOption: Any]? = nil
    ) throws { fatalError() }
    public convenience init(
        imageAt url: URL, constraint: MLImageConstraint, options: [ImageOption: Any]? = nil
    ) throws { fatalError() }

    public func shapedArrayValue<Scalar: MLShapedArrayScalar>(of scalarType: Scalar.Type) -> MLShapedArray<Scalar>? {
        fatalError()
    }
}
