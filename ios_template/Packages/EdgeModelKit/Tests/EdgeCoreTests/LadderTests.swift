import Foundation
import XCTest

@testable import EdgeCore

final class LadderTests: XCTestCase {
    private final class Memory: LadderStore {
        var text: String?
        var broken = false

        func read() -> String? { text }

        func write(_ text: String) throws {
            if broken { throw ModelError("the disk is full", "make room") }
            self.text = text
        }
    }

    private struct Refusal: LocalizedError {
        var errorDescription: String? { "no driver" }
    }

    private let store = Memory()
    private var checked: [ComputeUnits] = []

    private func ladder(_ key: String = "model|system|device") -> ComputeUnitLadder {
        ComputeUnitLadder(ComputeUnits.allCases, key: key, store: store)
    }

    /// One start of the app; nil where it died.
    private func start(
        key: String = "model|system|device",
        wrong: Set<ComputeUnits> = [],
        missing: Set<ComputeUnits> = [],
        deadly: Set<ComputeUnits> = []
    ) async throws -> Climb<ComputeUnits>? {
        checked = []
        var left: String?
        do {
            return try await ladder(key).climb { rung in
                if missing.contains(rung) { throw Refusal() }
                if deadly.contains(rung) {
                    // The process ends here; nothing that the ladder writes afterwards was ever written.
                    left = self.store.text
                    throw CancellationError()
                }
                return rung
            } check: { rung in
                self.checked.append(rung)
                return wrong.contains(rung) ? ["0.5 is not 0.9", "more"] : []
            }
        } catch is CancellationError {
            store.text = left
            return nil
        }
    }

    private func taken(
        wrong: Set<ComputeUnits> = [], missing: Set<ComputeUnits> = [], deadly: Set<ComputeUnits> = []
    ) async throws -> ComputeUnits? {
        try await start(wrong: wrong, missing: missing, deadly: deadly)?.computeUnits
    }

    func testTheBestRungIsTakenAndCheckedOnce() async throws {
        let first = try await start()
        XCTAssertEqual(first?.runner, .all)
        XCTAssertEqual(checked, [.all])
        XCTAssertEqual(first?.lines, ["all: runs, its numbers are right"])
        let again = try await start()
        XCTAssertEqual(again?.computeUnits, .all)
        XCTAssertEqual(checked, [])
        XCTAssertEqual(again?.lines, ["all: runs, its numbers were right before"])
    }

    func testWrongNumbersAreFinalForThisModelSystemAndDevice() async throws {
        let first = try await start(wrong: [.all])
        XCTAssertEqual(first?.computeUnits, .cpuAndNeuralEngine)
        XCTAssertEqual(first?.lines.first, "all: wrong numbers: 0.5 is not 0.9 (and 1 more)")
        for _ in 0..<20 {
            let later = try await taken()
            XCTAssertEqual(later, .cpuAndNeuralEngine)
        }
        let other = try await start(key: "another model")
        XCTAssertEqual(other?.computeUnits, .all)
    }

    func testWhatCannotBeOpenedIsTriedAgainLater() async throws {
        let first = try await start(missing: [.all])
        XCTAssertEqual(first?.lines.first, "all: failed: no driver")
        for _ in 0..<ComputeUnitLadder.pause {
            let soon = try await taken()
            XCTAssertEqual(soon, .cpuAndNeuralEngine)
        }
        let later = try await taken()
        XCTAssertEqual(later, .all)
    }

    func testARungThatTookTheAppWithItIsLeftAlone() async throws {
        let missing: Set<ComputeUnits> = [.all]
        let deadly: Set<ComputeUnits> = [.cpuAndNeuralEngine]
        let first = try await taken(missing: missing, deadly: deadly)
        XCTAssertNil(first)
        let second = try await start(deadly: deadly)
        XCTAssertEqual(second?.computeUnits, .cpuAndGPU)
        XCTAssertEqual(second?.lines.contains("cpu_and_ne: not tried, the app ended while it was tried"), true)
        for _ in 1..<ComputeUnitLadder.pause { _ = try await start(missing: missing, deadly: deadly) }
        let again = try await taken(missing: missing, deadly: deadly)
        XCTAssertNil(again)
        // Each time it is left alone for twice as long.
        for _ in 0..<(2 * ComputeUnitLadder.pause) {
            let later = try await start(missing: missing, deadly: deadly)
            XCTAssertEqual(later?.computeUnits, .cpuAndGPU)
            XCTAssertEqual(later?.lines[1], "cpu_and_ne: not tried, the app ended 2 times while it was tried")
        }
        let third = try await taken(missing: missing, deadly: deadly)
        XCTAssertNil(third)
        ladder().forget()
        let forgotten = try await taken()
        XCTAssertEqual(forgotten, .all)
    }

    func testHoweverOftenARungDiedItIsTriedAgainAtLast() async throws {
        var memory = LadderMemory(nil, key: "k")
        for _ in 0..<40 {
            memory.begin(.all)
            memory = LadderMemory(memory.text("k"), key: "k")
        }
        for _ in 0..<ComputeUnitLadder.longestPause {
            memory.passTime()
            XCTAssertEqual(memory.reasonToSkip(.all), "the app ended 40 times while it was tried")
        }
        memory.passTime()
        XCTAssertNil(memory.reasonToSkip(.all))
    }

