// Stub of SwiftUI, iOS 26 SDK (Xcode 26)
import Foundation

public struct LocalizedStringKey: Equatable, ExpressibleByStringInterpolation, Sendable {
    public init(_ value: String) { fatalError() }
    public init(stringLiteral value: String) { fatalError() }
    public init(stringInterpolation: StringInterpolation) { fatalError() }

    public struct StringInterpolation: StringInterpolationProtocol {
        public init(literalCapacity: Int, interpolationCount: Int) { fatalError() }

        public mutating func appendLiteral(_ literal: String) { fatalError() }
        public mutating func appendInterpolation(_ string: String) { fatalError() }
        public mutating func appendInterpolation<T: _FormatSpecifiable>(_ value: T) { fatalError() }
        public mutating func appendInterpolation<T: _FormatSpecifiable>(_ value: T, specifier: String) { fatalError() }
        public mutating func appendInterpolation<F: FormatStyle>(_ input: F.FormatInput, format: F)
        where F.FormatInput: Equatable, F.FormatOutput == String { fatalError() }
        public mutating func appendInterpolation(_ text: Text) { fatalError() }
        public mutating func appendInterpolation(_ image: Image) { fatalError() }
    }
}

public protocol _FormatSpecifiable: Equatable {}

extension Int: _FormatSpecifiable {}
extension Int32: _FormatSpecifiable {}
extension Int64: _FormatSpecifiable {}
extension UInt: _FormatSpecifiable {}
extension Float: _FormatSpecifiable {}
extension Double: _FormatSpecifiable {}
extension CGFloat: _FormatSpecifiable {}

public struct Text: View, Equatable, Sendable {
    public nonisolated init(
        _ key: LocalizedStringKey, tableName: String? = nil, bundle: Bundle? = nil, comment: StaticString? = nil
    ) { fatalError() }

    @_disfavoredOverload
    public nonisolated init<S: StringProtocol>(_ content: S) { fatalError() }

    public nonisolated init(verbatim content: String) { fatalError() }

    public nonisolated init<F: FormatStyle>(_ input: F.FormatInput, format: F)
    where F.FormatInput: Equatable, F.FormatOutput == String { fatalError() }

    public var body: Never { fatalError() }

    public nonisolated func font(_ font: Font?) -> Text { fatalError() }
    public nonisolated func fontWeight(_ weight: Font.Weight?) -> Text { fatalError() }
    public nonisolated func bold() -> Text { fatalError() }
    public nonisolated func italic() -> Text { fatalError() }
    public nonisolated func monospaced(_ isActive: Bool = true) -> Text { fatalError() }
    public nonisolated func monospacedDigit() -> Text { fatalError() }
    @available(iOS 17.0, macOS 14.0, *)
    public nonisolated func foregroundStyle<S: ShapeStyle>(_ style: S) -> Text { fatalError() }

    public enum TruncationMode: Sendable {
        case head
        case tail
        case middle
    }
}

public struct Font: Hashable, Sendable {
    public enum Design: Hashable, Sendable {
        case `default`
        case serif
        case rounded
        case monospaced
    }

    public struct Weight: Hashable, Sendable {
        public static var ultraLight: Weight { fatalError() }
        public static var light: Weight { fatalError() }
        public static var regular: Weight { fatalError() }
        public static var medium: Weight { fatalError() }
        public static var semibold: Weight { fatalError() }
        public static var bold: Weight { fatalError() }
        public static var heavy: Weight { fatalError() }
    }

    public enum TextStyle: CaseIterable, Sendable {
        case largeTitle
        case title
        case title2
        case title3
        case headline
        case subheadline
        case body
        case callout
        case footnote
        case caption
        case caption2
    }

    public static var largeTitle: Font { fatalError() }
    public static var title: Font { fatalError() }
    public static var title2: Font { fatalError() }
    public static var title3: Font { fatalError() }
    public static var headline: Font { fatalError() }
    public static var subheadline: Font { fatalError() }
    public static var body: Font { fatalError() }
    public static var callout: Font { fatalError() }
    public static var footnote: Font { fatalError() }
    public static var caption: Font { fatalError() }
    public static var caption2: Font { fatalError() }

    public static func system(size: CGFloat, weight: Weight? = nil, design: Design? = nil) -> Font { fatalError() }
    public static func system(_ style: TextStyle, design: Design? = nil, weight: Weight? = nil) -> Font { fatalError() }

    public func bold() -> Font { fatalError() }
    public func weight(_ weight: Weight) -> Font { fatalError() }
    public func monospaced() -> Font { fatalError() }
    public func monospacedDigit() -> Font { fatalError() }
}

public enum TextAlignment: CaseIterable, Hashable, Sendable {
    case leading
    case center
    case trailing
}

public struct Label<Title: View, Icon: View>: View {
    public nonisolated init(@ViewBuilder title: () -> Title, @ViewBuilder icon: () -> Icon) { fatalError() }
    public var body: Never { fatalError() }
}

extension Label where Title == Text, Icon == Image {
    public nonisolated init(_ titleKey: LocalizedStringKey, systemImage name: String) { fatalError() }

    @_disfavoredOverload
    public nonisolated init<S: StringProtocol>(_ title: S, systemImage name: String) { fatalError() }
}

public struct Image: View, Equatable, Sendable {
    public enum ResizingMode: Hashable, Sendable {
        case tile
        case stretch
    }

    public enum Interpolation: Hashable, Sendable {
        case none
        case low
        case medium
        case high
    }

    public enum Orientation: UInt8, CaseIterable, Sendable {
        case up
        case upMirrored
        case down
        case downMirrored
        case left
        case leftMirrored
        case right
        case rightMirrored
    }

    public nonisolated init(_ name: String, bundle: Bundle? = nil) { fatalError() }
    public nonisolated init(systemName: String) { fatalError() }
    public nonisolated init(decorative name: String, bundle: Bundle? = nil) { fatalError() }
    public nonisolated init(uiImage: UIImage) { fatalError() }
    public nonisolated init(_ cgImage: CGImage, scale: CGFloat, orientation: Orientation = .up, label: Text) { fatalError() }
    public nonisolated init(decorative cgImage: CGImage, scale: CGFloat, orientation: Orientation = .up) { fatalError() }

    public var body: Never { fatalError() }

    public nonisolated func resizable(
        capInsets: EdgeInsets = EdgeInsets(), resizingMode: ResizingMode = .stretch
    ) -> Image { fatalError() }
    public nonisolated func interpolation(_ interpolation: Interpolation) -> Image { fatalError() }
    public nonisolated func antialiased(_ isAntialiased: Bool) -> Image { fatalError() }
}
