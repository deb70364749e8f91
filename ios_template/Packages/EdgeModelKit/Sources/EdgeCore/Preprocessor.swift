/// Makes tensors of pictures, again and again: what depends on the size of the pictures alone is kept, and
/// nothing is allocated while the size stays the same.
public struct Preprocessor: Sendable {
    private let steps: PixelSteps
    private var plan: PixelPlan?

    /// One row of the source, summed over its taps; up to three values a pixel.
    private var line: [Float] = []

    public init(_ spec: ImageSpec) {
        steps = PixelSteps(spec)
    }

    /// Writes the tensor of a picture.
    ///
    /// - Parameter out: as long as the tensor; every value is written.
    public mutating func image(_ picture: Picture, into out: inout [Float]) throws {
        let spec = steps.spec
        guard out.count == spec.size else {
            throw ModelError("the array has \(out.count) values", "the picture takes \(spec.size)")
        }
        let plan = try plan(for: picture)
        // Channels are resized one by one, so their order, and the two copies of a gray one, can wait.
        let sourceChannels = spec.channels == 1 ? 1 : picture.channels
        let size = plan.place.sourceColumns * sourceChannels
        if line.count < size { line = [Float](repeating: 0, count: size) }
        let steps = steps
        line.withUnsafeMutableBufferPointer { line in
            out.withUnsafeMutableBufferPointer { out in
                let rows = SourceRows(picture: picture, plan: plan, luma: sourceChannels < picture.channels)
                let writer = TensorWriter(steps: steps, plan: plan, line: UnsafeBufferPointer(line), out: out)
                for row in 0..<spec.height {
                    let y = row - plan.place.top
                    if y < 0 || y >= plan.place.rows {
                        writer.pad(row, 0..<spec.width)
                        continue
                    }
                    rows.sum(y, into: line, size)
                    writer.pad(row, 0..<plan.place.left)
                    writer.pad(row, plan.place.left + plan.place.columns..<spec.width)
                    if sourceChannels == 3 { writer.writeColor(row) } else { writer.writeGray(row) }
                }
            }
        }
    }

    private mutating func plan(for picture: Picture) throws -> PixelPlan {
        if let plan, plan.rows == picture.height, plan.columns == picture.width { return plan }
        let made = try PixelPlan(rows: picture.height, columns: picture.width, steps.spec)
        plan = made
        return made
    }
}

/// What depends on the size of a picture.
private struct PixelPlan: Sendable {
    let rows: Int
    let columns: Int
    let place: Placement
    let down: Taps
    let across: Taps

    init(rows: Int, columns: Int, _ spec: ImageSpec) throws {
        let place = Placement.of(rows: rows, columns: columns, spec)
        if spec.resize == .none, place.sourceRows != place.rows || place.sourceColumns != place.columns {
            throw ModelError(
                "the picture is \(place.sourceColumns) x \(place.sourceRows), "
                    + "the model takes \(place.columns) x \(place.rows)",
                "give a picture of that size, or set resize in edge.toml"
            )
        }
        self.rows = rows
        self.columns = columns
        self.place = place
        down = try Resize.taps(place.sourceRows, place.rows, spec.resize)
        across = try Resize.taps(place.sourceColumns, place.columns, spec.resize)
    }
}

/// What does not: the numbers of each channel, and where its values lie in the tensor.
private struct PixelSteps: Sendable {
    let spec: ImageSpec
    let channels: [Channel]
    /// How far apart channels and columns are in the tensor.
    let channelStep: Int
    let columnStep: Int

    struct Channel: Sendable {
        let scale: Float
        let mean: Float
        let std: Float

        func normal(_ pixel: Float) -> Float { (pixel * scale - mean) / std }
    }

    init(_ spec: ImageSpec) {
        self.spec = spec
        channels = (0..<spec.channels).map { channel in
            Channel(
                scale: spec.scale,
                mean: spec.mean[spec.mean.count == 1 ? 0 : channel],
                std: spec.std[spec.std.count == 1 ? 0 : channel])
        }
        let planes = spec.layout == .nchw
        channelStep = planes ? spec.height * spec.width : 1
        columnStep = planes ? 1 : spec.channels
    }
}

