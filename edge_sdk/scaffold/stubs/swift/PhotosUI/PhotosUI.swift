// Stub of PhotosUI, iOS 26 SDK (Xcode 26)
@_exported import CoreTransferable
import SwiftUI

public struct PHPickerFilter: Sendable {
    public static var images: PHPickerFilter { fatalError() }
    public static var videos: PHPickerFilter { fatalError() }
    public static var livePhotos: PHPickerFilter { fatalError() }
    public static var screenshots: PHPickerFilter { fatalError() }

    public static func any(of subfilters: [PHPickerFilter]) -> PHPickerFilter { fatalError() }
    public static func not(_ filter: PHPickerFilter) -> PHPickerFilter { fatalError() }
}

public struct PhotosPickerItem: Equatable, Hashable, Sendable {
    public struct EncodingDisambiguationPolicy: Equatable, Hashable, Sendable {
        public static var automatic: EncodingDisambiguationPolicy { fatalError() }
        public static var current: EncodingDisambiguationPolicy { fatalError() }
        public static var compatible: EncodingDisambiguationPolicy { fatalError() }
    }

    public var itemIdentifier: String? { fatalError() }
    public var supportedContentTypes: [UTType] { fatalError() }

    public func loadTransferable<T: Transferable>(type: T.Type) async throws -> T? { fatalError() }
}

public struct PhotosPicker<Label: View>: View {
    public nonisolated init(
        selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy = .automatic,
        @ViewBuilder label: () -> Label
    ) { fatalError() }

    public var body: Never { fatalError() }
}

extension PhotosPicker where Label == Text {
    public nonisolated init(
        _ titleKey: LocalizedStringKey, selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy = .automatic
    ) { fatalError() }

    @_disfavoredOverload
    public nonisolated init<S: StringProtocol>(
        _ title: S, selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy = .automatic
    ) { fatalError() }
}
