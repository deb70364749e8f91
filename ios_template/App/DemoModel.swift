import EdgeCore
import SwiftUI

/// What the demo screen shows, and what its buttons do.
@MainActor
final class DemoModel: ObservableObject {
    let runner = CoreMLRunner()

    /// What is being done; nil while nothing is.
    @Published private(set) var busy: String?
    @Published private(set) var failure: ModelError?
    @Published private(set) var report: RunReport?
    @Published private(set) var plan: String?
    /// What the self-test found, a line each.
    @Published private(set) var findings: [String] = []
[% if "picture" in flags %]
    @Published private(set) var seen: Seen?
    @Published private(set) var image: CGImage?
    /// Median and 90th percentile of the model's own time.
    @Published private(set) var latency: String?
    private var times = LatencyStatistics()
[% endif %]
[% if "camera" in flags %]
    /// Frames are let go while the model shall not be in memory.
    private var isPaused = false
    private var isWatching = false
[% endif %]

    /// Opens the model, so that the first answer does not have to wait for it.
    func open() async {
[% if "camera" in flags %]
        isPaused = false
[% endif %]
        await work("Opening the model; the first time on a device this may take minutes") {
            _ = try await self.runner.model()
            self.report = await self.runner.report
            self.plan = try await self.runner.computePlan()
        }
    }

    /// Gives the model's memory back, for the app is no longer seen. It is opened again when it is.
    func leave() {
        // iOS would put the app to sleep before the runner has stored that what it opens was given up.
        let time = UIApplication.shared.beginBackgroundTask(withName: "Closing the model")
[% if "camera" in flags %]
        isPaused = true
[% endif %]
        Task {
            await release()
            UIApplication.shared.endBackgroundTask(time)
        }
    }

    /// Gives the model's memory back, for iOS asks for it. It is opened again when it is needed.
    func relieve() async {
[% if "camera" in flags %]
        isPaused = isWatching
[% endif %]
        await release()
[% if "camera" in flags %]
        if isWatching {
            failure = ModelError(
                "iOS is short of memory: the model was closed", "close other apps, and open the camera again")
        }
[% endif %]
    }

    /// Tries all compute units again, also those that were wrong, failed or ended the app.
    func tryAllUnits() async {
        await work("Closing the model") { await self.runner.forget() }
        await open()
    }

    /// Compares every step around the model, and the model on each choice of compute units, with the host.
    func selfTest() async {
        findings = []
        await work("Comparing with the numbers of the host") {
            // One model in memory at a time.
            await self.runner.close()
            let steps = try await Task.detached { try SelfTest.steps() }.value
            self.findings = steps.isEmpty ? ["steps around the model: the same numbers"] : steps
            for units in CoreMLRunner.rungs(self.runner.facts) {
                self.findings += await Self.lines(units, self.runner.facts)
            }
        }
        await open()
    }
[% if "picture" in flags %]

    /// Runs the model on a picture file.
    func look(at data: Data) async {
        await work("Looking") {
            let reader = try PictureReader(self.runner)
            // Opening the model is not part of its time.
            _ = try await self.runner.model()
            self.show(try await reader.read(data))
        }
        report = await runner.report
    }
[% endif %]
[% if "camera" in flags %]

    /// Runs the model on frames until the task is cancelled.
[% if "vision" in flags %]
    func watch(_ feed: CameraFeed, usesVision: Bool) async {
[% else %]
    func watch(_ feed: CameraFeed) async {
[% endif %]
        times.clear()
        seen = nil
        failure = nil
        (isPaused, isWatching) = (false, true)
        defer { isWatching = false }
        do {
            let reader = try PictureReader(runner)
            for await frame in try await feed.frames() where !isPaused {
                do {
[% if "vision" in flags %]
                    show(try await usesVision ? reader.glance(frame, runner.model()) : reader.read(frame))
[% else %]
                    show(try await reader.read(frame))
[% endif %]
                } catch is CancellationError {
                    // The model was closed while it opened; the next frame opens it again, unless this is paused.
                }
            }
        } catch {
            fail(error)
        }
        report = await runner.report
    }
[% endif %]
[% if "picture" in flags %]

    /// Shows that a picture could not be had.
    func fail(toLoad error: any Error) {
        // Another one was chosen meanwhile.
        if Task.isCancelled { return }
        failure = ModelError(
            "the picture cannot be loaded: \(error.localizedDescription)",
            "choose another one, or try again when the device is online", cause: error)
    }

    private func show(_ found: Seen) {
        seen = found
        if let picture = found.picture { image = CGImage.make(picture) }
        times.add(found.time)
        latency = Self.summary(times)
        UserCode.received(found.meaning)
    }
[% endif %]

    private func release() async {
        await runner.close()
        report = nil
    }

    private func work(_ what: String, _ steps: @MainActor () async throws -> Void) async {
        busy = what
        failure = nil
        defer { busy = nil }
        do {
            try await steps()
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: any Error) {
        if error is CancellationError { return }
        failure =
            error as? ModelError
            ?? ModelError(error.localizedDescription, "try again; the log of the device may tell more", cause: error)
    }

    private static func lines(_ units: ComputeUnits, _ facts: ModelFacts) async -> [String] {
        do {
            let result = try await SelfTest.run(units, facts)
            let time = result.milliseconds.formatted(.number.precision(.fractionLength(1)))
            if result.problems.isEmpty { return ["\(units.key): the same numbers, \(time) ms"] }
            return result.problems.map { "\(units.key): \($0)" }
        } catch {
            return ["\(units.key): \(error)"]
        }
    }
[% if "picture" in flags %]

    private static func summary(_ times: LatencyStatistics) -> String {
        let parts = [50.0, 90.0].map { percent in
            let time = times.percentile(percent).formatted(.number.precision(.fractionLength(1)))
            return "p\(Int(percent)) \(time) ms"
        }
        return "\(parts.joined(separator: ", ")) of \(times.count)"
    }
[% endif %]
}
