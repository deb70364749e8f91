@preconcurrency import AVFoundation
import EdgeCore

/// A frame of the camera. Each is handed out once, so that nobody else reads or writes its buffer.
struct CameraFrame: @unchecked Sendable {
    /// BGRA.
    let buffer: CVPixelBuffer
    /// By how many degrees it has to be turned clockwise to be upright: 0 or 90.
    let rotation: Int

    /// Rows of the upright frame.
    var rows: Int { rotation == 0 ? CVPixelBufferGetHeight(buffer) : CVPixelBufferGetWidth(buffer) }

    /// Columns of the upright frame.
    var columns: Int { rotation == 0 ? CVPixelBufferGetWidth(buffer) : CVPixelBufferGetHeight(buffer) }

    /// Copies the pixels, not turned yet, into a picture whose memory is used again.
    func copy(into picture: inout Picture) throws {
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        let (height, row) = (CVPixelBufferGetHeight(buffer), CVPixelBufferGetBytesPerRow(buffer))
        let bytes = UnsafeRawBufferPointer(start: CVPixelBufferGetBaseAddress(buffer), count: row * height)
        try picture.refill(
            bytes, order: .bgra, width: CVPixelBufferGetWidth(buffer), height: height, bytesPerRow: row)
    }
}

/// The back camera. Whoever is slower than the camera misses frames, and never falls behind.
final class CameraFeed: NSObject, @unchecked Sendable {
    /// For the preview; it is changed on `queue` alone.
    let session = AVCaptureSession()
    private let output = AVCaptureVideoDataOutput()
    private let queue = DispatchQueue(label: "camera")
    /// Of the newest stream; like `streams` used on `queue` alone.
    private var continuation: AsyncStream<CameraFrame>.Continuation?
    private var streams = 0
    /// Set on `queue` before `follow` reads it.
    private var device: AVCaptureDevice?
    @MainActor private weak var preview: AVCaptureVideoPreviewLayer?
    /// An AVCaptureDevice.RotationCoordinator, which is there from iOS 17 on.
    @MainActor private var rotation: NSObject?
    @MainActor private var turning: NSKeyValueObservation?
    private var failures: (any NSObjectProtocol)?

    override init() {
        super.init()
        // The system's media services may start anew, and know nothing of the session then.
        failures = NotificationCenter.default.addObserver(
            forName: AVCaptureSession.runtimeErrorNotification, object: session, queue: nil
        ) { [weak self] _ in self?.startAgain() }
    }

    deinit {
        if let failures { NotificationCenter.default.removeObserver(failures) }
    }

    /// Shows the session on a layer.
    @MainActor
    func show(on layer: AVCaptureVideoPreviewLayer) {
        layer.session = session
        layer.videoGravity = .resizeAspect
        preview = layer
    }

    /// Starts the camera. It stops when the frames are no longer waited for.
    ///
    /// - Throws: `ModelError` where there is no camera, or it may not be used.
    func frames() async throws -> AsyncStream<CameraFrame> {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw ModelError("the camera may not be used", "allow it in Settings, Privacy & Security, Camera")
        }
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            queue.async { done.resume(with: Result { try self.prepare() }) }
        }
        await follow()
        let (stream, continuation) = AsyncStream.makeStream(
            of: CameraFrame.self, bufferingPolicy: .bufferingNewest(1))
        continuation.onTermination = { [weak self] _ in self?.stop() }
        queue.async {
            self.continuation = continuation
            self.streams += 1
            self.session.startRunning()
        }
        return stream
    }

    /// Turns preview and frames as the device is held, from now on.
    @MainActor
    private func follow() {
        guard #available(iOS 17.0, *), rotation == nil, let device else { return }
        let coordinator = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: preview)
        rotation = coordinator
        turning = coordinator.observe(\.videoRotationAngleForHorizonLevelPreview) { [weak self] _, _ in
            Task { @MainActor in self?.turn() }
        }
        turn()
    }

    @MainActor
    private func turn() {
        guard #available(iOS 17.0, *), let coordinator = rotation as? AVCaptureDevice.RotationCoordinator
        else { return }
        let angle = coordinator.videoRotationAngleForHorizonLevelPreview
        if let connection = preview?.connection, connection.isVideoRotationAngleSupported(angle) {
            connection.videoRotationAngle = angle
        }
        queue.async {
            if let connection = self.output.connection(with: .video), connection.isVideoRotationAngleSupported(angle) {
                connection.videoRotationAngle = angle
            }
        }
    }

    private func prepare() throws {
        guard session.inputs.isEmpty else { return }
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back) else {
            throw ModelError("this device has no camera at its back", "choose a picture instead")
        }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.sessionPreset = .vga640x480
        let input = try AVCaptureDeviceInput(device: device)
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(self, queue: queue)
        guard session.canAddInput(input), session.canAddOutput(output) else {
            throw ModelError("the camera cannot be used now", "close other apps that use it")
        }
        session.addInput(input)
        session.addOutput(output)
        self.device = device
    }

    private func startAgain() {
        queue.async {
            if self.streams > 0 { self.session.startRunning() }
        }
    }

    private func stop() {
        queue.async {
            self.streams -= 1
            if self.streams == 0 { self.session.stopRunning() }
        }
    }
}

extension CameraFeed: AVCaptureVideoDataOutputSampleBufferDelegate {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        // Before iOS 17 frames come as the sensor lies, and this app shows the camera upright.
        let turned = if #available(iOS 17.0, *) { true } else { false }
        continuation?.yield(CameraFrame(buffer: buffer, rotation: turned ? 0 : 90))
    }
}
