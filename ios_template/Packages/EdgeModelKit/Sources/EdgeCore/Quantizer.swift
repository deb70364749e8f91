/// Real numbers to stored integers and back, as the runner of edge_sdk computes it on boards.
public enum Quantizer {
    /// Stored integers: real / scale in 32-bit floats, rounded half away from zero, plus the zero point, clipped.
    static func quantize<Stored: FixedWidthInteger>(
        _ real: [Float], _ quantization: Quantization, as type: Stored.Type = Stored.self
    ) throws -> [Stored] {
        try real.map { try integer($0, quantization) }
    }

    /// Real numbers: scale * (stored - zero point), in 32-bit floats.
    static func dequantize<Stored: FixedWidthInteger>(
        _ stored: [Stored], _ quantization: Quantization
    ) -> [Float] {
        // The difference of 32-bit integers may wrap, as it does for the runner.
        stored.map { quantization.scale * Float(Int32($0) &- quantization.zeroPoint) }
    }

    /// What the model takes for an input: the tensor itself where nothing is converted.
    public static func toStored(_ tensor: Tensor, _ spec: TensorSpec) throws -> Tensor {
        guard let quantization = spec.quantization else { return try unchanged(tensor, spec) }
        let real = try tensor.floats()
        let values: Tensor.Values =
            switch spec.storedType {
            case .int8: .int8s(try quantize(real, quantization))
            case .uint8: .uint8s(try quantize(real, quantization))
            case .int32: .ints(try quantize(real, quantization))
            default: throw impossible(spec)
            }
        return Tensor(values, shape: tensor.shape)
    }

    /// What an output of the model means: the tensor itself where nothing is converted.
    public static func fromStored(_ stored: Tensor, _ spec: TensorSpec) throws -> Tensor {
        guard let quantization = spec.quantization else { return try unchanged(stored, spec) }
        let real: [Float] =
            switch stored.values {
            case .int8s(let values): dequantize(values, quantization)
            case .uint8s(let values): dequantize(values, quantization)
            case .ints(let values): dequantize(values, quantization)
            default: throw impossible(spec)
            }
        return Tensor(real, shape: stored.shape)
    }

    /// Floats of 16 bits are read and written where they are, so here they are floats like others.
    private static func unchanged(_ tensor: Tensor, _ spec: TensorSpec) throws -> Tensor {
        let stored: ElementType = spec.storedType == .float16 ? .float32 : spec.storedType
        guard spec.type == stored else { throw impossible(spec) }
        return tensor
    }

    private static func impossible(_ spec: TensorSpec) -> ModelError {
        ModelError(
            "tensor \(spec.name) is \(spec.type.rawValue), and stored as \(spec.storedType.rawValue)",
            "make the project anew with edge scaffold update"
        )
    }

    private static func integer<Stored: FixedWidthInteger>(
        _ real: Float, _ quantization: Quantization
    ) throws -> Stored {
        let scaled = real / quantization.scale
        if scaled.isNaN {
            throw ModelError("there is NaN among the values", "an integer tensor cannot hold it")
        }
        let room = Float(Int64(Stored.max) - Int64(Stored.min) + 1)
        let clipped = min(max(scaled, -room), room)
        // Truncation and the difference are exact, so a value just below one half is not lifted to it.
        let whole = clipped.rounded(.towardZero)
        let rest = clipped - whole
        let rounded = Int64(whole) + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0)
        return Stored(clamping: rounded + Int64(quantization.zeroPoint))
    }
}
