@_exported import Foundation

public typealias OSType = UInt32
public typealias CVReturn = Int32
public typealias CFString = NSString
public typealias CFDictionary = NSDictionary

public let kCVReturnSuccess: CVReturn = 0
public let kCVPixelFormatType_32BGRA: OSType = 1
public let kCVPixelFormatType_OneComponent8: OSType = 2
nonisolated(unsafe) public let kCVPixelBufferPixelFormatTypeKey: CFString = "format"
nonisolated(unsafe) public let kCVPixelBufferWidthKey: CFString = "width"
nonisolated(unsafe) public let kCVPixelBufferHeightKey: CFString = "height"
nonisolated(unsafe) public let kCVPixelBufferIOSurfacePropertiesKey: CFString = "surface"
public let kCFAllocatorDefault: AnyObject? = nil as AnyObject?

public final class CVPixelBuffer {
    public let width: Int
    public let height: Int
    public let format: OSType
    let bytesPerRow: Int
    let bytes: UnsafeMutableRawPointer
    public private(set) var locks = 0

    init(_ width: Int, _ height: Int, _ format: OSType) {
        (self.width, self.height, self.format) = (width, height, format)
        // Rows are longer than their pixels, as those of surfaces are.
        bytesPerRow = width * (format == kCVPixelFormatType_32BGRA ? 4 : 1) + 13
        bytes = .allocate(byteCount: bytesPerRow * height, alignment: 16)
    }

    deinit { bytes.deallocate() }

    func lock(_ change: Int) { locks += change }

    /// Blue, green and red of a pixel, or gray alone.
    public func pixel(_ row: Int, _ column: Int) -> [UInt8] {
        precondition(locks == 0, "still locked")
        let size = format == kCVPixelFormatType_32BGRA ? 4 : 1
        let start = bytes + row * bytesPerRow + column * size
        return (0..<min(size, 3)).map { (start + $0).load(as: UInt8.self) }
    }
}

public final class CVPixelBufferPool {
    let width: Int
    let height: Int
    let format: OSType

    init(_ attributes: NSDictionary) {
        width = attributes["width"] as! Int
        height = attributes["height"] as! Int
        format = attributes["format"] as! OSType
    }
}

public struct CVPixelBufferLockFlags: OptionSet {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let readOnly = CVPixelBufferLockFlags(rawValue: 1)
}

public func CVPixelBufferPoolCreate(
    _ allocator: AnyObject?, _ pool: NSDictionary?, _ attributes: NSDictionary?,
    _ out: UnsafeMutablePointer<CVPixelBufferPool?>
) -> CVReturn {
    out.pointee = attributes.map { CVPixelBufferPool($0) }
    return kCVReturnSuccess
}

public func CVPixelBufferPoolCreatePixelBuffer(
    _ allocator: AnyObject?, _ pool: CVPixelBufferPool, _ out: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
    out.pointee = CVPixelBuffer(pool.width, pool.height, pool.format)
    return kCVReturnSuccess
}

@discardableResult
public func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.lock(1)
    return kCVReturnSuccess
}

@discardableResult
public func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.lock(-1)
    return kCVReturnSuccess
}

public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
    buffer.locks > 0 ? buffer.bytes : nil
}

public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int { buffer.bytesPerRow }
