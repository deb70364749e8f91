/// Numbers with a shape.
public struct Tensor: Sendable, Equatable {
    public enum Values: Sendable, Equatable {
        case floats([Float])
        case int8s([Int8])
        case uint8s([UInt8])
        case ints([Int32])
        case longs([Int64])
        case booleans([Bool])
    }

    public var values: Values
    public let shape: [Int]

    public init(_ values: Values, shape: [Int]) {
        self.values = values
        self.shape = shape
    }

    public init(_ floats: [Float], shape: [Int]) {
        self.init(.floats(floats), shape: shape)
    }

    public var type: ElementType {
        switch values {
        case .floats: .float32
        case .int8s: .int8
        case .uint8s: .uint8
        case .ints: .int32
        case .longs: .int64
        case .booleans: .bool
        }
    }

    /// How many values there are.
    public var size: Int {
        switch values {
        case .floats(let values): values.count
        case .int8s(let values): values.count
        case .uint8s(let values): values.count
        case .ints(let values): values.count
        case .longs(let values): values.count
        case .booleans(let values): values.count
        }
    }

    /// The value at a flat index as a real number.
    public func real(_ index: Int) -> Double {
        switch values {
        case .floats(let values): Double(values[index])
        case .int8s(let values): Double(values[index])
        case .uint8s(let values): Double(values[index])
        case .ints(let values): Double(values[index])
        case .longs(let values): Double(values[index])
        case .booleans(let values): values[index] ? 1 : 0
        }
    }

    /// The values of a float tensor.
    public func floats() throws -> [Float] {
        guard case .floats(let values) = values else {
            throw ModelError("the tensor holds \(type.rawValue), not float32", "read it by its own type")
        }
        return values
    }

    /// The values as real numbers, in single precision.
    public func toFloats() -> [Float] {
        if case .floats(let values) = values { values } else { reals().map { Float($0) } }
    }

    /// The values as real numbers.
    public func reals() -> [Double] {
        switch values {
        case .floats(let values): values.map { Double($0) }
        case .int8s(let values): values.map { Double($0) }
        case .uint8s(let values): values.map { Double($0) }
        case .ints(let values): values.map { Double($0) }
        case .longs(let values): values.map { Double($0) }
        case .booleans(let values): values.map { $0 ? 1 : 0 }
        }
    }

    /// A tensor of zeros; of 32-bit floats for `float16`.
    public static func zeros(_ type: ElementType, shape: [Int]) -> Tensor {
        let size = shape.reduce(1, *)
        let values: Values =
            switch type {
            case .float32, .float16: .floats([Float](repeating: 0, count: size))
            case .int8: .int8s([Int8](repeating: 0, count: size))
            case .uint8: .uint8s([UInt8](repeating: 0, count: size))
            case .int32: .ints([Int32](repeating: 0, count: size))
            case .int64: .longs([Int64](repeating: 0, count: size))
            case .bool: .booleans([Bool](repeating: false, count: size))
            }
        return Tensor(values, shape: shape)
    }

    /// How many values a shape has; nil where a size is negative, or there are too many.
    static func size(of shape: [Int]) -> Int? {
        var size = 1
        for length in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            if length < 0 || overflow { return nil }
            size = product
        }
        return size
    }

    /// Checks names, types, shapes and sizes before Core ML sees them.
    public static func check(_ given: [String: Tensor], _ specs: [TensorSpec]) throws {
        let expected = specs.map(\.description).joined(separator: ", ")
        let names = specs.map(\.name)
        if let unknown = given.keys.first(where: { !names.contains($0) }) {
            throw ModelError("the model has no input called \(unknown)", "it takes \(expected)")
        }
        for spec in specs {
            guard let tensor = given[spec.name] else {
                throw ModelError("input \(spec.name) is missing", "the model takes \(expected)")
            }
            guard tensor.type == spec.type, tensor.shape == spec.shape, tensor.size == spec.size else {
                throw ModelError(
                    "input \(spec.name) is \(tensor.type.rawValue)\(tensor.shape) with \(tensor.size) values",
                    "expected \(spec.type.rawValue)\(spec.shape) with \(spec.size)"
                )
            }
        }
    }
}
