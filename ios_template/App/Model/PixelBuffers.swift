@preconcurrency import CoreML
import CoreVideo
import EdgeCore

/// Pictures for an input that the model takes as an image. The buffers' memory is used again and again.
final class PixelBuffers {
    private let input: TensorSpec
    private let image: CoreMLImage
    private let width: Int
    private let height: Int
    private let pool: CVPixelBufferPool

    /// - Throws: `ModelError` where the input is no image, or memory is short.
    init(_ input: TensorSpec) throws {
        guard let image = input.coremlImage, let rule = input.image else {
            throw ModelError("the model takes an image as \(input.name)", "run edge scaffold update")
        }
        self.input = input
        self.image = image
        width = rule.width
        height = rule.height
        let format = image.color == .gray ? kCVPixelFormatType_OneComponent8 : kCVPixelFormatType_32BGRA
        let attributes: [CFString: Any] = [
            kCVPixelBufferPixelFormatTypeKey: format,
            kCVPixelBufferWidthKey: width,
            kCVPixelBufferHeightKey: height,
            // Shared with the GPU and the Neural Engine: they read it where it is.
            kCVPixelBufferIOSurfacePropertiesKey: [CFString: Any](),
        ]
        var made: CVPixelBufferPool?
        let code = CVPixelBufferPoolCreate(kCFAllocatorDefault, nil, attributes as CFDictionary, &made)
        guard code == kCVReturnSuccess, let made else { throw Self.failure(code) }
        pool = made
    }

    /// The picture that Core ML turns back into this tensor.
    func buffer(for tensor: Tensor) throws -> CVPixelBuffer {
        let pixels = try image.pixels(of: tensor, input: input)
        var made: CVPixelBuffer?
        let code = CVPixelBufferPoolCreatePixelBuffer(kCFAllocatorDefault, pool, &made)
        guard code == kCVReturnSuccess, let made else { throw Self.failure(code) }
        CVPixelBufferLockBaseAddress(made, [])
        defer { CVPixelBufferUnlockBaseAddress(made, []) }
        guard let base = CVPixelBufferGetBaseAddress(made) else { throw Self.failure(code) }
        let gap = CVPixelBufferGetBytesPerRow(made)
        let row = pixels.count / height
        pixels.withUnsafeBytes { bytes in
            for line in 0..<height {
                let source = UnsafeRawBufferPointer(rebasing: bytes[line * row..<(line + 1) * row])
                UnsafeMutableRawBufferPointer(start: base + line * gap, count: row).copyMemory(from: source)
            }
        }
        return made
    }

    private static func failure(_ code: CVReturn) -> ModelError {
        ModelError("no memory for a picture (CVReturn \(code))", "close other apps and try again")
    }
}
