import Foundation

/// Recorded numbers of a golden file; of a long expectation only every `stride`-th value.
public struct GoldenTensor: Sendable {
    enum Element: String, Decodable, Sendable {
        case float16, float32, float64, int8, uint8, int16, int32, int64, bool

        var bytes: Int {
            switch self {
            case .int8, .uint8, .bool: 1
            case .float16, .int16: 2
            case .float32, .int32: 4
            case .float64, .int64: 8
            }
        }
    }

    /// How many values the tensor has, recorded or not.
    public let size: Int
    public let shape: [Int]
    public let stride: Int
    let element: Element
    private let bytes: [UInt8]

    /// How many values were recorded.
    public var count: Int { bytes.count / element.bytes }

    /// A recorded value as a real number.
    public func real(_ index: Int) -> Double {
        switch element {
        case .float16: Double(Self.widened(UInt16(littleEndian: load(index))))
        case .float32: Double(Float(bitPattern: UInt32(littleEndian: load(index))))
        case .float64: Double(bitPattern: UInt64(littleEndian: load(index)))
        case .int8: Double(Int8(bitPattern: bytes[index]))
        case .uint8, .bool: Double(bytes[index])
        case .int16: Double(Int16(littleEndian: load(index)))
        case .int32: Double(Int32(littleEndian: load(index)))
        case .int64: Double(Int64(littleEndian: load(index)))
        }
    }

    /// The values of a tensor of bytes as they are.
    func byteValues() throws -> [UInt8] {
        guard element.bytes == 1 else {
            throw ModelError("recorded numbers of type \(element.rawValue) are no bytes", "make golden.json anew")
        }
        return bytes
    }

    /// The values as a tensor of the app.
    public func tensor() throws -> Tensor {
        guard stride == 1 else {
            throw ModelError("these numbers were thinned out", "they are for comparing alone")
        }
        let values: Tensor.Values =
            switch element {
            case .float16, .float32, .float64: .floats((0..<count).map { Float(real($0)) })
            case .int8: .int8s(bytes.map { Int8(bitPattern: $0) })
            case .uint8: .uint8s(bytes)
            case .int16, .int32: .ints((0..<count).map { Int32(real($0)) })
            case .int64: .longs((0..<count).map { Int64(littleEndian: load($0)) })
            case .bool: .booleans(bytes.map { $0 != 0 })
            }
        return Tensor(values, shape: shape)
    }

    private func load<Number: BitwiseCopyable>(_ index: Int) -> Number {
        bytes.withUnsafeBytes { raw in
            raw.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: Number.self)
        }
    }

    /// A 16-bit float; Swift's own type for them is not on every computer.
    private static func widened(_ half: UInt16) -> Float {
        let sign: Float = half & 0x8000 == 0 ? 1 : -1
        let exponent = Int(half >> 10 & 0x1F)
        let fraction = Float(half & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
    }
}

extension GoldenTensor: Decodable {
    private enum CodingKeys: String, CodingKey {
        case dtype, shape, stride, data
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        element = try values.decode(Element.self, forKey: .dtype)
        shape = try values.decode([Int].self, forKey: .shape)
        stride = try values.decode(Int.self, forKey: .stride)
        bytes = [UInt8](try values.decode(Data.self, forKey: .data))
        guard let size = Tensor.size(of: shape), stride >= 1, bytes.count % element.bytes == 0,
            size / stride + (size % stride > 0 ? 1 : 0) == bytes.count / element.bytes
        else {
            throw ModelError(
                "a recorded tensor of \(element.rawValue)\(shape), every \(stride). value, has \(bytes.count) bytes",
                "make golden.json anew")
        }
        self.size = size
    }
}

/// One case for the model itself.
public struct GoldenCase: Decodable, Sendable {
    public let inputs: [String: GoldenTensor]
    public let outputs: [String: GoldenTensor]
}

/// Recorded cases: `cases` for the model on a device, `steps` for everything around it.
public struct GoldenVectors: Sendable {
    /// Absolute tolerance of a model's output value.
    public let atol: Double
    /// Relative tolerance of a model's output value.
    public let rtol: Double
    public let cases: [GoldenCase]
    let steps: [GoldenStep]

    /// Reads golden.json.
    public static func read(_ data: Data) throws -> GoldenVectors {
        let file: GoldenFile
        do {
            let version = try JSONDecoder().decode(GoldenVersion.self, from: data)
            guard version.format == "edge-golden", version.formatVersion.hasPrefix("1.") else {
                throw ModelError("these are no golden vectors of this version", "run edge scaffold update")
            }
            file = try JSONDecoder().decode(GoldenFile.self, from: data)
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError("golden.json is damaged: \(error)", "run edge scaffold update", cause: error)
        }
        return GoldenVectors(
            atol: file.tolerance.atol, rtol: file.tolerance.rtol, cases: file.model, steps: file.steps)
    }
}

private struct GoldenVersion: Decodable {
    let format: String
    let formatVersion: String

    private enum CodingKeys: String, CodingKey {
        case format
        case formatVersion = "format_version"
    }
}

private struct GoldenFile: Decodable {
    struct Tolerance: Decodable {
        let atol: Double
        let rtol: Double
    }

    let tolerance: Tolerance
    let model: [GoldenCase]
    let steps: [GoldenStep]
}
