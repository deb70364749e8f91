/// What runs a model, and why.
public struct RunReport: Sendable {
    /// That passed the self-test.
    public let computeUnits: ComputeUnits
    /// With its version, for people: "Core ML on iOS 18.2".
    public let runtime: String
    /// One for each rung of the ladder that was looked at, with the reason.
    public let lines: [String]

    public init(computeUnits: ComputeUnits, runtime: String, lines: [String]) {
        self.computeUnits = computeUnits
        self.runtime = runtime
        self.lines = lines
    }
}

/// A model that is ready. An actor fits, for calls from several tasks come one after the other.
public protocol ModelRunning: Sendable {
    var facts: ModelFacts { get }
    var report: RunReport { get async }

    /// Runs the model once.
    ///
    /// - Parameter inputs: by name, in the contract's types.
    /// - Returns: outputs by name, in the contract's types.
    /// - Throws: `ModelError` for inputs that do not fit, or a failure of the runtime.
    func predict(_ inputs: [String: Tensor]) async throws -> [String: Tensor]

    /// Gives the memory back; may be called twice.
    func close() async
}
