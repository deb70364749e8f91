import EdgeCore
import Foundation

/// Compares what this device computes with what the host recorded in golden.json.
enum SelfTest {
    /// What one choice of compute units does.
    struct Result: Identifiable, Sendable {
        let units: ComputeUnits
        /// What is wrong; empty where nothing is.
        let problems: [String]
        let milliseconds: Double

        var id: String { units.key }
    }

    /// The recorded numbers that came with the app.
    static func vectors() throws -> GoldenVectors {
        guard let url = Bundle.main.url(forResource: "golden", withExtension: "json") else {
            throw ModelError("the app does not hold golden.json", "add it to the app's target")
        }
        return try GoldenVectors.read(try Data(contentsOf: url))
    }

    /// What is wrong with a model's answers to the recorded cases.
    ///
    /// A model that takes an image gets whole pixels. A recorded input that lies between two of them cannot be given
    /// to it exactly, so of such a case the answer only has to be near: the noise 20 dB below the signal.
    static func check(_ vectors: GoldenVectors, _ model: LoadedModel) async throws -> [String] {
        var problems: [String] = []
        for (index, item) in vectors.cases.enumerated() {
            let inputs = try item.inputs.mapValues { try $0.tensor() }
            let outputs = try await model.predict(inputs)
            if isWhole(inputs, model.facts) {
                problems += GoldenCheck.compare(
                    index: index, item, outputs, atol: vectors.atol, rtol: vectors.rtol)
            } else {
                problems += item.outputs.filter { !isNear(outputs[$0.key], $0.value) }
                    .map { "case \(index), output \($0.key): far from what the host computed" }
            }
        }
        return problems
    }

    /// What is wrong with the steps around the model.
    static func steps(_ facts: ModelFacts = ModelSpec.facts) throws -> [String] {
        GoldenCheck.steps(try vectors(), facts)
    }

    /// Opens the model anew on one choice of compute units, whatever the ladder thinks of it.
    static func run(_ units: ComputeUnits, _ facts: ModelFacts = ModelSpec.facts) async throws -> Result {
        let model = try await LoadedModel(at: ModelStore.bundled(facts), units: units, facts: facts)
        try await model.warmUp()
        let vectors = try vectors()
        var time = LatencyStatistics()
        let problems = try await check(vectors, model)
        for item in vectors.cases {
            let inputs = try item.inputs.mapValues { try $0.tensor() }
            let began = ContinuousClock.now
            _ = try await model.predict(inputs)
            time.add(ContinuousClock.now - began)
        }
        return Result(units: units, problems: problems, milliseconds: time.percentile(50))
    }

    /// Whether pictures among the inputs consist of whole pixels.
    private static func isWhole(_ inputs: [String: Tensor], _ facts: ModelFacts) -> Bool {
        for input in facts.inputs {
            guard let image = input.coremlImage, let tensor = inputs[input.name] else { continue }
            let values = tensor.toFloats()
            let channels = image.bias.count
            let plane = input.image?.layout == .nchw ? values.count / channels : 1
            let whole = values.indices.allSatisfy { place in
                let pixel = (values[place] - image.bias[place / plane % channels]) / image.scale
                return abs(pixel - pixel.rounded()) < 0.01 && pixel > -0.5 && pixel < 255.5
            }
            if !whole { return false }
        }
        return true
    }

    private static func isNear(_ given: Tensor?, _ expected: GoldenTensor) -> Bool {
        guard let given, given.size == expected.size else { return false }
        var (signal, noise) = (0.0, 0.0)
        for place in 0..<expected.count {
            let wanted = expected.real(place)
            let error = given.real(place * expected.stride) - wanted
            signal += wanted * wanted
            noise += error * error
        }
        // NaN is not near.
        return noise <= 0.01 * signal
    }
}
