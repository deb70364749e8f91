import EdgeCore
import Foundation
import XCTest

/// What this project computes around its model, compared with what the host recorded. No device is needed.
final class GoldenVectorTests: XCTestCase {
    private func vectors() throws -> GoldenVectors {
        let file = try XCTUnwrap(Bundle.module.url(forResource: "golden", withExtension: "json"))
        return try GoldenVectors.read(try Data(contentsOf: file))
    }

    func testEveryStepAroundTheModelComputesWhatTheHostComputed() throws {
        XCTAssertEqual(GoldenCheck.steps(try vectors(), ModelSpec.facts), [])
    }

    func testTheRecordedCasesFitTheModel() throws {
        let cases = try vectors().cases
        XCTAssertFalse(cases.isEmpty, "golden.json has no case for the model")
        for item in cases {
            try Tensor.check(item.inputs.mapValues { try $0.tensor() }, ModelSpec.facts.inputs)
            for (name, tensor) in item.outputs {
                XCTAssertEqual(try ModelSpec.facts.output(name).shape, tensor.shape, name)
            }
        }
    }

    func testTolerancesAreThoseOfTheModel() throws {
        let vectors = try vectors()
        XCTAssertEqual(ModelSpec.facts.goldenAtol, vectors.atol)
        XCTAssertEqual(ModelSpec.facts.goldenRtol, vectors.rtol)
    }
}
