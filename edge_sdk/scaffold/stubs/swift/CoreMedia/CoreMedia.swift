// Stub of CoreMedia, iOS 26 SDK (Xcode 26)
@_exported import CoreVideo

public struct CMTime: Sendable {
    public var value: Int64
    public var timescale: Int32

    public init(value: Int64, timescale: Int32) { fatalError() }
    public init(seconds: Double, preferredTimescale: Int32) { fatalError() }

    public var seconds: Double { fatalError() }
    public var isValid: Bool { fatalError() }

    public static var zero: CMTime { fatalError() }
    public static var invalid: CMTime { fatalError() }
}

public struct CMVideoDimensions: Sendable {
    public var width: Int32
    public var height: Int32

    public init(width: Int32, height: Int32) { fatalError() }
}

public final class CMFormatDescription {
    private init() { fatalError() }
}

public final class CMSampleBuffer {
    private init() { fatalError() }

    public var imageBuffer: CVImageBuffer? { fatalError() }
    public var presentationTimeStamp: CMTime { fatalError() }
    public var formatDescription: CMFormatDescription? { fatalError() }
}

public func CMSampleBufferGetImageBuffer(_ sbuf: CMSampleBuffer) -> CVImageBuffer? { fatalError() }
public func CMSampleBufferGetPresentationTimeStamp(_ sbuf: CMSampleBuffer) -> CMTime { fatalError() }
public func CMVideoFormatDescriptionGetDimensions(_ videoDesc: CMFormatDescription) -> CMVideoDimensions { fatalError() }
