@preconcurrency import CoreML
import EdgeCore

/// Between tensors by the contract's names and what Core ML takes and gives by the model's own.
///
/// Arrays of inputs are made once. Not for several predictions at once: `LoadedModel` sees to that.
final class ModelFeatures {
    private let facts: ModelFacts
    private var arrays: [String: MLMultiArray] = [:]
    private var pictures: [String: PixelBuffers] = [:]

    /// - Throws: `ModelError` where the model is not the one that the facts were generated for.
    init(_ description: MLModelDescription, _ facts: ModelFacts) throws {
        self.facts = facts
        for input in facts.inputs {
            // A converter leaves out inputs that nothing depends on.
            guard let feature = description.inputDescriptionsByName[input.storedName] else { continue }
            switch feature.type {
            case .image: pictures[input.name] = try PixelBuffers(input)
            case .multiArray:
                guard let constraint = feature.multiArrayConstraint else { throw Self.unfit(input.name) }
                arrays[input.name] = try MultiArrays.make(constraint.dataType, for: input)
            default: throw Self.unfit(input.name)
            }
        }
        for output in facts.outputs
        where description.outputDescriptionsByName[output.storedName]?.type != .multiArray {
            throw Self.unfit(output.name)
        }
    }

    /// What Core ML takes for one prediction. It is filled anew by the next call.
    func provider(_ inputs: [String: Tensor]) throws -> MLDictionaryFeatureProvider {
        var features: [String: MLFeatureValue] = [:]
        for input in facts.inputs {
            guard let tensor = inputs[input.name] else { continue }
            if let array = arrays[input.name] {
                try MultiArrays.fill(array, with: tensor, name: input.name)
                features[input.storedName] = MLFeatureValue(multiArray: array)
            } else if let buffers = pictures[input.name] {
                features[input.storedName] = MLFeatureValue(pixelBuffer: try buffers.buffer(for: tensor))
            }
        }
        return try MLDictionaryFeatureProvider(dictionary: features)
    }

    /// The outputs by the contract's names, in its types.
    func tensors(_ value: (_ storedName: String) -> MLFeatureValue?) throws -> [String: Tensor] {
        var outputs: [String: Tensor] = [:]
        for output in facts.outputs {
            guard let array = value(output.storedName)?.multiArrayValue else { throw Self.unfit(output.name) }
            outputs[output.name] = try MultiArrays.read(array, as: output)
        }
        return outputs
    }

    private static func unfit(_ name: String) -> ModelError {
        ModelError(
            "the model has no array called \(name) as the generated code expects it", "run edge scaffold update")
    }
}
