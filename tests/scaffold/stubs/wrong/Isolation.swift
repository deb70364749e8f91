// Without @preconcurrency: who may hold what the frameworks do not let cross actors.
import CoreML  // error: add '@preconcurrency'
import UIKit

actor Runner {
    private var model: MLModel?

    func load(_ url: URL) async throws {
        model = try await MLModel.load(contentsOf: url)  // error: non-sendable type 'MLModel'
    }

    func predict(_ input: MLFeatureProvider) async throws -> MLFeatureProvider? {
        try await model?.prediction(from: input)  // error: non-sendable type 'any MLFeatureProvider'
    }
}

struct Keeper: Sendable {
    let configuration: MLModelConfiguration  // error: non-sendable type 'MLModelConfiguration'
    let array: MLMultiArray  // error: non-sendable type 'MLMultiArray'
    let buffer: CVPixelBuffer  // error: non-sendable type 'CVPixelBuffer'
    let image: CGImage
    let picture: UIImage
    let context: CIContext
    let units: MLComputeUnits
}
