@preconcurrency import CoreML
import EdgeCore
@preconcurrency import Vision

/// The model behind Vision, which crops, scales and turns frames on the GPU.
///
/// It is for live frames: Vision's scaling has no antialias setting and rounds in its own way, so its numbers are near
/// those of the contract and not the same. Photos and the self-test take the exact steps of `Preprocess`.
final class VisionPath {
    let request: VNCoreMLRequest

    init(_ model: MLModel, _ rule: ImageSpec) throws {
        request = VNCoreMLRequest(model: try VNCoreMLModel(for: model))
        request.imageCropAndScaleOption = rule.fit == .crop ? .centerCrop : .scaleFill
    }
}

extension LoadedModel {
    /// What the model sees in a frame, by way of Vision.
    func glance(_ frame: CameraFrame) throws -> Meaning {
        guard let rule = facts.inputs.first?.image else {
            throw ModelError("the model takes no picture", "run edge scaffold update")
        }
        return try signposter.withIntervalSignpost("glance") {
            try autoreleasepool {
                let path = try vision ?? VisionPath(model, rule)
                vision = path
                let orientation: CGImagePropertyOrientation = frame.rotation == 90 ? .right : .up
                try VNImageRequestHandler(cvPixelBuffer: frame.buffer, orientation: orientation)
                    .perform([path.request])
                return try meaning(of: path.request.results ?? [])
            }
        }
    }

    private func meaning(of results: [VNObservation]) throws -> Meaning {
        if let classes = results as? [VNClassificationObservation], !classes.isEmpty {
            return Meaning(tensors: [:], classes: ranked(classes), detections: nil)
        }
        let values = results.compactMap { $0 as? VNCoreMLFeatureValueObservation }
        let named = Dictionary(values.map { ($0.featureName, $0.featureValue) }) { first, _ in first }
        return try Postprocess.outputs(features.tensors { named[$0] }, facts)
    }

    /// Of a classifier Vision gives the probabilities by label alone.
    private func ranked(_ found: [VNClassificationObservation]) -> [String: [ScoredClass]] {
        guard let output = facts.outputs.first(where: { $0.postprocess?.topK != nil }), let rule = output.postprocess
        else { return [:] }
        let scored = found.filter { rule.threshold == 0 || Double($0.confidence) >= rule.threshold }
            .sorted { $0.confidence > $1.confidence }
            .prefix(rule.topK ?? found.count)
        return [
            output.name: scored.map { item in
                ScoredClass(
                    index: facts.labels.firstIndex(of: item.identifier) ?? -1, label: item.identifier,
                    score: item.confidence)
            }
        ]
    }
}
