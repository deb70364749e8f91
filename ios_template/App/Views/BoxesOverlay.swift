import EdgeCore
import SwiftUI

/// Draws what was found on the picture it was found in.
struct BoxesOverlay: View {
    let seen: Seen
    let facts: ModelFacts

    var body: some View {
        Canvas { context, size in
            guard let rule = facts.inputs.first?.image else { return }
            for found in seen.meaning.detections ?? [] {
                let box = found.box.inPicture(rows: seen.rows, columns: seen.columns, rule)
                let frame = CGRect(
                    x: box.left * size.width, y: box.top * size.height,
                    width: (box.right - box.left) * size.width, height: (box.bottom - box.top) * size.height)
                context.stroke(Path(frame), with: .color(.accentColor), lineWidth: 2)
                let score = found.score.formatted(.percent.precision(.fractionLength(0)))
                let name = Text(verbatim: "\(found.label ?? "\(found.index)") \(score)").font(.caption)
                context.draw(name, at: CGPoint(x: frame.midX, y: frame.minY))
            }
        }
        .accessibilityHidden(true)
    }
}
