import EdgeCore
import Foundation
import XCTest

/// Runs the steps of further golden files, which bring their own specs: EDGE_VECTORS="a.json b.json" swift test.
final class ParityTests: XCTestCase {
    func testFurtherGoldenFiles() throws {
        let files = ProcessInfo.processInfo.environment["EDGE_VECTORS"]?.split(separator: " ") ?? []
        try XCTSkipIf(files.isEmpty, "EDGE_VECTORS names no golden files")
        for file in files {
            let vectors = try GoldenVectors.read(try Data(contentsOf: URL(fileURLWithPath: String(file))))
            let results = GoldenCheck.examine(vectors, ModelSpec.facts)
            let failures = results.filter { $0.problem != nil }
            for result in failures {
                print("\(file): step \(result.index), \(result.kind): \(result.problem ?? "")")
            }
            for (kind, steps) in Dictionary(grouping: results, by: \.kind).sorted(by: { $0.key < $1.key }) {
                let worst = steps.map(\.difference).max() ?? 0
                print("\(file): \(kind): \(steps.count) steps, largest difference \(worst)")
            }
            print("\(file): \(results.count) steps, \(failures.count) failures")
            XCTAssertEqual(failures.count, 0, "\(file)")
        }
    }
}
