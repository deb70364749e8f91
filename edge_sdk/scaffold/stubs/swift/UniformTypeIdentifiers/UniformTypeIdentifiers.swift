// Stub of UniformTypeIdentifiers, iOS 26 SDK (Xcode 26)
@_exported import Foundation

public struct UTType: Equatable, Hashable, Sendable {
    public init?(_ identifier: String) { fatalError() }
    public init?(filenameExtension: String, conformingTo supertype: UTType = .data) { fatalError() }
    public init(importedAs identifier: String, conformingTo parentType: UTType? = nil) { fatalError() }
    public init(exportedAs identifier: String, conformingTo parentType: UTType? = nil) { fatalError() }

    public var identifier: String { fatalError() }
    public var preferredFilenameExtension: String? { fatalError() }

    public func conforms(to type: UTType) -> Bool { fatalError() }

    public static var item: UTType { fatalError() }
    public static var data: UTType { fatalError() }
    public static var image: UTType { fatalError() }
    public static var png: UTType { fatalError() }
    public static var jpeg: UTType { fatalError() }
    public static var heic: UTType { fatalError() }
    public static var audio: UTType { fatalError() }
    public static var wav: UTType { fatalError() }
    public static var json: UTType { fatalError() }
    public static var plainText: UTType { fatalError() }
}
