@preconcurrency import CoreML
import EdgeCore

/// Copies between tensors of the contract and Core ML's arrays, whatever gaps these have between their rows.
enum MultiArrays {
    /// An array for an input; Core ML has no single numbers, so one becomes an array of one.
    static func make(_ type: MLMultiArrayDataType, for input: TensorSpec) throws -> MLMultiArray {
        let shape = input.shape.isEmpty ? [1] : input.shape
        return try MLMultiArray(shape: shape.map { NSNumber(value: $0) }, dataType: type)
    }

    /// Writes a tensor into an array of the same size.
    static func fill(_ array: MLMultiArray, with tensor: Tensor, name: String) throws {
        guard array.count == tensor.size else {
            throw ModelError("input \(name) has \(tensor.size) values, the model takes \(array.count)", Self.update)
        }
        let type = array.dataType
        let shape = array.shape.map(\.intValue)
        try array.withUnsafeMutableBytes { bytes, strides in
            let rows = ArrayRows(shape: shape, strides: strides)
            switch type {
            case .float32:
                if case .floats(let values) = tensor.values {
                    rows.write(values, into: bytes) { $0 }
                } else {
                    rows.write(tensor.toFloats(), into: bytes) { $0 }
                }
            case .float16: rows.write(tensor.toFloats(), into: bytes) { Float16($0) }
            case .double: rows.write(tensor.reals(), into: bytes) { $0 }
            case .int32:
                if case .ints(let values) = tensor.values {
                    rows.write(values, into: bytes) { $0 }
                } else {
                    try rows.write(tensor.reals(), into: bytes) { try integer($0, name) }
                }
            // What there is besides, from iOS 26 on, no model of this SDK takes.
            default: throw unknown(type, name)
            }
        }
    }

    /// Reads an output in the contract's type and shape: one copy, whatever the array's own type.
    static func read(_ array: MLMultiArray, as output: TensorSpec) throws -> Tensor {
        guard array.count == output.size else {
            throw ModelError("output \(output.name) has \(array.count) values instead of \(output.size)", Self.update)
        }
        let rows = ArrayRows(shape: array.shape.map(\.intValue), strides: array.strides.map(\.intValue))
        let type = array.dataType
        return try array.withUnsafeBytes { bytes in
            let values: Tensor.Values =
                switch type {
                case .float32: tensor(rows, bytes, output.type, Float.self)
                case .float16: tensor(rows, bytes, output.type, Float16.self)
                case .double: tensor(rows, bytes, output.type, Double.self)
                case .int32: tensor(rows, bytes, output.type, Int32.self)
                default: throw unknown(type, output.name)
                }
            return Tensor(values, shape: output.shape)
        }
    }

    private static func tensor<Element: BinaryFloatingPoint>(
        _ rows: ArrayRows, _ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ element: Element.Type
    ) -> Tensor.Values {
        switch type {
        case .float32, .float16: .floats(rows.read(element, bytes) { Float($0) })
        case .int8: .int8s(rows.read(element, bytes) { Int8(clamping: whole($0)) })
        case .uint8: .uint8s(rows.read(element, bytes) { UInt8(clamping: whole($0)) })
        case .int32: .ints(rows.read(element, bytes) { Int32(clamping: whole($0)) })
        case .int64: .longs(rows.read(element, bytes) { whole($0) })
        case .bool: .booleans(rows.read(element, bytes) { $0 != 0 })
        }
    }

    private static func tensor(
        _ rows: ArrayRows, _ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ element: Int32.Type
    ) -> Tensor.Values {
        switch type {
        case .float32, .float16: .floats(rows.read(element, bytes) { Float($0) })
        case .int8: .int8s(rows.read(element, bytes) { Int8(clamping: $0) })
        case .uint8: .uint8s(rows.read(element, bytes) { UInt8(clamping: $0) })
        case .int32: .ints(rows.read(element, bytes) { $0 })
        case .int64: .longs(rows.read(element, bytes) { Int64($0) })
        case .bool: .booleans(rows.read(element, bytes) { $0 != 0 })
        }
    }

    private static func whole<Element: BinaryFloatingPoint>(_ value: Element) -> Int64 {
        Int64(exactly: value.rounded()) ?? 0
    }

    private static func integer(_ value: Double, _ name: String) throws -> Int32 {
        guard let whole = Int32(exactly: value) else {
            throw ModelError("input \(name) holds \(value), and Core ML takes 32-bit integers", "give smaller numbers")
        }
        return whole
    }

    private static func unknown(_ type: MLMultiArrayDataType, _ name: String) -> ModelError {
        ModelError("\(name) is an array of type \(type.rawValue)", Self.update)
    }

    private static let update = "model and generated code do not fit together: run edge scaffold update"
}