    func testAnAppThatEndsAfterItsTryWasGivenUpTellsLittleOfTheRung() async throws {
        // A load that hangs: the user leaves the app each time, and the system ends it.
        func leave() async {
            let ladder = ladder()
            var left: String?
            _ = try? await ladder.climb(
                make: { _ -> Int in
                    ladder.giveUp()
                    left = self.store.text
                    throw CancellationError()
                }, check: { _ in [] })
            store.text = left
        }
        for _ in 1..<ComputeUnitLadder.patience {
            await leave()
            XCTAssertEqual(store.text?.contains("leaving all"), true)
            XCTAssertNil(LadderMemory(store.text, key: "model|system|device").reasonToSkip(.all))
        }
        await leave()
        let climb = try await start()
        XCTAssertEqual(climb?.lines.first, "all: not tried, the app ended while it was tried")
        // What is given up and ends well after all is forgiven.
        ladder().forget()
        await leave()
        let again = try await start()
        XCTAssertEqual(again?.lines, ["all: runs, its numbers are right"])
        await leave()
        XCTAssertNil(LadderMemory(store.text, key: "model|system|device").reasonToSkip(.all))
    }

    func testWhatNobodyWaitsForIsNotTried() async throws {
        let tried = await Task {
            var tried: [ComputeUnits] = []
            let ladder = ComputeUnitLadder([.all, .cpuOnly], key: "key", store: Memory())
            ladder.giveUp()
            _ = try? await ladder.climb(
                make: { units in
                    tried.append(units)
                    withUnsafeCurrentTask { $0?.cancel() }
                    return units
                }, check: { _ in ["wrong"] })
            return tried
        }.value
        XCTAssertEqual(tried, [.all])
    }

    func testTheLastRungIsAlwaysTried() async throws {
        let others = Set(ComputeUnits.allCases).subtracting([.cpuOnly])
        for _ in 0..<3 {
            let died = try await taken(missing: others, deadly: [.cpuOnly])
            XCTAssertNil(died)
        }
        let alive = try await taken(missing: others)
        XCTAssertEqual(alive, .cpuOnly)
        do {
            _ = try await start(key: "k", missing: Set(ComputeUnits.allCases))
            XCTFail("nothing runs the model")
        } catch let error as ModelError {
            XCTAssertTrue(error.reason.contains("cpu_only: failed: no driver"), error.reason)
        }
    }

    func testWithoutAPlaceForItsMarkOnlyTheLastRungIsTried() async throws {
        store.broken = true
        let climb = try await start()
        XCTAssertEqual(climb?.computeUnits, .cpuOnly)
        XCTAssertEqual(climb?.lines.first, "all: not tried, its mark could not be stored")
    }

    func testAStopIsNoFailureOfTheRung() async throws {
        do {
            _ = try await ladder().climb(make: { $0 }, check: { _ in throw CancellationError() })
            XCTFail("it was stopped")
        } catch is CancellationError {}
        let climb = try await taken()
        XCTAssertEqual(climb, .all)
    }

    func testWhatAStoppedTaskThrowsIsNoFailureOfTheRung() async throws {
        let remembered = await Task {
            let store = Memory()
            let ladder = ComputeUnitLadder([.all, .cpuOnly], key: "key", store: store)
            let climb = try? await ladder.climb(
                make: { _ -> Int in
                    withUnsafeCurrentTask { $0?.cancel() }
                    throw Refusal()
                }, check: { _ in [] })
            return climb == nil ? store.text : nil
        }.value
        XCTAssertEqual(remembered, "edge-ladder 1\nkey\n")
    }

    func testADamagedMemoryCountsAsNone() async throws {
        let head = "edge-ladder 1\nmodel|system|device\n"
        let damaged = ["", "edge-ladder 1", "rubbish\nmodel", head + "all\n\nx y\ntrying", head + "all PASSED x 0 "]
        for text in damaged {
            store.text = text
            let climb = try await start()
            XCTAssertEqual(climb?.lines, ["all: runs, its numbers are right"], text)
        }
    }

    func testReasonsAndKeysStayOnOneLine() async throws {
        var memory = LadderMemory(nil, key: "")
        memory.fail(.all, "one\r\ntwo " + String(repeating: "x", count: 400))
        memory.begin(.cpuOnly)
        let lines = memory.text("a\nb").split(separator: "\n")
        XCTAssertEqual(lines.count, 4)
        XCTAssertEqual(lines[1], "a b")
        XCTAssertTrue(lines[2].hasPrefix("all FAILED 0 0 one  two xxx"))
        XCTAssertEqual(lines[2].count, "all FAILED 0 0 ".count + 300)
        XCTAssertEqual(lines[3], "trying cpu_only")
        let read = LadderMemory(memory.text("a\nb"), key: "a\nb")
        XCTAssertEqual(read.reasonToSkip(.cpuOnly), "the app ended while it was tried")
    }

    func testAFileKeepsWhatWasLearned() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = FileLadderStore(folder.appendingPathComponent("deep/edge-ladder.txt"))
        XCTAssertNil(file.read())
        try file.write("one\n")
        try file.write("two\n")
        XCTAssertEqual(file.read(), "two\n")
        let blocked = FileLadderStore(folder.appendingPathComponent("deep/edge-ladder.txt/below"))
        XCTAssertThrowsError(try blocked.write("three\n"))
    }
}
