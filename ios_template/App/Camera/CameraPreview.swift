@preconcurrency import AVFoundation
import SwiftUI

/// What the camera sees.
struct CameraPreview: UIViewRepresentable {
    let feed: CameraFeed

    func makeUIView(context: Context) -> PreviewView {
        let view = PreviewView(frame: .zero)
        view.feed = feed
        return view
    }

    func updateUIView(_ uiView: PreviewView, context: Context) {
        // The camera may have started since.
        uiView.setNeedsLayout()
    }
}

/// A view whose layer shows a capture session.
final class PreviewView: UIView {
    override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

    var feed: CameraFeed? {
        didSet {
            preview?.session = feed?.session
            preview?.videoGravity = .resizeAspect
        }
    }

    private var preview: AVCaptureVideoPreviewLayer? { layer as? AVCaptureVideoPreviewLayer }

    override func layoutSubviews() {
        super.layoutSubviews()
        if let preview { feed?.turn(preview) }
    }
}
