import Foundation

/// Where a ladder keeps a few lines of text between starts of the app.
public protocol LadderStore {
    /// What was written last; nil where nothing was, or it cannot be read.
    func read() -> String?

    /// Keeps a text, and returns when it would survive the end of the process.
    func write(_ text: String) throws
}

/// A ladder's memory in one small file.
public struct FileLadderStore: LadderStore, Sendable {
    private let file: URL

    public init(_ file: URL) {
        self.file = file
    }

    public func read() -> String? { try? String(contentsOf: file, encoding: .utf8) }

    public func write(_ text: String) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file, options: .atomic)
        let written = try FileHandle(forUpdating: file)
        defer { try? written.close() }
        try written.synchronize()
    }
}

/// What climbing a ladder found.
public struct Climb<Runner: Sendable>: Sendable {
    public let runner: Runner
    public let computeUnits: ComputeUnits
    /// One for each rung that was looked at, with the reason.
    public let lines: [String]
}

/// Finds the best compute units that compute what the host computed.
///
/// The rungs are tried in their order. Before one is tried a mark is left in the store, and taken away when it
/// is over: a mark that is found at the start tells that the rung took the whole app with it, as a driver may. Such a
/// rung is left alone for `pause` starts, and twice as many each time that it happens again; one that failed in an
/// orderly way is left alone for `pause` starts, too. Wrong numbers are final. The last rung is always tried.
///
/// An app that ends after `giveUp` tells little of the rung: the system ends apps that nobody sees, and so do
/// people. Only when that happens `patience` times in a row, as it does when a load hangs, or the rung died before, it
/// counts as a death.
/// What was learned holds for one key alone. Keep it inside of one actor.
public final class ComputeUnitLadder {
    /// How many starts a rung is left alone for after it failed.
    public static let pause = 5
    /// How many starts a rung is left alone for at most, however often the app died.
    public static let longestPause = 80
    /// How many times in a row a try that was given up may end with the app.
    public static let patience = 3

    private let rungs: [ComputeUnits]
    private let key: String
    private let store: any LadderStore
    private var memory: LadderMemory

    /// - Parameters:
    ///   - rungs: best first; the last one should be the CPU.
    ///   - key: model, system and device in one text: another one forgets all.
    public init(_ rungs: [ComputeUnits], key: String, store: any LadderStore) {
        precondition(!rungs.isEmpty, "a ladder without rungs")
        self.rungs = rungs
        self.key = key
        self.store = store
        memory = LadderMemory(store.read(), key: key)
    }

    /// Tries the rungs, and returns what the first good one made.
    ///
    /// - Parameters:
    ///   - make: opens the model and runs it once, for Core ML may fail as late as that.
    ///   - check: compares it with the golden vectors; lines that tell what is wrong, or none. It is not called
    ///     for compute units that passed before with the same key.
    /// - Throws: `ModelError` where no rung works; what a stopped task threw, which is no failure of a rung.
    public func climb<Runner: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        make: (ComputeUnits) async throws -> Runner,
        check: (Runner) async throws -> [String]
    ) async throws -> Climb<Runner> {
        var lines: [String] = []
        memory.passTime()
        for (place, rung) in rungs.enumerated() {
            try Task.checkCancellation()
            guard leaveMark(rung, isLast: place == rungs.count - 1, &lines) else { continue }
            do {
                let runner = try await make(rung)
                try Task.checkCancellation()
                let passed = memory.hasPassed(rung)
                let problems = passed ? [] : try await check(runner)
                if judge(rung, passed, problems, &lines) {
                    return Climb(runner: runner, computeUnits: rung, lines: lines)
                }
            } catch {
                // A task that was stopped tells nothing of the rung, whatever it threw.
                let stopped = error is CancellationError || Task.isCancelled
                leave(rung, stopped ? nil : error, &lines)
                if stopped { throw error }
            }
        }
        throw ModelError(
            "no compute units run the model: \(lines.joined(separator: "; "))",
            memory.isWrong(rungs[rungs.count - 1])
                ? "this system's Core ML computes something else than the host: report it, and try another variant"
                : "free memory and start again; the reasons tell what each one lacks"
        )
    }

    /// Tells that nobody waits for the try under way any more: cancel its task, too. It ends when it can.
    public func giveUp() {
        guard memory.trying != nil else { return }
        memory.isGivenUp = true
        save()
    }

    /// Forgets what was learned, so that all rungs are tried again.
    public func forget() {
        memory.clear()
        save()
    }

    /// Whether a rung shall be tried, with its mark left.
    private func leaveMark(_ rung: ComputeUnits, isLast: Bool, _ lines: inout [String]) -> Bool {
        if let reason = memory.reasonToSkip(rung), !isLast {
            lines.append("\(rung.key): not tried, \(reason)")
            return false
        }
        memory.begin(rung)
        if save() || isLast { return true }
        memory.end()
        lines.append("\(rung.key): not tried, its mark could not be stored")
        return false
    }

    private func judge(
        _ rung: ComputeUnits, _ passedBefore: Bool, _ problems: [String], _ lines: inout [String]
    ) -> Bool {
        memory.end()
        if let first = problems.first {
            memory.wrong(rung, first)
            let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
            lines.append("\(rung.key): wrong numbers: \(first)\(more)")
        } else {
            memory.pass(rung)
            lines.append("\(rung.key): runs, its numbers \(passedBefore ? "were right before" : "are right")")
        }
        save()
        return problems.isEmpty
    }

    private func leave(_ rung: ComputeUnits, _ failure: (any Error)?, _ lines: inout [String]) {
        memory.end()
        if let failure {
            let reason = (failure as? any LocalizedError)?.errorDescription ?? "\(failure)"
            memory.fail(rung, reason)
            lines.append("\(rung.key): failed: \(reason)")
        }
        save()
    }

    @discardableResult
    private func save() -> Bool {
        (try? store.write(memory.text(key))) != nil
    }
}

