// Stub of SwiftUI, iOS 26 SDK (Xcode 26)
import Foundation

public protocol ShapeStyle: Sendable {}

public struct Color: View, ShapeStyle, Hashable {
    public nonisolated init(red: Double, green: Double, blue: Double, opacity: Double = 1) { fatalError() }
    public nonisolated init(white: Double, opacity: Double = 1) { fatalError() }
    public nonisolated init(hue: Double, saturation: Double, brightness: Double, opacity: Double = 1) { fatalError() }
    public nonisolated init(uiColor: UIColor) { fatalError() }
    public nonisolated init(_ name: String, bundle: Bundle? = nil) { fatalError() }

    public var body: Never { fatalError() }

    public nonisolated func opacity(_ opacity: Double) -> Color { fatalError() }

    public static var red: Color { fatalError() }
    public static var orange: Color { fatalError() }
    public static var yellow: Color { fatalError() }
    public static var green: Color { fatalError() }
    public static var blue: Color { fatalError() }
    public static var purple: Color { fatalError() }
    public static var gray: Color { fatalError() }
    public static var black: Color { fatalError() }
    public static var white: Color { fatalError() }
    public static var clear: Color { fatalError() }
    public static var primary: Color { fatalError() }
    public static var secondary: Color { fatalError() }
    public static var accentColor: Color { fatalError() }
}

extension ShapeStyle where Self == Color {
    public static var red: Color { fatalError() }
    public static var orange: Color { fatalError() }
    public static var yellow: Color { fatalError() }
    public static var green: Color { fatalError() }
    public static var blue: Color { fatalError() }
    public static var gray: Color { fatalError() }
    public static var black: Color { fatalError() }
    public static var white: Color { fatalError() }
    public static var clear: Color { fatalError() }
}

public struct HierarchicalShapeStyle: ShapeStyle {}
public struct TintShapeStyle: ShapeStyle {}
public struct BackgroundStyle: ShapeStyle {}
public struct Material: ShapeStyle {}

extension ShapeStyle where Self == HierarchicalShapeStyle {
    public static var primary: HierarchicalShapeStyle { fatalError() }
    public static var secondary: HierarchicalShapeStyle { fatalError() }
    public static var tertiary: HierarchicalShapeStyle { fatalError() }
    public static var quaternary: HierarchicalShapeStyle { fatalError() }
}

extension ShapeStyle where Self == TintShapeStyle {
    public static var tint: TintShapeStyle { fatalError() }
}

extension ShapeStyle where Self == BackgroundStyle {
    public static var background: BackgroundStyle { fatalError() }
}

extension ShapeStyle where Self == Material {
    public static var regularMaterial: Material { fatalError() }
    public static var thinMaterial: Material { fatalError() }
    public static var ultraThinMaterial: Material { fatalError() }
    public static var thickMaterial: Material { fatalError() }
    public static var bar: Material { fatalError() }
}

public struct StrokeStyle: Equatable, Sendable {
    public init(lineWidth: CGFloat = 1) { fatalError() }
}

public struct Path: Equatable, Sendable, Shape {
    public init() { fatalError() }
    public init(_ rect: CGRect) { fatalError() }
    public init(_ callback: (inout Path) -> Void) { fatalError() }

    public mutating func move(to end: CGPoint) { fatalError() }
    public mutating func addLine(to end: CGPoint) { fatalError() }
    public mutating func addRect(_ rect: CGRect) { fatalError() }
    public mutating func addEllipse(in rect: CGRect) { fatalError() }
    public mutating func closeSubpath() { fatalError() }

    public func path(in rect: CGRect) -> Path { fatalError() }
}

public protocol Shape: Sendable, View {
    nonisolated func path(in rect: CGRect) -> Path
}

extension Shape {
    public var body: Never { fatalError() }

