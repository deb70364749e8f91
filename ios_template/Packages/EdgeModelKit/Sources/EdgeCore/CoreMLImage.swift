/// How a Core ML model takes an input as an image: value = pixel * scale + bias, pixel in 0...255.
public struct CoreMLImage: Sendable, Equatable {
    public enum Color: String, Sendable {
        case rgb, bgr, gray
    }

    public let scale: Float
    /// One for each channel, in the order of `color`.
    public let bias: [Float]
    /// Order of the tensor's channels.
    public let color: Color

    public init(scale: Float, bias: [Float], color: Color) {
        self.scale = scale
        self.bias = bias
        self.color = color
    }

    /// The pixels that the model turns back into a tensor of the contract, rounded to whole ones.
    ///
    /// - Parameters:
    ///   - tensor: made by `Preprocess.tensor`, or recorded.
    ///   - input: that this belongs to.
    /// - Returns: row by row without gaps: blue, green, red and 255 of each pixel, or one byte of gray.
    public func pixels(of tensor: Tensor, input: TensorSpec) throws -> [UInt8] {
        let channels = color == .gray ? 1 : 3
        guard let image = input.image, image.channels == channels, image.size == tensor.size, bias.count == channels
        else {
            throw ModelError(
                "\(tensor.size) values are no picture for input \(input.name)", "give what Preprocess.tensor makes")
        }
        let values = tensor.toFloats()
        let count = image.height * image.width
        let planes = image.layout == .nchw
        let (pixelStep, channelStep) = planes ? (1, count) : (channels, 1)
        let width = channels == 1 ? 1 : 4
        return try [UInt8](unsafeUninitializedCapacity: count * width) { out, size in
            for pixel in 0..<count {
                for channel in 0..<channels {
                    let value = (values[pixel * pixelStep + channel * channelStep] - bias[channel]) / scale
                    if value.isNaN { throw ModelError("there is NaN among the values", "no pixel can hold it") }
                    let place = color == .rgb ? 2 - channel : channel
                    out[pixel * width + place] = UInt8(min(max(value.rounded(.toNearestOrEven), 0), 255))
                }
                if width == 4 { out[pixel * 4 + 3] = 255 }
            }
            size = count * width
        }
    }
}
