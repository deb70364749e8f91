/// What outputs mean.
public struct Meaning: Sendable {
    /// Outputs that stay numbers, with their activation applied.
    public let tensors: [String: Tensor]
    /// By output, best first.
    public let classes: [String: [ScoredClass]]
    /// In place of the outputs that they are made of; nil for a model without boxes.
    public let detections: [Detection]?

    public init(tensors: [String: Tensor], classes: [String: [ScoredClass]], detections: [Detection]?) {
        self.tensors = tensors
        self.classes = classes
        self.detections = detections
    }
}

/// From output tensors to what they mean: activations, classes, boxes.
public enum Postprocess {
    /// The meaning of one sample's outputs, as the contract has it.
    public static func outputs(_ outputs: [String: Tensor], _ facts: ModelFacts) throws -> Meaning {
        var tensors: [String: Tensor] = [:]
        var classes: [String: [ScoredClass]] = [:]
        let taken = facts.detections?.outputs ?? []
        for (name, tensor) in outputs where !taken.contains(name) {
            guard let rule = try facts.output(name).postprocess else {
                tensors[name] = tensor
                continue
            }
            let active = try activate(tensor, rule.activation)
            guard let topK = rule.topK else {
                tensors[name] = active
                continue
            }
            guard !tensor.shape.isEmpty, tensor.shape.dropLast().allSatisfy({ $0 == 1 }) else {
                throw ModelError(
                    "output \(name) has shape \(tensor.shape)", "top_k needs one row of scores: [1, classes]")
            }
            classes[name] = TopClasses.best(
                active.toFloats(), topK: topK, threshold: rule.threshold, labels: facts.labels)
        }
        let detections = try facts.detections.map { try Boxes.detect(outputs, $0, labels: facts.labels) }
        return Meaning(tensors: tensors, classes: classes, detections: detections)
    }

    private static func activate(_ tensor: Tensor, _ activation: Activation) throws -> Tensor {
        if activation == .none { return tensor }
        let values = try Activations.apply(tensor.toFloats(), width: tensor.shape.last ?? 1, activation)
        return Tensor(values, shape: tensor.shape)
    }
}