/// What a ladder knows of its rungs, and its form as text: a line for the key, a line a rung.
struct LadderMemory {
    enum Outcome: String {
        case passed = "PASSED"
        case wrong = "WRONG"
        case failed = "FAILED"
        case died = "DIED"
        case left = "LEFT"
    }

    /// `ends` of the app in a row; `waited` starts since.
    struct Verdict {
        var outcome: Outcome
        var ends: Int
        var waited: Int
        var reason: String

        var waits: Bool {
            let doublings = outcome == .died ? max(0, min(ends - 1, 16)) : 0
            return waited <= min(ComputeUnitLadder.pause << doublings, ComputeUnitLadder.longestPause)
        }
    }

    private static let header = "edge-ladder 1"
    private static let mark = "trying"
    private static let softMark = "leaving"
    private static let longestReason = 300

    private(set) var trying: ComputeUnits?
    /// Whether nobody waits for what is being tried.
    var isGivenUp = false
    private var verdicts: [ComputeUnits: Verdict] = [:]

    /// Reads what was stored; anything else than lines of this key counts as nothing.
    init(_ text: String?, key: String) {
        let lines = text?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) ?? []
        guard lines.count > 1, lines[0] == Self.header, lines[1] == Self.oneLine(key) else { return }
        for line in lines.dropFirst(2) {
            take(line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init))
        }
    }

    mutating func begin(_ rung: ComputeUnits) { (trying, isGivenUp) = (rung, false) }

    mutating func end() { (trying, isGivenUp) = (nil, false) }

    func hasPassed(_ rung: ComputeUnits) -> Bool { verdicts[rung]?.outcome == .passed }

    func isWrong(_ rung: ComputeUnits) -> Bool { verdicts[rung]?.outcome == .wrong }

    /// A rung that works is forgiven all that was before.
    mutating func pass(_ rung: ComputeUnits) {
        verdicts[rung] = Verdict(outcome: .passed, ends: 0, waited: 0, reason: "")
    }

    mutating func wrong(_ rung: ComputeUnits, _ reason: String) { set(rung, .wrong, reason) }

    mutating func fail(_ rung: ComputeUnits, _ reason: String) { set(rung, .failed, reason) }

    mutating func clear() {
        verdicts = [:]
        end()
    }

    /// Counts a start of the app for rungs that are left alone.
    mutating func passTime() {
        for (rung, verdict) in verdicts where verdict.waits { verdicts[rung]?.waited += 1 }
    }

    func reasonToSkip(_ rung: ComputeUnits) -> String? {
        guard let verdict = verdicts[rung] else { return nil }
        switch verdict.outcome {
        case .passed, .left: return nil
        case .wrong: return "its numbers were wrong: \(verdict.reason)"
        case .failed: return verdict.waits ? "it failed a short time ago: \(verdict.reason)" : nil
        case .died:
            let times = verdict.ends > 1 ? " \(verdict.ends) times" : ""
            return verdict.waits ? "the app ended\(times) while it was tried" : nil
        }
    }

    func text(_ key: String) -> String {
        var lines = [Self.header, Self.oneLine(key)]
        for rung in ComputeUnits.allCases {
            guard let verdict = verdicts[rung] else { continue }
            let numbers = "\(verdict.ends) \(verdict.waited)"
            lines.append("\(rung.key) \(verdict.outcome.rawValue) \(numbers) \(verdict.reason)")
        }
        if let trying { lines.append("\(isGivenUp ? Self.softMark : Self.mark) \(trying.key)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func set(_ rung: ComputeUnits, _ outcome: Outcome, _ reason: String) {
        let ends = deaths(rung)
        verdicts[rung] = Verdict(outcome: outcome, ends: ends, waited: 0, reason: Self.oneLine(reason))
    }

    private func deaths(_ rung: ComputeUnits) -> Int {
        guard let verdict = verdicts[rung], verdict.outcome != .left else { return 0 }
        return verdict.ends
    }

    private mutating func take(_ words: [String]) {
        let isMark = words[0] == Self.mark || words[0] == Self.softMark
        guard let rung = words.element(isMark ? 1 : 0).flatMap(ComputeUnits.init(rawValue:)) else { return }
        if isMark {
            ended(rung, isLeft: words[0] == Self.softMark)
        } else if let outcome = words.element(1).flatMap(Outcome.init(rawValue:)),
            let ends = words.element(2).flatMap({ Int($0) }), let waited = words.element(3).flatMap({ Int($0) })
        {
            verdicts[rung] = Verdict(outcome: outcome, ends: ends, waited: waited, reason: words.element(4) ?? "")
        }
    }

    /// Judges a rung whose mark was found: the app ended while it was tried.
    private mutating func ended(_ rung: ComputeUnits, isLeft: Bool) {
        let before = verdicts[rung]
        let lefts = (before?.outcome == .left ? before?.ends ?? 0 : 0) + 1
        if isLeft && lefts < ComputeUnitLadder.patience && deaths(rung) == 0 {
            verdicts[rung] = Verdict(outcome: .left, ends: lefts, waited: 0, reason: "")
        } else {
            verdicts[rung] = Verdict(outcome: .died, ends: deaths(rung) + 1, waited: 0, reason: "")
        }
    }

    private static func oneLine(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(longestReason).map { $0 < " " ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}
