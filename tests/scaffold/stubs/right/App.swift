// An app of the kind that is scaffolded, as an engineer would write it: all of it has to be accepted.
@preconcurrency import AVFoundation
import CoreImage
@preconcurrency import CoreML
import CryptoKit
import ImageIO
import Observation
import PhotosUI
import SwiftUI
import UIKit
import UniformTypeIdentifiers
import Vision
import os

private let log = Logger(subsystem: "com.example.digits", category: "model")

struct RunnerFailure: Error { let reason: String }

actor ModelRunner {
    private var model: MLModel?
    private let signposter = OSSignposter(subsystem: "com.example.digits", category: "model")

    func load(_ url: URL, units: MLComputeUnits) async throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units
        if #available(iOS 18.0, *) { configuration.functionName = nil }
        model = try await MLModel.load(contentsOf: url, configuration: configuration)
        log.info("\(url.lastPathComponent, privacy: .public): \(3.5, format: .fixed(precision: 1)) ms, \(units.rawValue)")
    }

    func unload() { model = nil }

    func predict(_ values: [Float], shape: [Int]) throws -> [Float] {
        guard let model else { throw RunnerFailure(reason: "not loaded") }
        let state = signposter.beginInterval("predict")
        defer { signposter.endInterval("predict", state) }
        return try autoreleasepool {
            let array = try MLMultiArray(shape: shape.map { NSNumber(value: $0) }, dataType: .float32)
            array.withUnsafeMutableBytes { bytes, strides in
                precondition(strides.last == 1)
                values.withUnsafeBytes { bytes.copyMemory(from: $0) }
            }
            let input = try MLDictionaryFeatureProvider(dictionary: ["x": MLFeatureValue(multiArray: array)])
            let output = try model.prediction(from: input)
            guard let found = output.featureValue(for: "y")?.multiArrayValue else { throw RunnerFailure(reason: "no y") }
            switch found.dataType {
            case .float32: return found.withUnsafeBufferPointer(ofType: Float.self) { Array($0) }
            case .float16: return found.withUnsafeBufferPointer(ofType: Float16.self) { $0.map(Float.init) }
            case .double, .int32, .int8: throw RunnerFailure(reason: "type")
            @unknown default: throw RunnerFailure(reason: "new type")
            }
        }
    }

    func plan(_ url: URL) async throws -> [String: Int] {
        guard #available(iOS 17.4, *) else { return [:] }
        let plan = try await MLComputePlan.load(contentsOf: url, configuration: MLModelConfiguration())
        guard case .program(let program) = plan.modelStructure, let main = program.functions["main"] else { return [:] }
        var counts: [String: Int] = [:]
        for operation in main.block.operations {
            guard let usage = plan.deviceUsage(for: operation) else { continue }
            switch usage.preferred {
            case .cpu: counts["cpu", default: 0] += 1
            case .gpu: counts["gpu", default: 0] += 1
            case .neuralEngine: counts["neural engine", default: 0] += 1
            @unknown default: counts["other", default: 0] += 1
            }
        }
        return counts
    }

    func classify(_ image: CGImage) throws -> [String] {
        guard let model else { return [] }
        let request = VNCoreMLRequest(model: try VNCoreMLModel(for: model))
        request.imageCropAndScaleOption = .scaleFill
        try VNImageRequestHandler(cgImage: image, orientation: .up).perform([request])
        return (request.results as? [VNClassificationObservation])?.map(\.identifier) ?? []
    }
}

func digest(_ pieces: [Data]) -> String {
    var hash = SHA256()
    for piece in pieces { hash.update(data: piece) }
    return hash.finalize().map { String(format: "%02x", $0) }.joined()
}

func decode(_ data: Data) -> CGImage? {
    guard let source = CGImageSourceCreateWithData(data as CFData, nil) else { return nil }
    let options: [CFString: Any] = [
        kCGImageSourceCreateThumbnailFromImageAlways: true,
        kCGImageSourceCreateThumbnailWithTransform: true,
        kCGImageSourceThumbnailMaxPixelSize: 4096,
    ]
    return CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
}

