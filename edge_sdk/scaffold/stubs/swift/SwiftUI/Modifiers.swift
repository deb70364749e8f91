// Stub of SwiftUI, iOS 26 SDK (Xcode 26)
import Combine
import Foundation

// Each returns another View; of which type, no app needs to know.
@MainActor
extension View {
    public nonisolated func modifier<T: ViewModifier>(_ modifier: T) -> some View { EmptyView() }
    public nonisolated func padding(_ edges: Edge.Set = .all, _ length: CGFloat? = nil) -> some View { EmptyView() }
    public nonisolated func padding(_ length: CGFloat) -> some View { EmptyView() }
    public nonisolated func padding(_ insets: EdgeInsets) -> some View { EmptyView() }
    public nonisolated func frame(
        width: CGFloat? = nil, height: CGFloat? = nil, alignment: Alignment = .center
    ) -> some View { EmptyView() }
    public nonisolated func frame(
        minWidth: CGFloat? = nil, idealWidth: CGFloat? = nil, maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil,
        idealHeight: CGFloat? = nil, maxHeight: CGFloat? = nil, alignment: Alignment = .center
    ) -> some View { EmptyView() }
    public nonisolated func aspectRatio(_ aspectRatio: CGFloat? = nil, contentMode: ContentMode) -> some View { EmptyView() }
    public nonisolated func aspectRatio(_ aspectRatio: CGSize, contentMode: ContentMode) -> some View { EmptyView() }
    public nonisolated func scaledToFit() -> some View { EmptyView() }
    public nonisolated func scaledToFill() -> some View { EmptyView() }
    public nonisolated func fixedSize() -> some View { EmptyView() }
    public nonisolated func fixedSize(horizontal: Bool, vertical: Bool) -> some View { EmptyView() }
    public nonisolated func layoutPriority(_ value: Double) -> some View { EmptyView() }
    public nonisolated func ignoresSafeArea() -> some View { EmptyView() }
    public nonisolated func clipped(antialiased: Bool = false) -> some View { EmptyView() }
    public nonisolated func clipShape<S: Shape>(_ shape: S) -> some View { EmptyView() }
    public nonisolated func offset(x: CGFloat = 0, y: CGFloat = 0) -> some View { EmptyView() }
    public nonisolated func position(x: CGFloat = 0, y: CGFloat = 0) -> some View { EmptyView() }
    public nonisolated func overlay<V: View>(
        alignment: Alignment = .center, @ViewBuilder content: () -> V
    ) -> some View { EmptyView() }
    public nonisolated func background<V: View>(
        alignment: Alignment = .center, @ViewBuilder content: () -> V
    ) -> some View { EmptyView() }
    public nonisolated func background<S: ShapeStyle>(_ style: S) -> some View { EmptyView() }
    public nonisolated func background<S: ShapeStyle, T: Shape>(_ style: S, in shape: T) -> some View { EmptyView() }
    public nonisolated func foregroundStyle<S: ShapeStyle>(_ style: S) -> some View { EmptyView() }
    public nonisolated func tint(_ tint: Color?) -> some View { EmptyView() }
    public nonisolated func opacity(_ opacity: Double) -> some View { EmptyView() }
    public nonisolated func hidden() -> some View { EmptyView() }

    public nonisolated func font(_ font: Font?) -> some View { EmptyView() }
    public nonisolated func fontWeight(_ weight: Font.Weight?) -> some View { EmptyView() }
    public nonisolated func bold(_ isActive: Bool = true) -> some View { EmptyView() }
    public nonisolated func monospaced(_ isActive: Bool = true) -> some View { EmptyView() }
    public nonisolated func monospacedDigit() -> some View { EmptyView() }
    public nonisolated func lineLimit(_ number: Int?) -> some View { EmptyView() }
    public nonisolated func truncationMode(_ mode: Text.TruncationMode) -> some View { EmptyView() }
    public nonisolated func multilineTextAlignment(_ alignment: TextAlignment) -> some View { EmptyView() }
    public nonisolated func textSelection<S: TextSelectability>(_ selectability: S) -> some View { EmptyView() }

    public nonisolated func disabled(_ disabled: Bool) -> some View { EmptyView() }
    public nonisolated func buttonStyle<S: PrimitiveButtonStyle>(_ style: S) -> some View { EmptyView() }
    public nonisolated func controlSize(_ controlSize: ControlSize) -> some View { EmptyView() }
    public nonisolated func listStyle<S: ListStyle>(_ style: S) -> some View { EmptyView() }
    public nonisolated func pickerStyle<S: PickerStyle>(_ style: S) -> some View { EmptyView() }
    public nonisolated func labelsHidden() -> some View { EmptyView() }
    public nonisolated func tag<V: Hashable>(_ tag: V) -> some View { EmptyView() }
    public nonisolated func id<ID: Hashable>(_ id: ID) -> some View { EmptyView() }
    public nonisolated func tabItem<V: View>(@ViewBuilder _ label: () -> V) -> some View { EmptyView() }

