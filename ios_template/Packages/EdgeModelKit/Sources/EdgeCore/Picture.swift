/// Order of the four bytes of a pixel; the fourth is not read.
public enum PixelOrder: Sendable {
    case rgba, bgra
}

/// Pixels, upright: row by row, red, green and blue of each pixel, or one byte of gray.
public struct Picture: Sendable, Equatable {
    public private(set) var width: Int
    public private(set) var height: Int
    /// 3 for RGB, 1 for gray.
    public private(set) var channels: Int
    public private(set) var pixels: [UInt8]

    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws {
        guard width > 0, height > 0, channels == 1 || channels == 3,
            let size = Tensor.size(of: [width, height, channels])
        else {
            throw ModelError("a picture of \(width) x \(height) x \(channels)", "give RGB or gray pixels")
        }
        guard pixels.count == size else {
            throw ModelError(
                "a picture of \(width) x \(height) x \(channels) with \(pixels.count) bytes", "it takes \(size)")
        }
        self.init(trusted: pixels, width: width, height: height, channels: channels)
    }

    /// RGB of pixels of four bytes, such as those of a bitmap or of a camera's buffer; alpha is dropped.
    public init(
        _ bytes: UnsafeRawBufferPointer, order: PixelOrder, width: Int, height: Int, bytesPerRow: Int
    ) throws {
        self.init(trusted: [], width: 0, height: 0, channels: 3)
        try refill(bytes, order: order, width: width, height: height, bytesPerRow: bytesPerRow)
    }

    private init(trusted pixels: [UInt8], width: Int, height: Int, channels: Int) {
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// The same for the next frame: while the size stays, no memory is taken.
    public mutating func refill(
        _ bytes: UnsafeRawBufferPointer, order: PixelOrder, width: Int, height: Int, bytesPerRow: Int
    ) throws {
        guard width > 0, height > 0, let size = Tensor.size(of: [width, height, 3]),
            let row = Tensor.size(of: [width, 4]), bytesPerRow >= row,
            let last = Tensor.size(of: [height - 1, bytesPerRow]), bytes.count - last >= row
        else {
            throw ModelError(
                "\(bytes.count) bytes are no picture of \(width) x \(height) with \(bytesPerRow) bytes a row",
                "give 4 bytes a pixel")
        }
        if pixels.count != size { pixels = [UInt8](repeating: 0, count: size) }
        self.width = width
        self.height = height
        channels = 3
        let red = order == .rgba ? 0 : 2
        pixels.withUnsafeMutableBufferPointer { pixels in
            var to = 0
            for row in 0..<height {
                var from = row * bytesPerRow
                for _ in 0..<width {
                    pixels[to] = bytes[from + red]
                    pixels[to + 1] = bytes[from + 1]
                    pixels[to + 2] = bytes[from + 2 - red]
                    to += 3
                    from += 4
                }
            }
        }
    }

    /// The picture turned and mirrored as EXIF tag 0x0112 says, 1 to 8; other values change nothing.
    public func upright(_ orientation: Int) -> Picture {
        guard (2...8).contains(orientation) else { return self }
        let transposed = orientation >= 5
        let newWidth = transposed ? height : width
        let newHeight = transposed ? width : height
        let flipRows = [3, 4, 7, 8].contains(orientation)
        let flipColumns = [2, 3, 6, 7].contains(orientation)
        // How far apart neighbours of a row are in this picture.
        let step = (transposed ? width : 1) * (flipColumns ? -1 : 1) * channels
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { out, count in
            var to = 0
            for row in 0..<newHeight {
                let y = flipRows ? newHeight - 1 - row : row
                let x = flipColumns ? newWidth - 1 : 0
                var from = (transposed ? x * width + y : y * width + x) * channels
                for _ in 0..<newWidth {
                    for channel in 0..<channels { out[to + channel] = pixels[from + channel] }
                    to += channels
                    from += step
                }
            }
            count = pixels.count
        }
        return Picture(trusted: turned, width: newWidth, height: newHeight, channels: channels)
    }

    /// The picture turned clockwise by 0, 90, 180 or 270 degrees, as a camera asks for.
    public func rotated(_ degrees: Int) -> Picture {
        switch (degrees % 360 + 360) % 360 {
        case 90: upright(6)
        case 180: upright(3)
        case 270: upright(8)
        default: self
        }
    }
}