func pixels(_ image: CGImage) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: image.width * image.height * 4)
    guard let space = CGColorSpace(name: CGColorSpace.sRGB) else { return nil }
    let drawn = bytes.withUnsafeMutableBytes { raw -> Bool in
        guard
            let context = CGContext(
                data: raw.baseAddress, width: image.width, height: image.height, bitsPerComponent: 8,
                bytesPerRow: image.width * 4, space: space, bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
        else { return false }
        context.interpolationQuality = .none
        context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
        return true
    }
    return drawn ? bytes : nil
}

@MainActor
@Observable
final class Screen {
    var lines: [String] = []
    var busy = false
    @ObservationIgnored private let runner = ModelRunner()

    func run() async {
        busy = true
        defer { busy = false }
        do {
            lines = try await runner.predict([1], shape: [1, 1]).map { "\($0)" }
        } catch {
            lines = [error.localizedDescription]
        }
    }

    func watch() async {
        let warnings = NotificationCenter.default.notifications(named: UIApplication.didReceiveMemoryWarningNotification)
        for await _ in warnings { await runner.unload() }
    }
}

@MainActor
final class OlderScreen: ObservableObject {
    @Published private(set) var text = ""

    func set() { text = String(localized: "Done") }
}

final class Camera: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    private let session = AVCaptureSession()
    private let output = AVCaptureVideoDataOutput()
    private let queue = DispatchQueue(label: "camera")

    func start() async -> Bool {
        guard await AVCaptureDevice.requestAccess(for: .video) else { return false }
        queue.async { [self] in
            guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back),
                let input = try? AVCaptureDeviceInput(device: device)
            else { return }
            session.beginConfiguration()
            session.sessionPreset = .vga640x480
            if session.canAddInput(input) { session.addInput(input) }
            output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
            output.alwaysDiscardsLateVideoFrames = true
            output.setSampleBufferDelegate(self, queue: queue)
            if session.canAddOutput(output) { session.addOutput(output) }
            if #available(iOS 17.0, *) { output.connection(with: .video)?.videoRotationAngle = 90 }
            session.commitConfiguration()
            session.startRunning()
        }
        return true
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        log.debug("\(CVPixelBufferGetBytesPerRow(buffer))")
    }
}

struct PreviewView: UIViewRepresentable {
    let session: AVCaptureSession

    final class LayerView: UIView {
        override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }
    }

    func makeUIView(context: Context) -> LayerView {
        let view = LayerView(frame: .zero)
        (view.layer as? AVCaptureVideoPreviewLayer)?.session = session
        return view
    }

    func updateUIView(_ uiView: LayerView, context: Context) {}
}

struct ContentView: View {
    @State private var screen = Screen()
    @StateObject private var older = OlderScreen()
    @State private var item: PhotosPickerItem?
    @State private var image: CGImage?
    @Environment(\.scenePhase) private var phase

    var body: some View {
        NavigationStack {
            VStack(alignment: .leading, spacing: 12) {
                if let image {
                    Image(decorative: image, scale: 1).resizable().scaledToFit().frame(maxHeight: 300)
                } else {
                    Text("No picture")
                }
                PhotosPicker("Choose a picture", selection: $item, matching: .images)
                Button("Run") { Task { await screen.run() } }
                    .buttonStyle(.borderedProminent)
                    .disabled(screen.busy)
                List(screen.lines, id: \.self) { line in
                    Text(verbatim: line).font(.footnote).monospaced()
                }
                ForEach(0..<3) { index in Text("\(index) of \(screen.lines.count)") }
                if screen.busy { ProgressView() }
                LabeledContent("Units", value: "all")
                Rectangle().stroke(.red, lineWidth: 2).frame(width: 20, height: 20)
            }
            .padding()
            .navigationTitle("Digits")
            .toolbar { ToolbarItem(placement: .topBarTrailing) { Button("Test") { older.set() } } }
        }
        .task { await screen.watch() }
        .task(id: item) {
            guard let data = try? await item?.loadTransferable(type: Data.self) else { return }
            image = decode(data)
        }
        .onChange(of: phase) { if $0 == .background { log.debug("leaving") } }
    }
}

@main
struct DigitsApp: App {
    var body: some Scene { WindowGroup { ContentView() } }
}
