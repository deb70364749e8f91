@_exported import CoreVideo

public enum MLMultiArrayDataType: Int, Sendable {
    case double, float32, float16, int32, int8

    var size: Int {
        switch self {
        case .double: 8
        case .float32, .int32: 4
        case .float16: 2
        case .int8: 1
        }
    }
}

public final class MLMultiArray {
    public let shape: [NSNumber]
    public let strides: [NSNumber]
    public let dataType: MLMultiArrayDataType
    private let room: Int
    private let bytes: UnsafeMutableRawPointer

    /// The last axis has a gap of one element behind it, the first one of five.
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws {
        self.shape = shape
        self.dataType = dataType
        var strides: [Int] = []
        var step = 1
        for (axis, size) in shape.enumerated().reversed() {
            strides.insert(step, at: 0)
            step = step * size.intValue + (axis == shape.count - 1 ? 1 : 0) + (axis == 0 ? 5 : 0)
        }
        self.strides = strides.map { NSNumber(value: $0) }
        room = step * dataType.size
        bytes = .allocate(byteCount: room, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0xA5, count: room)
    }

    deinit { bytes.deallocate() }

    public var count: Int { shape.reduce(1) { $0 * $1.intValue } }

    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: bytes, count: room))
    }

    public func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R) rethrows -> R {
        try body(UnsafeMutableRawBufferPointer(start: bytes, count: room), strides.map(\.intValue))
    }

    /// Places of the elements in order, found the slow way.
    func places() -> [Int] {
        var places = [0]
        for (size, step) in zip(shape, strides) {
            places = places.flatMap { place in (0..<size.intValue).map { place + $0 * step.intValue } }
        }
        return places
    }

    func values() -> [Double] {
        places().map { place in
            let start = bytes + place * dataType.size
            return switch dataType {
            case .double: start.load(as: Double.self)
            case .float32: Double(start.load(as: Float.self))
            case .float16: Double(start.load(as: Float16.self))
            case .int32: Double(start.load(as: Int32.self))
            case .int8: Double(start.load(as: Int8.self))
            }
        }
    }

    func set(_ values: [Double]) {
        for (place, value) in zip(places(), values) {
            let start = bytes + place * dataType.size
            switch dataType {
            case .double: start.storeBytes(of: value, as: Double.self)
            case .float32: start.storeBytes(of: Float(value), as: Float.self)
            case .float16: start.storeBytes(of: Float16(value), as: Float16.self)
            case .int32: start.storeBytes(of: Int32(value), as: Int32.self)
            case .int8: start.storeBytes(of: Int8(value), as: Int8.self)
            }
        }
    }
}

public final class MLFeatureValue {
    public let multiArrayValue: MLMultiArray?
    let pixelBuffer: CVPixelBuffer?

    public init(multiArray: MLMultiArray) { (multiArrayValue, pixelBuffer) = (multiArray, nil) }
    public init(pixelBuffer: CVPixelBuffer) { (multiArrayValue, self.pixelBuffer) = (nil, pixelBuffer) }
}

public protocol MLFeatureProvider {
    func featureValue(for name: String) -> MLFeatureValue?
}

public final class MLDictionaryFeatureProvider: MLFeatureProvider {
    private let dictionary: [String: Any]

    public init(dictionary: [String: Any]) throws { self.dictionary = dictionary }

    public func featureValue(for name: String) -> MLFeatureValue? { dictionary[name] as? MLFeatureValue }
}

public enum MLComputeUnits: Int, Sendable { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }

public final class MLModelConfiguration {
    public var computeUnits = MLComputeUnits.all
    public var modelDisplayName: String?
    public var functionName: String?

    public init() {}
}

public enum MLFeatureType: Sendable { case image, multiArray, dictionary, string }

public final class MLMultiArrayConstraint {
    public let dataType: MLMultiArrayDataType

    init(_ dataType: MLMultiArrayDataType) { self.dataType = dataType }
}

