/// From a picture to the tensor that a model takes: the steps of the contract, in its order.
public enum Preprocess {
    /// The values of a tensor with a batch of one: [1, height, width, channels], or [1, channels, height, width].
    ///
    /// For frame after frame keep a `Preprocessor`.
    public static func image(_ picture: Picture, _ spec: ImageSpec) throws -> [Float] {
        var out = [Float](repeating: 0, count: spec.size)
        var preprocessor = Preprocessor(spec)
        try preprocessor.image(picture, into: &out)
        return out
    }

    /// The input that a picture becomes, in the contract's type: integers are rounded half to even, and clipped.
    public static func tensor(_ picture: Picture, _ input: TensorSpec) throws -> Tensor {
        guard let spec = input.image else {
            throw ModelError("input \(input.name) is no picture", "give its tensor instead")
        }
        let values = try image(picture, spec)
        guard values.count == input.size else {
            throw ModelError("a picture gives \(values.count) values", "input \(input.name) takes \(input.size)")
        }
        let converted: Tensor.Values =
            switch input.type {
            case .float32, .float16: .floats(values)
            case .int8: .int8s(values.map { whole($0) })
            case .uint8: .uint8s(values.map { whole($0) })
            case .int32: .ints(values.map { whole($0) })
            case .int64: .longs(values.map { whole($0) })
            case .bool:
                throw ModelError("a picture cannot become truth values", "give input \(input.name) as a tensor")
            }
        return Tensor(converted, shape: input.shape)
    }

    private static func whole<Whole: FixedWidthInteger>(_ value: Float) -> Whole {
        let rounded = value.rounded(.toNearestOrEven)
        if rounded >= Float(Whole.max) { return Whole.max }
        if rounded <= Float(Whole.min) { return Whole.min }
        return rounded.isNaN ? 0 : Whole(rounded)
    }
}
