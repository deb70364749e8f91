import Foundation

/// A corner or a keypoint, as shares of the model's input picture.
public struct Point: Sendable, Equatable {
    public let y: Double
    public let x: Double

    public init(y: Double, x: Double) {
        self.y = y
        self.x = x
    }
}

/// A rectangle as shares of a picture; may lie outside of it.
public struct Box: Sendable, Equatable {
    public let top: Double
    public let left: Double
    public let bottom: Double
    public let right: Double

    public init(top: Double, left: Double, bottom: Double, right: Double) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    /// Where this box of the model's input lies in the picture that the input was made from.
    public func inPicture(rows: Int, columns: Int, _ spec: ImageSpec) -> Box {
        let place = Placement.of(rows: rows, columns: columns, spec)
        let tall = Double(place.sourceRows) / Double(place.rows)
        let wide = Double(place.sourceColumns) / Double(place.columns)

        func y(_ share: Double) -> Double {
            (Double(place.sourceTop) + (share * Double(spec.height) - Double(place.top)) * tall) / Double(rows)
        }

        func x(_ share: Double) -> Double {
            (Double(place.sourceLeft) + (share * Double(spec.width) - Double(place.left)) * wide) / Double(columns)
        }
        return Box(top: y(top), left: x(left), bottom: y(bottom), right: x(right))
    }
}

/// One thing in a picture.
public struct Detection: Sendable, Equatable {
    public let box: Box
    public let index: Int
    public let label: String?
    public let score: Double
    public let keypoints: [Point]

    public init(box: Box, index: Int, label: String?, score: Double, keypoints: [Point]) {
        self.box = box
        self.index = index
        self.label = label
        self.score = score
        self.keypoints = keypoints
    }
}

/// From output tensors to boxes: the steps of docs/reference/contract.md, in double, in its order.
public enum Boxes {
    /// Boxes of one sample, best first. The outputs are real numbers with a batch of one.
    public static func detect(
        _ outputs: [String: Tensor], _ spec: DetectionSpec, labels: [String]
    ) throws -> [Detection] {
        let given = try DetectionTensors(outputs, spec)
        let scores = try BoxScores(given, spec)
        let decoder = BoxDecoder(given.boxes, spec)
        var found: [Candidate] = []
        for place in 0..<given.meant {
            let (score, index) = scores.best(place)
            // Written so that NaN, in a score or a corner, leaves a box out.
            guard score >= spec.threshold else { continue }
            let shape = decoder.shape(place)
            guard shape[2] > shape[0], shape[3] > shape[1], shape.allSatisfy(\.isFinite) else { continue }
            found.append(Candidate(shape: shape, score: score, index: index))
        }
        let order = Ranking.descending(Array(found.indices), by: found.map(\.score))
        return suppress(order.map { found[$0] }, spec).map { one in
            Detection(
                box: Box(top: one.shape[1], left: one.shape[0], bottom: one.shape[3], right: one.shape[2]),
                index: one.index,
                label: labels.element(one.index),
                score: one.score,
                keypoints: (0..<spec.keypoints).map { point in
                    Point(y: one.shape[5 + 2 * point], x: one.shape[4 + 2 * point])
                })
        }
    }

    /// Leaves one box of several that show the same thing; the candidates are sorted, the best one first.
    private static func suppress(_ candidates: [Candidate], _ spec: DetectionSpec) -> [Candidate] {
        var found: [Candidate] = []
        var left = candidates
        while let first = left.first, found.count < spec.limit {
            if spec.suppression == .none { return Array(candidates.prefix(spec.limit)) }
            var group = [first]
            var others: [Candidate] = []
            for one in left.dropFirst() {
                if one.index == first.index, first.overlap(one) > spec.overlap {
                    group.append(one)
                } else {
                    others.append(one)
                }
            }
            found.append(spec.suppression == .weighted ? average(group) : first)
            left = others
        }
        return found
    }

    /// The first one, in the place that all of them have on average, weighted by their scores.
    private static func average(_ group: [Candidate]) -> Candidate {
        var total = 0.0
        var shape = [Double](repeating: 0, count: group[0].shape.count)
        for one in group {
            for part in shape.indices { shape[part] += one.shape[part] * one.score }
            total += one.score
        }
        // All scores may be 0 where the threshold is.
        guard total > 0 else { return group[0] }
        return Candidate(shape: shape.map { $0 / total }, score: group[0].score, index: group[0].index)
    }
}

/// A box that is good enough: left, top, right, bottom, then x and y of each keypoint.
private struct Candidate {
    let shape: [Double]
    let score: Double
    let index: Int

    /// Intersection over union; an infinite area overlaps with nothing.
    func overlap(_ other: Candidate) -> Double {
        let wide = max(min(shape[2], other.shape[2]) - max(shape[0], other.shape[0]), 0)
        let tall = max(min(shape[3], other.shape[3]) - max(shape[1], other.shape[1]), 0)
        let common = wide * tall
        let union = area + other.area - common
        return union > 0 ? common / union : 0
    }

    private var area: Double { (shape[2] - shape[0]) * (shape[3] - shape[1]) }
}

/// The tensors that boxes are made of, checked against each other.
private struct DetectionTensors {
    let boxes: Tensor
    let scores: Tensor
    let indices: Tensor?
    /// How many boxes count.
    let meant: Int
    /// How many scores each has.
    let classes: Int

