import EdgeCore
import Foundation

/// The model of this app on Core ML.
///
/// It is opened when it is first asked, on the best compute units that compute what the host computed, and stays open
/// until `close`. Screens hold a `ModelRunning`; a runner for another engine can take this one's place.
actor CoreMLRunner: ModelRunning {
    nonisolated let facts: ModelFacts
    private let locate: @Sendable () async throws -> URL
    private let store: URL
    private var opening: Task<Climb<LoadedModel>, any Error>?
    private var opened: RunReport?

    /// - Parameters:
    ///   - facts: of the model.
    ///   - store: file that remembers which compute units worked.
    ///   - locate: finds the compiled model; `ModelStore.downloaded` fits, too.
    init(
        facts: ModelFacts = ModelSpec.facts,
        store: URL = URL.applicationSupportDirectory.appending(path: "edge-ladder.txt"),
        locate: @escaping @Sendable () async throws -> URL = { try ModelStore.bundled() }
    ) {
        self.facts = facts
        self.store = store
        self.locate = locate
    }

    /// What runs, and why; before the model is open, what will be tried first.
    var report: RunReport {
        opened
            ?? RunReport(
                computeUnits: facts.computeUnits.first ?? .cpuOnly, runtime: Self.runtime, lines: ["not opened yet"])
    }

    func predict(_ inputs: [String: Tensor]) async throws -> [String: Tensor] {
        try await model().predict(inputs)
    }

    /// The opened model. All who ask while it is being opened wait for the same one.
    func model() async throws -> LoadedModel {
        let task = opening ?? Task { try await climb() }
        opening = task
        do {
            let found = try await task.value
            if opening == task { opened = report(of: found) }
            return found.runner
        } catch {
            if opening == task { opening = nil }
            throw error
        }
    }

    /// Gives the model's memory back; the next prediction opens it again.
    func close() {
        opening?.cancel()
        opening = nil
        opened = nil
    }

    /// Where Core ML means to run the parts of the model; nil where it does not tell.
    func computePlan() async throws -> String? {
        _ = try await model()
        return await ComputePlan.summary(try await locate(), report.computeUnits, facts)
    }

    private func climb() async throws -> Climb<LoadedModel> {
        let url = try await locate()
        let vectors = try SelfTest.vectors()
        let facts = facts
        try FileManager.default.createDirectory(
            at: store.deletingLastPathComponent(), withIntermediateDirectories: true)
        let ladder = ComputeUnitLadder(facts.computeUnits, key: Self.key(facts), store: FileLadderStore(store))
        return try await ladder.climb(
            make: { units in
                let model = try await LoadedModel(at: url, units: units, facts: facts)
                try await model.warmUp()
                return model
            },
            check: { try await SelfTest.check(vectors, $0) })
    }

    private func report(of found: Climb<LoadedModel>) -> RunReport {
        RunReport(computeUnits: found.computeUnits, runtime: Self.runtime, lines: found.lines)
    }

    private static let runtime = "Core ML on iOS \(ProcessInfo.processInfo.operatingSystemVersionString)"

    /// Another model, system or device forgets what was learned.
    private static func key(_ facts: ModelFacts) -> String {
        var system = utsname()
        uname(&system)
        let device = withUnsafeBytes(of: &system.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "\(facts.modelSha256)|\(ProcessInfo.processInfo.operatingSystemVersionString)|\(device)"
    }
}