/// Sums the source rows that make one row of the result.
private struct SourceRows {
    let picture: Picture
    let plan: PixelPlan
    /// Whether three channels become one.
    let luma: Bool

    func sum(_ y: Int, into line: UnsafeMutableBufferPointer<Float>, _ size: Int) {
        line[0..<size].update(repeating: 0)
        let place = plan.place
        picture.pixels.withUnsafeBufferPointer { pixels in
            for tap in y * plan.down.taps..<(y + 1) * plan.down.taps {
                let weight = plan.down.weights[tap]
                if weight == 0 { continue }
                let row = place.sourceTop + plan.down.indices[tap]
                let from = (row * picture.width + place.sourceLeft) * picture.channels
                if luma {
                    for index in 0..<size { line[index] += Self.luma(pixels, from + 3 * index) * weight }
                } else {
                    for index in 0..<size { line[index] += Float(pixels[from + index]) * weight }
                }
            }
        }
    }

    /// ITU-R 601 in 16-bit fixed point, rounded: what Pillow's convert("L") computes.
    private static func luma(_ pixels: UnsafeBufferPointer<UInt8>, _ from: Int) -> Float {
        let (red, green, blue) = (Int32(pixels[from]), Int32(pixels[from + 1]), Int32(pixels[from + 2]))
        let sum: Int32 = red * 19595 + green * 38470
        let rounded: Int32 = sum + blue * 7471 + 0x8000
        return Float(rounded >> 16)
    }
}

/// Sums the pixels of a line that make one pixel of the tensor, and writes them where they belong.
private struct TensorWriter {
    let steps: PixelSteps
    let plan: PixelPlan
    let line: UnsafeBufferPointer<Float>
    let out: UnsafeMutableBufferPointer<Float>

    func writeColor(_ row: Int) {
        let across = plan.across
        // Where red and blue end up.
        let first = steps.spec.color == .bgr ? 2 : 0
        let last = 2 - first
        let (redSteps, greenSteps, blueSteps) = (steps.channels[first], steps.channels[1], steps.channels[last])
        let step = steps.channelStep
        var to = start(row, plan.place.left)
        var tap = 0
        across.weights.withUnsafeBufferPointer { weights in
            across.indices.withUnsafeBufferPointer { indices in
                for _ in 0..<plan.place.columns {
                    var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
                    for _ in 0..<across.taps {
                        let weight = weights[tap]
                        let from = 3 * indices[tap]
                        red += line[from] * weight
                        green += line[from + 1] * weight
                        blue += line[from + 2] * weight
                        tap += 1
                    }
                    out[to + first * step] = redSteps.normal(red)
                    out[to + step] = greenSteps.normal(green)
                    out[to + last * step] = blueSteps.normal(blue)
                    to += steps.columnStep
                }
            }
        }
    }

    func writeGray(_ row: Int) {
        let across = plan.across
        var to = start(row, plan.place.left)
        var tap = 0
        for _ in 0..<plan.place.columns {
            var gray: Float = 0
            for _ in 0..<across.taps {
                gray += line[across.indices[tap]] * across.weights[tap]
                tap += 1
            }
            for (channel, numbers) in steps.channels.enumerated() {
                out[to + channel * steps.channelStep] = numbers.normal(gray)
            }
            to += steps.columnStep
        }
    }

    /// Padding passes through the same steps as any pixel.
    func pad(_ row: Int, _ columns: Range<Int>) {
        for (channel, numbers) in steps.channels.enumerated() {
            let value = numbers.normal(steps.spec.padValue)
            for column in columns {
                out[start(row, column) + channel * steps.channelStep] = value
            }
        }
    }

    private func start(_ row: Int, _ column: Int) -> Int { (row * steps.spec.width + column) * steps.columnStep }
}
