/// How one step around the model went.
public struct StepResult: Sendable {
    public let index: Int
    public let kind: String
    /// Largest one of a value: for floats as a share of the larger of 1 and the value, for integers in steps.
    public let difference: Double
    /// What is wrong; nil where nothing is.
    public let problem: String?
}

/// Compares what this device computes with what the host recorded. Failures are lines for people.
public enum GoldenCheck {
    /// How far a float of a step may be off: as a share of the larger of 1 and the value.
    public static let stepTolerance = 1e-5

    /// How many steps an integer may be off.
    public static let integerTolerance = 1.0

    /// Runs every step around the model, and returns what is wrong: no model, no device needed.
    public static func steps(_ vectors: GoldenVectors, _ facts: ModelFacts?) -> [String] {
        examine(vectors, facts).compactMap { result in
            result.problem.map { "step \(result.index), \(result.kind): \($0)" }
        }
    }

    /// The same in detail. Facts are needed for steps that do not bring their own spec.
    public static func examine(_ vectors: GoldenVectors, _ facts: ModelFacts?) -> [StepResult] {
        vectors.steps.enumerated().map { index, step in
            var found = Differences()
            do {
                switch step.content {
                case .preprocess(let step): try preprocess(step, facts, &found)
                case .quantize(let step): try quantize(step, facts, &found)
                case .activation(let step): try activation(step, facts, &found)
                case .topClasses(let step): try topClasses(step, facts, &found)
                case .detections(let step): try detections(step, facts, &found)
                case .nothing(let why): found.wrong(why)
                }
            } catch {
                found.wrong("\(error)")
            }
            return StepResult(index: index, kind: step.kind, difference: found.worst, problem: found.problem)
        }
    }

    /// Runs the cases of the model itself, and returns what is wrong.
    public static func cases(
        _ vectors: GoldenVectors,
        isolation: isolated (any Actor)? = #isolation,
        run: ([String: Tensor]) async throws -> [String: Tensor]
    ) async throws -> [String] {
        var problems: [String] = []
        for (index, item) in vectors.cases.enumerated() {
            let outputs = try await run(item.inputs.mapValues { try $0.tensor() })
            problems += compare(index: index, item, outputs, atol: vectors.atol, rtol: vectors.rtol)
        }
        return problems
    }

    /// Compares the outputs of one case of the model: |value - expected| <= atol + rtol * |expected|.
    public static func compare(
        index: Int, _ item: GoldenCase, _ outputs: [String: Tensor], atol: Double, rtol: Double
    ) -> [String] {
        item.outputs.sorted { $0.key < $1.key }.compactMap { name, expected in
            let problem = outputs[name].map { compare(expected, $0, atol, rtol) } ?? "missing"
            return problem.map { "case \(index), output \(name): \($0)" }
        }
    }

    private static func compare(_ expected: GoldenTensor, _ given: Tensor, _ atol: Double, _ rtol: Double) -> String? {
        guard given.size == expected.size else { return "expected \(expected.size) values, got \(given.size)" }
        let values = given.reals()
        var outside = 0
        var worst = -1.0
        var place = 0
        for index in 0..<expected.count {
            let wanted = expected.real(index)
            let error = abs(values[index * expected.stride] - wanted)
            // Written so that NaN is outside, and the worst of all.
            if error <= atol + rtol * abs(wanted) { continue }
            outside += 1
            let weight = error.isNaN ? .infinity : error
            if weight > worst {
                worst = weight
                place = index
            }
        }
        if outside == 0 { return nil }
        let at = place * expected.stride
        return "\(outside) of \(expected.count) values are outside the tolerance; "
            + "the worst, number \(at), should be \(expected.real(place)) and is \(values[at])"
    }

    private static func preprocess(
        _ step: GoldenStep.Preprocess, _ facts: ModelFacts?, _ found: inout Differences
    ) throws {
        let input = step.spec == nil ? try known(facts).input(step.input) : nil
        guard let spec = step.spec ?? input?.image else { return found.wrong("the input is no picture") }
        let shape = step.picture.shape
        guard shape.count == 3 else { return found.wrong("a picture of shape \(shape)") }
        let pixels = try step.picture.byteValues()
        let picture = try Picture(width: shape[1], height: shape[0], channels: shape[2], pixels: pixels)
        found.floats(step.expected, try EdgeCore.Preprocess.image(picture, spec))
        guard let stored = step.stored else { return }
        let target = try input ?? TensorSpec(name: "", type: type(of: stored), shape: stored.shape, image: spec)
        found.integers(stored, try EdgeCore.Preprocess.tensor(picture, target))
    }

    private static func quantize(
        _ step: GoldenStep.Quantize, _ facts: ModelFacts?, _ found: inout Differences
    ) throws {
        let spec: TensorSpec
        if let own = step.spec {
            spec = TensorSpec(
                name: "", type: .float32, shape: step.stored.shape, storedType: try type(of: step.stored),
                quantization: own)
        } else {
            let facts = try known(facts)
            spec = try step.side == "input" ? facts.input(step.tensor) : facts.output(step.tensor)
        }
        found.integers(step.stored, try Quantizer.toStored(step.real.tensor(), spec))
        found.floats(step.restored, try Quantizer.fromStored(step.stored.tensor(), spec).floats())
    }

