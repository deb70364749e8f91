/// Which source indices make an output index along one axis, with which weights.
struct Taps: Sendable {
    /// How many of each belong to one output index.
    let taps: Int
    /// Sources, one output index after the other.
    let indices: [Int]
    /// Weights of these sources.
    let weights: [Float]
}

/// Resizing along one axis, exactly as docs/reference/contract.md defines it: the same numbers as
/// tf.image.resize. A picture is the sum of its taps, rows first, in float32 and in the order of the taps.
enum Resize {
    /// How to bring `sizeIn` pixels to `sizeOut`; a size that fits already stays as it is.
    static func taps(_ sizeIn: Int, _ sizeOut: Int, _ method: ImageSpec.ResizeMethod) throws -> Taps {
        if sizeIn == sizeOut { return single(Array(0..<sizeOut)) }
        switch method {
        case .bilinear: return bilinear(sizeIn, sizeOut)
        case .bilinearAntialias: return antialias(sizeIn, sizeOut)
        case .nearest: return single(nearest(sizeIn, sizeOut))
        case .none: throw ModelError("\(sizeIn) pixels do not fit \(sizeOut)", "the contract says resize = none")
        }
    }

    private static func single(_ indices: [Int]) -> Taps {
        Taps(taps: 1, indices: indices, weights: [Float](repeating: 1, count: indices.count))
    }

    private static func nearest(_ sizeIn: Int, _ sizeOut: Int) -> [Int] {
        let scale = Float(sizeIn) / Float(sizeOut)
        return (0..<sizeOut).map { index in min(Int(((Float(index) + 0.5) * scale).rounded(.down)), sizeIn - 1) }
    }

    private static func bilinear(_ sizeIn: Int, _ sizeOut: Int) -> Taps {
        let scale = Double(sizeIn) / Double(sizeOut)
        var indices: [Int] = []
        var weights: [Float] = []
        for index in 0..<sizeOut {
            let point = (Double(index) + 0.5) * scale - 0.5
            let low = point.rounded(.down)
            indices += [clamp(Int(low), sizeIn), clamp(Int(low) + 1, sizeIn)]
            weights += [Float(1 - (point - low)), Float(point - low)]
        }
        return Taps(taps: 2, indices: indices, weights: weights)
    }

    private static func antialias(_ sizeIn: Int, _ sizeOut: Int) -> Taps {
        let scale = Double(sizeIn) / Double(sizeOut)
        let radius = max(scale, 1)
        let taps = Int((2 * radius).rounded(.down)) + 1
        var indices: [Int] = []
        var weights: [Float] = []
        var row = [Double](repeating: 0, count: taps)
        for index in 0..<sizeOut {
            let sample = (Double(index) + 0.5) * scale
            let first = Int((sample - radius - 0.5).rounded(.up))
            var sum = 0.0
            for tap in 0..<taps {
                let source = first + tap
                let inside = source >= 0 && source < sizeIn
                row[tap] = inside ? max(1 - abs(Double(source) + 0.5 - sample) / radius, 0) : 0
                sum += row[tap]
                indices.append(clamp(source, sizeIn))
            }
            for weight in row { weights.append(Float(weight / sum)) }
        }
        return Taps(taps: taps, indices: indices, weights: weights)
    }

    private static func clamp(_ index: Int, _ size: Int) -> Int { min(max(index, 0), size - 1) }
}
