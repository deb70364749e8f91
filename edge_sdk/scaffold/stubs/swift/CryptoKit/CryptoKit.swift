// Stub of CryptoKit, iOS 26 SDK (Xcode 26)
@_exported import Foundation

public protocol Digest: Hashable, Sequence, Sendable where Element == UInt8 {
    static var byteCount: Int { get }
}

public struct SHA256Digest: Digest {
    public static var byteCount: Int { fatalError() }

    public func makeIterator() -> Array<UInt8>.Iterator { fatalError() }
}

public struct SHA256: Sendable {
    public init() { fatalError() }

    public static func hash<D: DataProtocol>(data: D) -> SHA256Digest { fatalError() }

    public mutating func update<D: DataProtocol>(data: D) { fatalError() }
    public mutating func update(bufferPointer: UnsafeRawBufferPointer) { fatalError() }
    public func finalize() -> SHA256Digest { fatalError() }
}

public struct SHA512Digest: Digest {
    public static var byteCount: Int { fatalError() }

    public func makeIterator() -> Array<UInt8>.Iterator { fatalError() }
}

public struct SHA512: Sendable {
    public init() { fatalError() }

    public static func hash<D: DataProtocol>(data: D) -> SHA512Digest { fatalError() }

    public mutating func update<D: DataProtocol>(data: D) { fatalError() }
    public func finalize() -> SHA512Digest { fatalError() }
}
