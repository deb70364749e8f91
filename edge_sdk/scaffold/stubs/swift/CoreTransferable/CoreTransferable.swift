// Stub of CoreTransferable, iOS 26 SDK (Xcode 26)
@_exported import UniformTypeIdentifiers

public protocol TransferRepresentation<Item>: Sendable {
    associatedtype Item: Transferable
}

public protocol Transferable {
    associatedtype Representation: TransferRepresentation where Representation.Item == Self

    @TransferRepresentationBuilder<Self> static var transferRepresentation: Representation { get }
}

@resultBuilder
public struct TransferRepresentationBuilder<Item: Transferable> {
    public static func buildExpression<Content: TransferRepresentation>(_ content: Content) -> Content
    where Content.Item == Item { fatalError() }
    public static func buildBlock<Content: TransferRepresentation>(_ content: Content) -> Content
    where Content.Item == Item { fatalError() }
}

public struct DataRepresentation<Item: Transferable>: TransferRepresentation {
    public init(
        contentType: UTType, exporting: @escaping @Sendable (Item) async throws -> Data,
        importing: @escaping @Sendable (Data) async throws -> Item
    ) { fatalError() }
    public init(
        importedContentType: UTType, importing: @escaping @Sendable (Data) async throws -> Item
    ) { fatalError() }
}

public struct ReceivedTransferredFile: Sendable {
    public let file: URL
    public let isOriginalFile: Bool
}

public struct FileRepresentation<Item: Transferable>: TransferRepresentation {
    public init(
        importedContentType: UTType, shouldAttemptToOpenInPlace: Bool = false,
        importing: @escaping @Sendable (ReceivedTransferredFile) async throws -> Item
    ) { fatalError() }
}

extension Data: Transferable {
    public static var transferRepresentation: DataRepresentation<Data> {
        return DataRepresentation(importedContentType: .data) { $0 }
    }
}
