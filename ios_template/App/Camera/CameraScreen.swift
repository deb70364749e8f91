import EdgeCore
import SwiftUI

/// The camera, and what the model makes of it.
struct CameraScreen: View {
    @ObservedObject var demo: DemoModel
    @Environment(\.dismiss) private var dismiss
    @State private var feed = CameraFeed()
[% if "vision" in flags %]
    @State private var usesVision = false
[% endif %]

    var body: some View {
        NavigationStack {
            VStack(alignment: .leading) {
                CameraPreview(feed: feed)
                    .aspectRatio(aspect, contentMode: .fit)
[% if "boxes" in flags %]
                    .overlay {
                        if let seen = demo.seen { BoxesOverlay(seen: seen, facts: demo.runner.facts) }
                    }
[% endif %]
[% if "vision" in flags %]
                Toggle("Crop and scale with Vision", isOn: $usesVision)
[% endif %]
                if let failure = demo.failure { FailureView(failure: failure) }
                if let meaning = demo.seen?.meaning { MeaningView(meaning: meaning) }
                if let latency = demo.latency { Text(verbatim: latency).font(.footnote).monospacedDigit() }
            }
            .padding()
            .toolbar { ToolbarItem(placement: .topBarTrailing) { Button("Done") { dismiss() } } }
        }
[% if "vision" in flags %]
        .task(id: usesVision) { await demo.watch(feed, usesVision: usesVision) }
[% else %]
        .task { await demo.watch(feed) }
[% endif %]
    }

    private var aspect: CGFloat {
        guard let seen = demo.seen, seen.rows > 0 else { return 0.75 }
        return CGFloat(seen.columns) / CGFloat(seen.rows)
    }
}
