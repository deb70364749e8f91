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
    /// Ends when a climb that was given up ended, for Core ML cannot be stopped.
    private var closing: Task<Void, Never>?
    private var ladder: ComputeUnitLadder?

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
                computeUnits: Self.rungs(facts).first ?? .cpuOnly, runtime: Self.runtime, lines: ["not opened yet"])
    }

    func predict(_ inputs: [String: Tensor]) async throws -> [String: Tensor] {
        try await model().predict(inputs)
    }

    /// The opened model. All who ask while it is being opened wait for the same one.
    func model() async throws -> LoadedModel {
        let task = opening ?? start()
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
        if let opening {
            ladder?.giveUp()
            opening.cancel()
            closing = Task { _ = await opening.result }
        }
        opening = nil
        opened = nil
    }

    /// Forgets which compute units worked and which did not, so that all are tried again.
    func forget() async {
        close()
        await closing?.value
        makeLadder().forget()
    }

    /// Where Core ML means to run the parts of the model; nil where it does not tell.
    func computePlan() async throws -> String? {
        _ = try await model()
        return await ComputePlan.summary(try await locate(), report.computeUnits, facts)
    }

    /// What is tried, best first. A simulator computes on the CPU of its Mac alone.
    static func rungs(_ facts: ModelFacts) -> [ComputeUnits] {
        #if targetEnvironment(simulator)
            [.cpuOnly]
        #else
            facts.computeUnits
        #endif
    }

    private func start() -> Task<Climb<LoadedModel>, any Error> {
        let before = closing
        return Task {
            // Of two climbs at once each would find the other's mark, and memory is for one model.
            await before?.value
            try Task.checkCancellation()
            return try await climb()
        }
    }

    private func climb() async throws -> Climb<LoadedModel> {
        let url = try await locate()
        let vectors = try SelfTest.vectors()
        let facts = facts
        let ladder = makeLadder()
        self.ladder = ladder
        defer { self.ladder = nil }
        return try await ladder.climb(
            make: { units in
                let model = try await LoadedModel(at: url, units: units, facts: facts)
                try await model.warmUp()
                return model
            },
            check: { try await SelfTest.check(vectors, $0) })
    }

    private func makeLadder() -> ComputeUnitLadder {
        ComputeUnitLadder(Self.rungs(facts), key: Self.key(facts), store: FileLadderStore(store))
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
