import EdgeCore
[% if "picture" in flags %]
import PhotosUI
[% endif %]
import SwiftUI

/// The demo screen.
struct ContentView: View {
    @StateObject private var demo = DemoModel()
[% if "picture" in flags %]
    @State private var item: PhotosPickerItem?
[% endif %]
[% if "camera" in flags %]
    @State private var showsCamera = false
[% endif %]

    var body: some View {
        NavigationStack {
            List {
[% if "picture" in flags %]
                Section("Picture") { pictureRows }
[% endif %]
                if let what = demo.busy { ProgressView(what) }
                if let failure = demo.failure { FailureView(failure: failure) }
[% if "picture" in flags %]
                if let seen = demo.seen { Section("Answer") { MeaningView(meaning: seen.meaning) } }
[% endif %]
                Section("Model") { ReportView(facts: demo.runner.facts, report: demo.report, plan: demo.plan) }
[% if "picture" in flags %]
                if let latency = demo.latency { LabeledContent("Time of the model", value: latency) }
[% endif %]
                Section("Self-test") { testRows }
            }
            .navigationTitle(Text(verbatim: [[ options.title | swift_string ]]))
        }
        .task { await demo.open() }
[% if "picture" in flags %]
        .task(id: item) {
            guard let item else { return }
            do {
                guard let data = try await item.loadTransferable(type: Data.self) else { return }
                await demo.look(at: data)
            } catch {
                demo.fail(toLoad: error)
            }
        }
[% endif %]
[% if "camera" in flags %]
        .fullScreenCover(isPresented: $showsCamera) { CameraScreen(demo: demo) }
[% endif %]
        .onReceive(Self.notices(UIApplication.didReceiveMemoryWarningNotification)) { _ in
            Task { await demo.relieve() }
        }
        .onReceive(Self.notices(UIApplication.didEnterBackgroundNotification)) { _ in demo.leave() }
        .onReceive(Self.notices(UIApplication.willEnterForegroundNotification)) { _ in
            Task { await demo.open() }
        }
    }
[% if "picture" in flags %]

    @ViewBuilder private var pictureRows: some View {
        if let image = demo.image {
            Image(decorative: image, scale: 1)
                .resizable()
                .scaledToFit()
[% if "boxes" in flags %]
                .overlay {
                    if let seen = demo.seen { BoxesOverlay(seen: seen, facts: demo.runner.facts) }
                }
[% endif %]
        }
        PhotosPicker("Choose a picture", selection: $item, matching: .images)
[% if "camera" in flags %]
        Button("Use the camera") { showsCamera = true }
[% endif %]
    }
[% endif %]

    @ViewBuilder private var testRows: some View {
        Button("Compare with the host") { Task { await demo.selfTest() } }
            .disabled(demo.busy != nil)
        Button("Try all compute units again") { Task { await demo.tryAllUnits() } }
            .disabled(demo.busy != nil)
        ForEach(Array(demo.findings.enumerated()), id: \.offset) { line in
            Text(verbatim: line.element).font(.footnote).monospaced()
        }
    }

    private static func notices(_ name: Notification.Name) -> NotificationCenter.Publisher {
        NotificationCenter.default.publisher(for: name)
    }
}

/// What went wrong, and what to do.
struct FailureView: View {
    let failure: ModelError

    var body: some View {
        VStack(alignment: .leading) {
            Label(failure.reason, systemImage: "exclamationmark.triangle")
            Text(verbatim: failure.remedy).font(.footnote).foregroundStyle(.secondary)
        }
        .accessibilityElement(children: .combine)
    }
}

/// Which model runs, on what, and why there.
struct ReportView: View {
    let facts: ModelFacts
    let report: RunReport?
    let plan: String?

    var body: some View {
        LabeledContent("Model", value: "\(facts.name) \(facts.version), \(facts.variant)")
        if let report {
            LabeledContent("Asked for", value: report.computeUnits.key)
            LabeledContent("Runtime", value: report.runtime)
            if let plan { LabeledContent("Core ML's plan", value: plan) }
            ForEach(Array(report.lines.enumerated()), id: \.offset) { line in
                Text(verbatim: line.element).font(.footnote)
            }
        }
    }
}
