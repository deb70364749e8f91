import Foundation

/// Activations over the last axis: computed in double, answered in float32; large values do not overflow.
public enum Activations {
    /// Applies an activation to rows of `width` values.
    public static func apply(_ values: [Float], width: Int, _ activation: Activation) throws -> [Float] {
        switch activation {
        case .none: values
        case .softmax: try softmax(values, width: width)
        case .sigmoid: sigmoid(values)
        }
    }

    /// Softmax of each row of `width` values.
    public static func softmax(_ values: [Float], width: Int) throws -> [Float] {
        if values.isEmpty { return values }
        guard width > 0, values.count % width == 0 else {
            throw ModelError("\(values.count) values are no rows of \(width)", "give the size of the last axis")
        }
        var out = [Float](repeating: 0, count: values.count)
        var powers = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: values.count, by: width) {
            var highest = -Double.infinity
            for value in values[start..<start + width] {
                // NaN in a row makes the whole row NaN, as it does in NumPy.
                if Double(value) > highest || value.isNaN { highest = Double(value) }
                if value.isNaN { break }
            }
            var sum = 0.0
            for index in 0..<width {
                powers[index] = exp(Double(values[start + index]) - highest)
                sum += powers[index]
            }
            for index in 0..<width { out[start + index] = Float(powers[index] / sum) }
        }
        return out
    }

    /// 1 / (1 + exp(-value)) of each value.
    public static func sigmoid(_ values: [Float]) -> [Float] { values.map { sigmoid($0) } }

    /// The same of one value.
    public static func sigmoid(_ value: Float) -> Float {
        let wide = Double(value)
        let small = exp(-abs(wide))
        return Float((wide >= 0 ? 1 : small) / (1 + small))
    }
}
