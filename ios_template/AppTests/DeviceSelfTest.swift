import XCTest

@testable import [[ app ]]

/// Compares this device, or the simulator, with the host that the model was built on. golden.json comes with the app.
final class DeviceSelfTest: XCTestCase {
    func testStepsAroundTheModel() throws {
        XCTAssertEqual(try SelfTest.steps(), [])
    }

    /// The CPU has to be right; what else the device has is reported, and the app leaves alone what is wrong.
    func testTheModelOnEachChoiceOfComputeUnits() async throws {
        let facts = CoreMLRunner().facts
        let rungs = CoreMLRunner.rungs(facts)
        for units in rungs {
            do {
                let result = try await SelfTest.run(units, facts)
                let plan = await ComputePlan.summary(try ModelStore.bundled(), units, facts)
                print("\(units.key): \(result.milliseconds) ms; \(plan ?? "no plan"); problems: \(result.problems)")
                if units == rungs.last { XCTAssertEqual(result.problems, []) }
            } catch {
                print("\(units.key): \(error)")
                if units == rungs.last { throw error }
            }
        }
    }

    func testTheAppFindsComputeUnitsThatAreRight() async throws {
        let store = URL.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
        defer { try? FileManager.default.removeItem(at: store) }
        let runner = CoreMLRunner(store: store)
        let model = try await runner.model()
        let problems = try await SelfTest.check(try SelfTest.vectors(), model)
        XCTAssertEqual(problems, [])
        print(await runner.report.lines.joined(separator: "\n"))
    }
}