    public nonisolated func fill<S: ShapeStyle>(_ content: S) -> _ShapeView { fatalError() }
    public nonisolated func stroke<S: ShapeStyle>(_ content: S, lineWidth: CGFloat = 1) -> _ShapeView { fatalError() }
    public nonisolated func stroke<S: ShapeStyle>(_ content: S, style: StrokeStyle) -> _ShapeView { fatalError() }
}

public struct _ShapeView: View {
    public var body: Never { fatalError() }
}

public struct Rectangle: Shape {
    public nonisolated init() { fatalError() }
    public nonisolated func path(in rect: CGRect) -> Path { fatalError() }
}

public struct RoundedRectangle: Shape {
    public nonisolated init(cornerRadius: CGFloat) { fatalError() }
    public nonisolated func path(in rect: CGRect) -> Path { fatalError() }
}

public struct Circle: Shape {
    public nonisolated init() { fatalError() }
    public nonisolated func path(in rect: CGRect) -> Path { fatalError() }
}

public struct Capsule: Shape {
    public nonisolated init() { fatalError() }
    public nonisolated func path(in rect: CGRect) -> Path { fatalError() }
}

extension Shape where Self == Rectangle {
    public static var rect: Rectangle { fatalError() }
}

extension Shape where Self == Circle {
    public static var circle: Circle { fatalError() }
}

extension Shape where Self == Capsule {
    public static var capsule: Capsule { fatalError() }
}

extension Shape where Self == RoundedRectangle {
    public static func rect(cornerRadius: CGFloat) -> RoundedRectangle { fatalError() }
}

public struct GraphicsContext {
    public struct Shading {
        public static func color(_ color: Color) -> Shading { fatalError() }
    }

    public func stroke(_ path: Path, with shading: Shading, lineWidth: CGFloat = 1) { fatalError() }
    public func fill(_ path: Path, with shading: Shading) { fatalError() }
    public func draw(_ text: Text, at point: CGPoint) { fatalError() }
    public func draw(_ image: Image, in rect: CGRect) { fatalError() }
}

public struct Canvas: View {
    public nonisolated init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) { fatalError() }
    public var body: Never { fatalError() }
}

@MainActor @preconcurrency public protocol PrimitiveButtonStyle {}
public struct BorderedButtonStyle: PrimitiveButtonStyle {}
public struct BorderedProminentButtonStyle: PrimitiveButtonStyle {}
public struct PlainButtonStyle: PrimitiveButtonStyle {}

extension PrimitiveButtonStyle where Self == BorderedButtonStyle {
    public static var bordered: BorderedButtonStyle { fatalError() }
}

extension PrimitiveButtonStyle where Self == BorderedProminentButtonStyle {
    public static var borderedProminent: BorderedProminentButtonStyle { fatalError() }
}

extension PrimitiveButtonStyle where Self == PlainButtonStyle {
    public static var plain: PlainButtonStyle { fatalError() }
}

@MainActor @preconcurrency public protocol ListStyle {}
public struct InsetGroupedListStyle: ListStyle {}
public struct PlainListStyle: ListStyle {}

extension ListStyle where Self == InsetGroupedListStyle {
    public static var insetGrouped: InsetGroupedListStyle { fatalError() }
}

extension ListStyle where Self == PlainListStyle {
    public static var plain: PlainListStyle { fatalError() }
}

@MainActor @preconcurrency public protocol PickerStyle {}
public struct SegmentedPickerStyle: PickerStyle {}
public struct MenuPickerStyle: PickerStyle {}

extension PickerStyle where Self == SegmentedPickerStyle {
    public static var segmented: SegmentedPickerStyle { fatalError() }
}

extension PickerStyle where Self == MenuPickerStyle {
    public static var menu: MenuPickerStyle { fatalError() }
}

public enum ControlSize: CaseIterable, Sendable {
    case mini
    case small
    case regular
    case large
    case extraLarge
}

@MainActor @preconcurrency public protocol TextSelectability {}
public struct EnabledTextSelectability: TextSelectability {}

extension TextSelectability where Self == EnabledTextSelectability {
    public static var enabled: EnabledTextSelectability { fatalError() }
}
