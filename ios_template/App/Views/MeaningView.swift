import EdgeCore
import SwiftUI

/// What an answer means: classes, how many things were found, or numbers.
struct MeaningView: View {
    let meaning: Meaning

    var body: some View {
        ForEach(meaning.classes.keys.sorted(), id: \.self) { name in
            ForEach(Array((meaning.classes[name] ?? []).enumerated()), id: \.offset) { item in
                row(item.element.label ?? "\(item.element.index)", Double(item.element.score))
            }
        }
        if let detections = meaning.detections {
            Text("\(detections.count) found")
            ForEach(Array(detections.prefix(10).enumerated()), id: \.offset) { item in
                row(item.element.label ?? "\(item.element.index)", item.element.score)
            }
        }
        ForEach(meaning.tensors.keys.sorted(), id: \.self) { name in
            LabeledContent(name, value: numbers(meaning.tensors[name]))
        }
    }

    private func row(_ label: String, _ score: Double) -> some View {
        LabeledContent(label, value: score.formatted(.number.precision(.fractionLength(3)))).monospacedDigit()
    }

    private func numbers(_ tensor: Tensor?) -> String {
        guard let tensor else { return "" }
        let style = FloatingPointFormatStyle<Double>.number.precision(.significantDigits(4))
        let first = (0..<min(4, tensor.size)).map { tensor.real($0).formatted(style) }
        return "\(tensor.shape): \(first.joined(separator: ", "))\(tensor.size > 4 ? "..." : "")"
    }
}
