import EdgeCore
import Foundation

/// What the model made of one picture.
struct Seen: Sendable {
    let meaning: Meaning
    /// Size of the upright picture, which boxes are drawn on.
    let rows: Int
    let columns: Int
    /// The upright picture; nil for a frame of the camera.
    let picture: Picture?
    /// How long the model took.
    let time: Duration
}

/// Runs the model on pictures, away from the main actor. It keeps its memory from one frame to the next.
actor PictureReader {
    private let runner: any ModelRunning
    private let input: TensorSpec
    private let rule: ImageSpec
[% if "camera" in flags %]
    private var frame: Picture
    private var preprocessor: Preprocessor
    private var values: [Float]
[% endif %]

    /// - Throws: `ModelError` where the model takes no picture.
    init(_ runner: any ModelRunning) throws {
        guard let input = runner.facts.inputs.first, let rule = input.image else {
            throw ModelError("the model takes no picture", "run edge scaffold update")
        }
        self.runner = runner
        self.input = input
        self.rule = rule
[% if "camera" in flags %]
        frame = try Picture(width: 1, height: 1, channels: 3, pixels: [0, 0, 0])
        preprocessor = Preprocessor(rule)
        values = [Float](repeating: 0, count: rule.size)
[% endif %]
    }

    /// Runs the model on a picture file.
    func read(_ data: Data) async throws -> Seen {
        let picture = try Picture.decode(data, rule)
        return try await see(try Preprocess.tensor(picture, input), picture.height, picture.width, picture)
    }
[% if "camera" in flags %]

    /// Runs the model on a frame: the contract's own steps, the same numbers as on the host.
    func read(_ given: CameraFrame) async throws -> Seen {
        try given.copy(into: &frame)
        let upright = frame.rotated(given.rotation)
        let tensor: Tensor
        if input.type == .float32 {
            try preprocessor.image(upright, into: &values)
            tensor = Tensor(values, shape: input.shape)
        } else {
            tensor = try Preprocess.tensor(upright, input)
        }
        return try await see(tensor, upright.height, upright.width, nil)
    }
[% endif %]
[% if "vision" in flags %]

    /// Runs the model on a frame with Vision's cropping and scaling: faster, with slightly other numbers.
    func glance(_ given: CameraFrame, _ model: LoadedModel) async throws -> Seen {
        let began = ContinuousClock.now
        let meaning = try await model.glance(given)
        let time = ContinuousClock.now - began
        return Seen(meaning: meaning, rows: given.rows, columns: given.columns, picture: nil, time: time)
    }
[% endif %]

    private func see(_ tensor: Tensor, _ rows: Int, _ columns: Int, _ picture: Picture?) async throws -> Seen {
        let began = ContinuousClock.now
        let outputs = try await runner.predict([input.name: tensor])
        let time = ContinuousClock.now - began
        let meaning = try Postprocess.outputs(outputs, runner.facts)
        return Seen(meaning: meaning, rows: rows, columns: columns, picture: picture, time: time)
    }
}
