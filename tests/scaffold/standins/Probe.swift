import EdgeCore
import Foundation

/// Drives the runner of a project: one word after the other says what to do, one line after the other what came of it.
@main
struct Probe {
    static func main() async throws {
        let runner = CoreMLRunner(store: URL(fileURLWithPath: "support/ladder.txt"))
        let inputs = try SelfTest.vectors().cases[0].inputs.mapValues { try $0.tensor() }
        for word in CommandLine.arguments.dropFirst() {
            do {
                switch word {
                case "predict": print(try await line(runner.predict(inputs)))
                case "three at once":
                    async let first = runner.predict(inputs)
                    async let second = runner.predict(inputs)
                    async let third = runner.predict(inputs)
                    let all = try await [line(first), line(second), line(third)]
                    print(Set(all).count, all[0])
                case "close": await runner.close()
                case "close while it opens":
                    let task = Task { try await runner.predict(inputs) }
                    try await Task.sleep(nanoseconds: 10_000_000)
                    await runner.close()
                    if case .failure(let error) = await task.result { print("ended:", error is CancellationError) }
                case "close and open again":
                    // A load goes on when its task was cancelled, and so does Core ML's.
                    let task = Task { try await runner.predict(inputs) }
                    try await Task.sleep(nanoseconds: 100_000_000)
                    await runner.close()
                    print(try await line(runner.predict(inputs)))
                    _ = await task.result
                case "leave":
                    let task = Task { try await runner.predict(inputs) }
                    try await Task.sleep(nanoseconds: 100_000_000)
                    await runner.close()
                    task.cancel()
                    exit(9)
                case "try all": await runner.forget()
                case "report":
                    let report = await runner.report
                    print(report.computeUnits.key, report.lines)
                case "no picture": _ = try await runner.predict(inputs.filter { $0.key != "picture" })
                case "too large":
                    var changed = inputs
                    changed["when"] = Tensor(.longs([1 << 40]), shape: [])
                    _ = try await runner.predict(changed)
                case "self-test":
                    for units in runner.facts.computeUnits { print(units.key, try await SelfTest.run(units).problems) }
                case "download":
                    let url = try await ModelStore.downloaded(URL(fileURLWithPath: "package"), runner.facts)
                    print(url.deletingLastPathComponent().lastPathComponent, url.lastPathComponent)
                case "forget": try ModelStore.forget(except: runner.facts)
                default: fatalError(word)
                }
            } catch let error as ModelError {
                print("error:", error.reason, "|", error.remedy)
            }
        }
    }

    private static func line(_ outputs: [String: Tensor]) -> String {
        outputs.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.type.rawValue)\($0.value.shape) \($0.value.reals())" }
            .joined(separator: "; ")
    }
}

/// Core ML tells nothing of its plans here.
enum ComputePlan {
    static func summary(_ url: URL, _ units: ComputeUnits, _ facts: ModelFacts) async -> String? { nil }
}

// What Foundation of Linux lacks.

func autoreleasepool<Result>(invoking body: () throws -> Result) rethrows -> Result { try body() }

extension URL {
    static var applicationSupportDirectory: URL { URL(fileURLWithPath: "support") }
}
