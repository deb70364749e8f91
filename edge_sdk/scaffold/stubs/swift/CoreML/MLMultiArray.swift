// Stub of CoreML, iOS 26 SDK (Xcode 26)
import Foundation

public enum MLMultiArrayDataType: Int, Sendable {
    case double = 65600
    case float32 = 65568
    @available(iOS 16.0, macOS 12.0, *)
    case float16 = 65552
    case int32 = 131104
    @available(iOS 26.0, macOS 26.0, *)
    case int8 = 131080

    public static var float64: MLMultiArrayDataType { .double }
    public static var float: MLMultiArrayDataType { .float32 }
}

open class MLMultiArray: NSObject {
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws { fatalError() }
    @available(iOS 18.0, macOS 15.0, *)
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType, strides: [NSNumber]) { fatalError() }
    public init(
        dataPointer: UnsafeMutableRawPointer, shape: [NSNumber], dataType: MLMultiArrayDataType, strides: [NSNumber],
        deallocator: ((UnsafeMutableRawPointer) -> Void)? = nil
    ) throws { fatalError() }
    @available(iOS 16.0, macOS 12.0, *)
    public init(pixelBuffer: CVPixelBuffer, shape: [NSNumber]) { fatalError() }
    public convenience init<C: Collection>(_ data: C) throws where C.Element == Float { fatalError() }
    public convenience init<C: Collection>(_ data: C) throws where C.Element == Double { fatalError() }
    public convenience init<Scalar: MLShapedArrayScalar>(_ shapedArray: MLShapedArray<Scalar>) { fatalError() }

    @available(*, deprecated, message: "use withUnsafeBytes or withUnsafeMutableBytes")
    open var dataPointer: UnsafeMutableRawPointer { fatalError() }
    open var dataType: MLMultiArrayDataType { fatalError() }
    open var shape: [NSNumber] { fatalError() }
    open var strides: [NSNumber] { fatalError() }
    open var count: Int { fatalError() }
    @available(iOS 16.0, macOS 12.0, *)
    open var pixelBuffer: CVPixelBuffer? { fatalError() }

    open subscript(idx: Int) -> NSNumber {
        get { fatalError() }
        set { fatalError() }
    }

    open subscript(key: [NSNumber]) -> NSNumber {
        get { fatalError() }
        set { fatalError() }
    }

    @available(iOS 15.4, macOS 12.3, *)
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { fatalError() }
    @available(iOS 15.4, macOS 12.3, *)
    public func withUnsafeMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R
    ) rethrows -> R { fatalError() }
    @available(iOS 15.4, macOS 12.3, *)
    public func withUnsafeBufferPointer<S: MLShapedArrayScalar, R>(
        ofType type: S.Type, _ body: (UnsafeBufferPointer<S>) throws -> R
    ) rethrows -> R { fatalError() }
    @available(iOS 15.4, macOS 12.3, *)
    public func withUnsafeMutableBufferPointer<S: MLShapedArrayScalar, R>(
        ofType type: S.Type, _ body: (UnsafeMutableBufferPointer<S>, [Int]) throws -> R
    ) rethrows -> R { fatalError() }

    @available(iOS 18.0, macOS 15.0, *)
    open func transfer(to destinationMultiArray: MLMultiArray) { fatalError() }
}

public protocol MLShapedArrayScalar {
    static var multiArrayDataType: MLMultiArrayDataType { get }
}

extension Float: MLShapedArrayScalar {
    public static var multiArrayDataType: MLMultiArrayDataType { .float32 }
}

extension Double: MLShapedArrayScalar {
    public static var multiArrayDataType: MLMultiArrayDataType { .double }
}

extension Int32: MLShapedArrayScalar {
    public static var multiArrayDataType: MLMultiArrayDataType { .int32 }
}

extension Float16: MLShapedArrayScalar {
    public static var multiArrayDataType: MLMultiArrayDataType { .float16 }
}

public struct MLShapedArray<Scalar: MLShapedArrayScalar>: RandomAccessCollection {
    public init<S: Sequence>(scalars: S, shape: [Int]) where S.Element == Scalar { fatalError() }
    public init(repeating: Scalar, shape: [Int]) { fatalError() }
    public init(_ multiArray: MLMultiArray) { fatalError() }
    public init(converting multiArray: MLMultiArray) { fatalError() }
    public init(
        bytesNoCopy bytes: UnsafeRawPointer, shape: [Int], strides: [Int], deallocator: Data.Deallocator
    ) { fatalError() }

    public var shape: [Int] { fatalError() }
    public var strides: [Int] { fatalError() }
    public var scalarCount: Int { fatalError() }
    public var scalars: [Scalar] { fatalError() }
    public var startIndex: Int { fatalError() }
    public var endIndex: Int { fatalError() }

    public subscript(position: Int) -> MLShapedArraySlice<Scalar> { fatalError() }
    public subscript(scalarAt indices: Int...) -> Scalar {
        get { fatalError() }
        set { fatalError() }
    }

    public func withUnsafeShapedBufferPointer<R>(
        _ body: (UnsafeBufferPointer<Scalar>, [Int], [Int]) throws -> R
    ) rethrows -> R { fatalError() }
}

public struct MLShapedArraySlice<Scalar: MLShapedArrayScalar> {
    public var shape: [Int] { fatalError() }
    public var strides: [Int] { fatalError() }
    public var scalars: [Scalar] { fatalError() }
}
