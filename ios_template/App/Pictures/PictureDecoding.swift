import CoreGraphics
import EdgeCore
import Foundation
import ImageIO

extension Picture {
    /// Larger pictures are made smaller while they are decoded: 48 megapixels take 190 MB.
    private static let longestSide = 4096

    /// The pixels of a picture file, upright where the contract says so.
    static func decode(_ data: Data, _ spec: ImageSpec) throws -> Picture {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil), let image = image(source) else {
            throw ModelError("the file is no picture that this device can read", "choose another one")
        }
        let picture = try Picture(image)
        return spec.followsOrientation ? picture.upright(orientation(source)) : picture
    }

    /// The pixels of an image as they are stored: without its orientation, and in its own colours.
    ///
    /// The host ignores colour profiles, so a picture of a wide-gamut camera is not converted here, either. Under
    /// transparent parts is black here, and the stored colour on the host.
    init(_ image: CGImage) throws {
        let gray = image.colorSpace?.model == .monochrome
        let own = gray || image.colorSpace?.model == .rgb ? image.colorSpace : nil
        let spaces = [own, CGColorSpace(name: gray ? CGColorSpace.genericGrayGamma2_2 : CGColorSpace.sRGB)]
        for space in spaces.compactMap({ $0 }) {
            if let drawn = try gray ? Self.gray(image, space) : Self.color(image, space) {
                self = drawn
                return
            }
        }
        throw ModelError("the picture cannot be drawn", "choose another one, or save it as JPEG or PNG")
    }

    private static func color(_ image: CGImage, _ space: CGColorSpace) throws -> Picture? {
        let (width, height, row) = (image.width, image.height, image.width * 4)
        var bytes = [UInt8](repeating: 0, count: row * height)
        let drawn = bytes.withUnsafeMutableBytes {
            draw(image, into: $0, row, space, CGImageAlphaInfo.noneSkipLast.rawValue)
        }
        guard drawn else { return nil }
        return try bytes.withUnsafeBytes {
            try Picture($0, order: .rgba, width: width, height: height, bytesPerRow: row)
        }
    }

    private static func gray(_ image: CGImage, _ space: CGColorSpace) throws -> Picture? {
        var bytes = [UInt8](repeating: 0, count: image.width * image.height)
        let drawn = bytes.withUnsafeMutableBytes {
            draw(image, into: $0, image.width, space, CGImageAlphaInfo.none.rawValue)
        }
        return drawn ? try Picture(width: image.width, height: image.height, channels: 1, pixels: bytes) : nil
    }

    private static func draw(
        _ image: CGImage, into bytes: UnsafeMutableRawBufferPointer, _ bytesPerRow: Int, _ space: CGColorSpace,
        _ info: UInt32
    ) -> Bool {
        guard
            let context = CGContext(
                data: bytes.baseAddress, width: image.width, height: image.height, bitsPerComponent: 8,
                bytesPerRow: bytesPerRow, space: space, bitmapInfo: info)
        else { return false }
        context.interpolationQuality = .none
        context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
        return true
    }

    private static func image(_ source: CGImageSource) -> CGImage? {
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        let sides = [kCGImagePropertyPixelWidth, kCGImagePropertyPixelHeight].map { properties?[$0] as? Int ?? 0 }
        guard sides.contains(where: { $0 > longestSide }) else {
            return CGImageSourceCreateImageAtIndex(source, 0, nil)
        }
        let options: [CFString: Any] = [
            kCGImageSourceCreateThumbnailFromImageAlways: true,
            kCGImageSourceThumbnailMaxPixelSize: longestSide,
        ]
        return CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
    }

    private static func orientation(_ source: CGImageSource) -> Int {
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        return properties?[kCGImagePropertyOrientation] as? Int ?? 1
    }
}

extension CGImage {
    /// An upright picture, to be shown.
    static func make(_ picture: Picture) -> CGImage? {
        let gray = picture.channels == 1
        guard let provider = CGDataProvider(data: Data(picture.pixels) as CFData),
            let space = CGColorSpace(name: gray ? CGColorSpace.genericGrayGamma2_2 : CGColorSpace.sRGB)
        else { return nil }
        return CGImage(
            width: picture.width, height: picture.height, bitsPerComponent: 8, bitsPerPixel: 8 * picture.channels,
            bytesPerRow: picture.width * picture.channels, space: space,
            bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.none.rawValue), provider: provider, decode: nil,
            shouldInterpolate: true, intent: .defaultIntent)
    }
}
