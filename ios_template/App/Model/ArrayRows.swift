/// The numbers of an array in order, as rows without gaps in which neighbours are `step` apart.
struct ArrayRows {
    private let starts: [Int]
    private let length: Int
    private let step: Int

    /// - Parameters:
    ///   - shape: of the array.
    ///   - strides: how far apart neighbours along each axis are, in elements.
    init(shape: [Int], strides: [Int]) {
        var axis = shape.count - 1
        var length = 1
        let step = shape.indices.last { shape[$0] > 1 }.map { strides[$0] } ?? 1
        while axis >= 0, shape[axis] == 1 || strides[axis] == length * step {
            length *= shape[axis]
            axis -= 1
        }
        var starts = [0]
        for outer in 0..<(axis + 1) {
            starts = starts.flatMap { start in (0..<shape[outer]).map { start + $0 * strides[outer] } }
        }
        self.starts = starts
        self.length = length
        self.step = step
    }

    /// Writes values in order.
    func write<Value, Element>(
        _ values: [Value], into bytes: UnsafeMutableRawBufferPointer, convert: (Value) throws -> Element
    ) rethrows {
        let out = bytes.bindMemory(to: Element.self)
        try values.withUnsafeBufferPointer { values in
            var from = 0
            for start in starts {
                for place in 0..<length {
                    out[start + place * step] = try convert(values[from])
                    from += 1
                }
            }
        }
    }

    /// Reads values in order.
    func read<Element, Value>(
        _ element: Element.Type, _ bytes: UnsafeRawBufferPointer, convert: (Element) -> Value
    ) -> [Value] {
        let given = bytes.bindMemory(to: Element.self)
        return [Value](unsafeUninitializedCapacity: starts.count * length) { out, count in
            for start in starts {
                for place in 0..<length {
                    out.initializeElement(at: count, to: convert(given[start + place * step]))
                    count += 1
                }
            }
        }
    }
}
