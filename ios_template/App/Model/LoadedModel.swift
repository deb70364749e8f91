@preconcurrency import CoreML
import EdgeCore
import os

/// The model as Core ML opened it for one choice of compute units. Calls come one after the other.
actor LoadedModel {
    let facts: ModelFacts
    let model: MLModel
    let features: ModelFeatures
    let signposter = OSSignposter(subsystem: Bundle.main.bundleIdentifier ?? "app", category: "model")
[% if "vision" in flags %]
    /// Made when the camera first asks for it.
    var vision: VisionPath?
[% endif %]

    /// Opens a compiled model, which may take minutes where Core ML prepares it for the Neural Engine.
    ///
    /// - Parameters:
    ///   - url: of a ".mlmodelc".
    ///   - units: what Core ML may use; which part runs where remains its own choice.
    init(at url: URL, units: ComputeUnits, facts: ModelFacts) async throws {
        let configuration = try Self.configuration(units, facts)
        let signposter = signposter
        let opening = signposter.beginInterval("open")
        defer { signposter.endInterval("open", opening) }
        do {
            model = try await MLModel.load(contentsOf: url, configuration: configuration)
        } catch {
            throw ModelError(
                "Core ML cannot open the model: \(error.localizedDescription)",
                "free memory and try again; if it stays, build the bundle again", cause: error)
        }
        features = try ModelFeatures(model.modelDescription, facts)
        self.facts = facts
    }

    /// Runs the model once; see `ModelRunning.predict`.
    func predict(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        try Tensor.check(inputs, facts.inputs)
        return try signposter.withIntervalSignpost("predict") {
            // Each prediction gives back its surfaces at once; in a tight loop they would run out.
            try autoreleasepool {
                let answer = try answer(to: features.provider(inputs))
                return try features.tensors { answer.featureValue(for: $0) }
            }
        }
    }

    /// Runs the model on zeros, for some failures show no earlier.
    func warmUp() throws {
        let inputs = facts.inputs.map { ($0.name, Tensor.zeros($0.type, shape: $0.shape)) }
        _ = try predict(Dictionary(uniqueKeysWithValues: inputs))
    }

    private func answer(to provider: MLDictionaryFeatureProvider) throws -> any MLFeatureProvider {
        do {
            return try model.prediction(from: provider)
        } catch {
            throw ModelError(
                "Core ML failed: \(error.localizedDescription)", "try again; with less memory in use if it stays",
                cause: error)
        }
    }

    /// What Core ML may use, and which function of the model it runs.
    static func configuration(_ units: ComputeUnits, _ facts: ModelFacts) throws -> MLModelConfiguration {
        let configuration = MLModelConfiguration()
        configuration.modelDisplayName = facts.name
        configuration.computeUnits =
            switch units {
            case .all: .all
            case .cpuAndNeuralEngine: .cpuAndNeuralEngine
            case .cpuAndGPU: .cpuAndGPU
            case .cpuOnly: .cpuOnly
            }
        if facts.signature != "main" {
            guard #available(iOS 18.0, *) else {
                throw ModelError("the model's function \(facts.signature) needs iOS 18", "update the system")
            }
            configuration.functionName = facts.signature
        }
        return configuration
    }
}
