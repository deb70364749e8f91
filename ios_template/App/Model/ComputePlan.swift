@preconcurrency import CoreML
import EdgeCore

/// What Core ML says about where it means to run the model.
enum ComputePlan {
    /// One line: how many operations go to which device. Nil before iOS 17.4, or where there is no plan.
    static func summary(_ url: URL, _ units: ComputeUnits, _ facts: ModelFacts) async -> String? {
        guard #available(iOS 17.4, *) else { return nil }
        guard let configuration = try? LoadedModel.configuration(units, facts),
            let plan = try? await MLComputePlan.load(contentsOf: url, configuration: configuration),
            case .program(let program) = plan.modelStructure, let function = program.functions[facts.signature]
        else { return nil }
        var counts: [String: Int] = [:]
        for operation in function.block.operations {
            guard let usage = plan.deviceUsage(for: operation) else { continue }
            counts[name(usage.preferred), default: 0] += 1
        }
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return nil }
        let parts = counts.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
        return "of \(total) operations: \(parts.joined(separator: ", "))"
    }

    @available(iOS 17.0, *)
    private static func name(_ device: MLComputeDevice) -> String {
        switch device {
        case .cpu: "CPU"
        case .gpu: "GPU"
        case .neuralEngine: "Neural Engine"
        @unknown default: "other"
        }
    }
}
