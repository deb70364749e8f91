@preconcurrency import AVFoundation
import SwiftUI

/// What the camera sees.
struct CameraPreview: UIViewRepresentable {
    let feed: CameraFeed

    func makeUIView(context: Context) -> PreviewView {
        let view = PreviewView(frame: .zero)
        if let layer = view.layer as? AVCaptureVideoPreviewLayer { feed.show(on: layer) }
        return view
    }

    func updateUIView(_ uiView: PreviewView, context: Context) {}
}

/// A view whose layer shows a capture session.
final class PreviewView: UIView {
    override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }
}