    public nonisolated func navigationTitle(_ titleKey: LocalizedStringKey) -> some View { EmptyView() }
    public nonisolated func navigationTitle(_ title: Text) -> some View { EmptyView() }
    @_disfavoredOverload
    public nonisolated func navigationTitle<S: StringProtocol>(_ title: S) -> some View { EmptyView() }
    public nonisolated func navigationBarTitleDisplayMode(_ displayMode: NavigationBarItem.TitleDisplayMode) -> some View {
        EmptyView()
    }
    public nonisolated func toolbar<Content: ToolbarContent>(
        @ToolbarContentBuilder content: () -> Content
    ) -> some View { EmptyView() }
    public nonisolated func toolbar<Content: View>(@ViewBuilder content: () -> Content) -> some View { EmptyView() }
    public nonisolated func sheet<Content: View>(
        isPresented: Binding<Bool>, onDismiss: (() -> Void)? = nil, @ViewBuilder content: @escaping () -> Content
    ) -> some View { EmptyView() }
    public nonisolated func fullScreenCover<Content: View>(
        isPresented: Binding<Bool>, onDismiss: (() -> Void)? = nil, @ViewBuilder content: @escaping () -> Content
    ) -> some View { EmptyView() }
    public nonisolated func alert<A: View, M: View>(
        _ titleKey: LocalizedStringKey, isPresented: Binding<Bool>, @ViewBuilder actions: () -> A,
        @ViewBuilder message: () -> M
    ) -> some View { EmptyView() }
    public nonisolated func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType],
        onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> some View { EmptyView() }

    public nonisolated func onAppear(perform action: (() -> Void)? = nil) -> some View { EmptyView() }
    public nonisolated func onDisappear(perform action: (() -> Void)? = nil) -> some View { EmptyView() }
    public nonisolated func onTapGesture(count: Int = 1, perform action: @escaping () -> Void) -> some View { EmptyView() }
    // Inherits the caller's actor upstream, too.
    public nonisolated func task(
        priority: TaskPriority = .userInitiated,
        @_inheritActorContext _ action: sending @escaping @isolated(any) () async -> Void
    ) -> some View { EmptyView() }
    public nonisolated func task<T: Equatable>(
        id value: T, priority: TaskPriority = .userInitiated,
        @_inheritActorContext _ action: sending @escaping @isolated(any) () async -> Void
    ) -> some View { EmptyView() }
    public nonisolated func refreshable(action: @escaping @Sendable () async -> Void) -> some View { EmptyView() }
    // The form of iOS 14 is deprecated since iOS 17, and what there is on iOS 16.
    public nonisolated func onChange<V: Equatable>(
        of value: V, perform action: @escaping (_ newValue: V) -> Void
    ) -> some View { EmptyView() }
    @available(iOS 17.0, macOS 14.0, *)
    public nonisolated func onChange<V: Equatable>(
        of value: V, initial: Bool = false, _ action: @escaping (_ oldValue: V, _ newValue: V) -> Void
    ) -> some View { EmptyView() }
    @available(iOS 17.0, macOS 14.0, *)
    public nonisolated func onChange<V: Equatable>(
        of value: V, initial: Bool = false, _ action: @escaping () -> Void
    ) -> some View { EmptyView() }
    public nonisolated func onReceive<P: Publisher>(
        _ publisher: P, perform action: @escaping (P.Output) -> Void
    ) -> some View where P.Failure == Never { EmptyView() }

    public nonisolated func environment<V>(
        _ keyPath: WritableKeyPath<EnvironmentValues, V>, _ value: V
    ) -> some View { EmptyView() }
    @available(iOS 17.0, macOS 14.0, *)
    public nonisolated func environment<T: AnyObject & Observable>(_ object: T?) -> some View { EmptyView() }
    public nonisolated func environmentObject<T: ObservableObject>(_ object: T) -> some View { EmptyView() }

    public nonisolated func accessibilityLabel(_ labelKey: LocalizedStringKey) -> some View { EmptyView() }
    public nonisolated func accessibilityLabel(_ label: Text) -> some View { EmptyView() }
    @_disfavoredOverload
    public nonisolated func accessibilityLabel<S: StringProtocol>(_ label: S) -> some View { EmptyView() }
    public nonisolated func accessibilityValue(_ valueKey: LocalizedStringKey) -> some View { EmptyView() }
    public nonisolated func accessibilityHint(_ hintKey: LocalizedStringKey) -> some View { EmptyView() }
    public nonisolated func accessibilityIdentifier(_ identifier: String) -> some View { EmptyView() }
    public nonisolated func accessibilityHidden(_ hidden: Bool) -> some View { EmptyView() }
    public nonisolated func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> some View { EmptyView() }
}

public struct AccessibilityChildBehavior: Hashable, Sendable {
    public static var ignore: AccessibilityChildBehavior { fatalError() }
    public static var contain: AccessibilityChildBehavior { fatalError() }
    public static var combine: AccessibilityChildBehavior { fatalError() }
}

public struct NavigationBarItem: Sendable {
    public enum TitleDisplayMode: Sendable {
        case automatic
        case inline
        case large
    }
}