public final class MLFeatureDescription {
    public let type: MLFeatureType
    public let multiArrayConstraint: MLMultiArrayConstraint?

    init(_ dataType: MLMultiArrayDataType?) {
        type = dataType == nil ? .image : .multiArray
        multiArrayConstraint = dataType.map { MLMultiArrayConstraint($0) }
    }
}

public final class MLModelDescription {
    public let inputDescriptionsByName: [String: MLFeatureDescription]
    public let outputDescriptionsByName: [String: MLFeatureDescription]

    init(_ inputs: [String: MLMultiArrayDataType?], _ outputs: [String: MLMultiArrayDataType]) {
        inputDescriptionsByName = inputs.mapValues { MLFeatureDescription($0) }
        outputDescriptionsByName = outputs.mapValues { MLFeatureDescription($0) }
    }
}

public struct Failure: LocalizedError {
    let text: String

    public var errorDescription: String? { text }
}

/// y = 2 x + when + sum of all values of the picture, each times its place in the tensor; n = when + 1.
///
/// The file `behaviour.json` in the model's folder says for each choice of units what is wrong with it: "fails to open",
/// "fails to run", "wrong", "slow", "dies". Each opening leaves a line in `opened.txt` beside it.
public final class MLModel {
    public let modelDescription = MLModelDescription(
        ["x": .float32, "when_stored": .int32, "picture": nil as MLMultiArrayDataType?],
        ["y_stored": .float16, "n": .int32])
    private let behaviour: String

    private init(_ behaviour: String) { self.behaviour = behaviour }

    public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws -> MLModel {
        let data = try Data(contentsOf: url.appendingPathComponent("behaviour.json"))
        let behaviours = try JSONDecoder().decode([String: String].self, from: data)
        let units = "\(configuration.computeUnits)"
        let log = url.appendingPathComponent("opened.txt")
        let before = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        try (before + units + "\n").write(to: log, atomically: true, encoding: .utf8)
        // Others get their turn meanwhile.
        try? await Task.sleep(nanoseconds: 50_000_000)
        if behaviours[units] == "slow" { try? await Task.sleep(nanoseconds: 300_000_000) }
        try (try String(contentsOf: log, encoding: .utf8) + "done\n").write(to: log, atomically: true, encoding: .utf8)
        if behaviours[units] == "fails to open" { throw Failure(text: "there is no \(units) today") }
        if behaviours[units] == "dies" { exit(9) }
        return MLModel(behaviours[units] ?? "")
    }

    public static func compileModel(at url: URL) async throws -> URL {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("compiled-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: url, to: out)
        return out
    }

    public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
        if behaviour == "fails to run" { throw Failure(text: "out of memory") }
        guard let x = input.featureValue(for: "x")?.multiArrayValue,
            let when = input.featureValue(for: "when_stored")?.multiArrayValue?.values()[0],
            let picture = input.featureValue(for: "picture")?.pixelBuffer
        else { throw Failure(text: "an input is missing") }
        let sum = pixels(picture)
        let wrong = behaviour == "wrong" ? 1.0 : 0
        let y = try MLMultiArray(shape: x.shape, dataType: .float16)
        y.set(x.values().map { 2 * $0 + when + sum + wrong })
        let n = try MLMultiArray(shape: [1], dataType: .int32)
        n.set([when + 1])
        return try MLDictionaryFeatureProvider(
            dictionary: ["y_stored": MLFeatureValue(multiArray: y), "n": MLFeatureValue(multiArray: n)])
    }

    /// Of a tensor [1, rows, columns, 3] in the order blue, green, red: value = pixel / 255 + (-0.5, 0, 0.5).
    private func pixels(_ picture: CVPixelBuffer) -> Double {
        var sum = 0.0
        var place = 1.0
        for row in 0..<picture.height {
            for column in 0..<picture.width {
                for (channel, pixel) in picture.pixel(row, column).enumerated() {
                    sum += place * (Double(pixel) / 255 + Double(channel - 1) / 2)
                    place += 1
                }
            }
        }
        return sum
    }
}