    init(_ outputs: [String: Tensor], _ spec: DetectionSpec) throws {
        func named(_ name: String) throws -> Tensor {
            guard let tensor = outputs[name] else {
                throw ModelError("there is no output \(name)", "there are \(outputs.keys.sorted())")
            }
            return tensor
        }
        func wrong(_ name: String, _ tensor: Tensor, _ why: String) -> ModelError {
            ModelError("output \(name) has shape \(tensor.shape)", why)
        }
        let width = 4 + 2 * spec.keypoints
        boxes = try named(spec.boxes)
        let shape = boxes.shape
        guard shape.count >= 2, shape.last == width, shape.count == 2 || shape[0] == 1 else {
            throw wrong(
                spec.boxes, boxes, "boxes are [1, N, \(width)]: four numbers and \(spec.keypoints) keypoints")
        }
        let count = boxes.size / width
        let anchors = spec.anchors.reduce(0) { $0 + $1.count }
        guard spec.anchors.isEmpty || anchors == count else {
            throw wrong(spec.boxes, boxes, "there are \(anchors) anchors")
        }
        scores = try named(spec.scores)
        guard count > 0, scores.size > 0, scores.size % count == 0 else {
            throw wrong(spec.scores, scores, "each of \(count) boxes needs a score")
        }
        classes = scores.size / count
        indices = try spec.classes.map(named)
        if let indices, indices.size != count || classes != 1 {
            throw wrong(spec.classes ?? "", indices, "\(count) boxes have a class and one score each")
        }
        guard let name = spec.count else {
            meant = count
            return
        }
        let counted = try named(name)
        guard counted.size > 0 else { throw wrong(name, counted, "it says how many boxes are meant") }
        let given = counted.real(0)
        meant = given.isFinite ? Int(min(max(given, 0), Double(count))) : 0
    }
}

/// Finds each box's best class, the lowest index of equal ones.
private struct BoxScores {
    private let values: [Double]
    private let indices: [Double]?
    private let classes: Int
    private let skipped: Int?
    private let sigmoid: Bool

    init(_ given: DetectionTensors, _ spec: DetectionSpec) throws {
        classes = given.classes
        indices = given.indices?.reals()
        skipped = classes > 1 ? spec.background : nil
        // Softmax needs whole rows; the sigmoid of a score is taken where it may be the best one.
        sigmoid = spec.activation == .sigmoid
        values =
            spec.activation == .softmax
            ? try Activations.softmax(given.scores.toFloats(), width: classes).map { Double($0) }
            : given.scores.reals()
    }

    func best(_ place: Int) -> (score: Double, index: Int) {
        if let indices {
            // A whole number as a rule; no class where it is none, or too large for one.
            return (active(values[place]), Int(exactly: indices[place].rounded(.toNearestOrEven)) ?? -1)
        }
        var found = (score: -Double.infinity, index: 0)
        var highest = Double.nan
        for candidate in 0..<classes where candidate != skipped {
            let raw = values[place * classes + candidate]
            // What is not above the highest number before it has no higher sigmoid, either.
            if raw.isNaN || raw <= highest { continue }
            highest = raw
            let score = active(raw)
            if score > found.score { found = (score, candidate) }
        }
        return found
    }

    private func active(_ raw: Double) -> Double { sigmoid ? Double(Activations.sigmoid(Float(raw))) : raw }
}

/// Makes left, top, right, bottom, then x and y of each keypoint, out of a box's numbers.
private struct BoxDecoder {
    private let raw: Tensor
    private let spec: DetectionSpec
    private let width: Int

    init(_ raw: Tensor, _ spec: DetectionSpec) {
        self.raw = raw
        self.spec = spec
        width = 4 + 2 * spec.keypoints
    }

    func shape(_ place: Int) -> [Double] {
        var out = [Double](repeating: 0, count: width)
        let swap = spec.form.yFirst ? 1 : 0
        for from in 0..<width {
            // A keypoint is divided like the first two numbers; x comes first in what is made.
            out[from ^ swap] = raw.real(place * width + from) / spec.boxScale[from < 4 ? from : from & 1]
        }
        if !spec.anchors.isEmpty {
            let (centre, size) = anchor(place)
            for part in 0...1 {
                out[part] = out[part] * size[part] + centre[part]
                out[part + 2] = (spec.exponential ? exp(out[part + 2]) : out[part + 2]) * size[part]
                for point in stride(from: 4 + part, to: width, by: 2) {
                    out[point] = out[point] * size[part] + centre[part]
                }
            }
        }
        for part in 0...1 {
            if spec.form.centred {
                let half = out[part + 2] / 2
                out[part + 2] = out[part] + half
                out[part] -= half
            } else if spec.form == .xywh {
                out[part + 2] += out[part]
            }
        }
        return out
    }

    /// x and y of an anchor's centre, and its width and height.
    private func anchor(_ place: Int) -> (centre: [Double], size: [Double]) {
        var rest = place
        for grid in spec.anchors {
            if rest >= grid.count {
                rest -= grid.count
                continue
            }
            let (cell, which) = rest.quotientAndRemainder(dividingBy: grid.sizes.count)
            let (row, column) = cell.quotientAndRemainder(dividingBy: grid.columns)
            let size = grid.sizes[which]
            return (
                [(Double(column) + 0.5) / Double(grid.columns), (Double(row) + 0.5) / Double(grid.rows)],
                [size.width, size.height]
            )
        }
        preconditionFailure("there are as many anchors as boxes")
    }
}