    private static func activation(
        _ step: GoldenStep.Activate, _ facts: ModelFacts?, _ found: inout Differences
    ) throws {
        guard let kind = try step.spec?.activation ?? known(facts).output(step.output).postprocess?.activation
        else { return found.wrong("the output has no rule") }
        let raw = try step.raw.tensor()
        found.floats(step.expected, try Activations.apply(raw.toFloats(), width: raw.shape.last ?? 1, kind))
    }

    private static func topClasses(
        _ step: GoldenStep.TopClasses, _ facts: ModelFacts?, _ found: inout Differences
    ) throws {
        guard let rule = try step.spec ?? known(facts).output(step.output).postprocess
        else { return found.wrong("the output has no rule") }
        let labels = step.spec == nil ? try known(facts).labels : step.labels
        let scores = try step.scores.tensor().toFloats()
        let given = TopClasses.best(
            scores, topK: rule.topK ?? scores.count, threshold: rule.threshold, labels: labels)
        guard given.count == step.expected.count else {
            return found.wrong("expected \(step.expected.count) classes, got \(given.count)")
        }
        for (place, (one, wanted)) in zip(given, step.expected).enumerated() {
            found.named("class \(place)", (one.index, one.label), (wanted.index, wanted.label))
            found.float("score of class \(place)", Double(one.score), wanted.score)
        }
    }

    private static func detections(
        _ step: GoldenStep.Detections, _ facts: ModelFacts?, _ found: inout Differences
    ) throws {
        guard let spec = try step.spec ?? known(facts).detections else { return found.wrong("the model has no boxes") }
        let labels = step.spec == nil ? try known(facts).labels : step.labels
        let given = try Boxes.detect(step.outputs.mapValues { try $0.tensor() }, spec, labels: labels)
        guard given.count == step.expected.count else {
            return found.wrong("expected \(step.expected.count) boxes, got \(given.count)")
        }
        for (place, (one, wanted)) in zip(given, step.expected).enumerated() {
            found.named("box \(place)", (one.index, one.label), (wanted.index, wanted.label))
            let corners = [one.box.top, one.box.left, one.box.bottom, one.box.right, one.score]
            let numbers = corners + one.keypoints.flatMap { [$0.y, $0.x] }
            let recorded = wanted.box + [wanted.score] + wanted.keypoints.flatMap { $0 }
            guard numbers.count == recorded.count else {
                return found.wrong("box \(place) has \(numbers.count) numbers")
            }
            for (number, expected) in zip(numbers, recorded) { found.float("box \(place)", number, expected) }
        }
    }

    private static func known(_ facts: ModelFacts?) throws -> ModelFacts {
        guard let facts else {
            throw ModelError("the step needs facts of a model", "give them, or a spec in the step")
        }
        return facts
    }

    private static func type(of tensor: GoldenTensor) throws -> ElementType {
        guard let type = ElementType(rawValue: tensor.element.rawValue) else {
            throw ModelError("no tensor here is \(tensor.element.rawValue)", "run edge scaffold update")
        }
        return type
    }
}

/// Collects how far values are off, and the first problem.
private struct Differences {
    private(set) var worst = 0.0
    private(set) var problem: String?

    mutating func wrong(_ what: String) {
        if problem == nil { problem = what }
    }

    mutating func named(_ what: String, _ given: (Int, String?), _ wanted: (Int, String?)) {
        if given != wanted { wrong("\(what): expected \(wanted), got \(given)") }
    }

    mutating func float(_ what: @autoclosure () -> String, _ given: Double, _ wanted: Double) {
        // The same infinity is no difference, and NaN is NaN.
        if given == wanted || (given.isNaN && wanted.isNaN) { return }
        note(what(), abs(given - wanted) / max(1, abs(wanted)), GoldenCheck.stepTolerance, given, wanted)
    }

    mutating func floats(_ expected: GoldenTensor, _ given: [Float]) {
        guard fits(expected, given.count) else { return }
        for index in 0..<expected.count {
            let place = index * expected.stride
            float("value \(place)", Double(given[place]), expected.real(index))
        }
    }

    mutating func integers(_ expected: GoldenTensor, _ given: Tensor) {
        guard fits(expected, given.size) else { return }
        let values = given.reals()
        for index in 0..<expected.count {
            let place = index * expected.stride
            let wanted = expected.real(index)
            note("value \(place)", abs(values[place] - wanted), GoldenCheck.integerTolerance, values[place], wanted)
        }
    }

    private mutating func fits(_ expected: GoldenTensor, _ count: Int) -> Bool {
        if count == expected.size { return true }
        wrong("expected \(expected.size) values, got \(count)")
        return false
    }

    private mutating func note(
        _ what: @autoclosure () -> String, _ difference: Double, _ tolerance: Double, _ given: Double, _ wanted: Double
    ) {
        // Written so that NaN is a problem.
        if !(difference <= tolerance) { wrong("\(what()): expected \(wanted), got \(given)") }
        if !(difference <= worst) { worst = difference }
    }
}
