// Stub of Foundation, iOS 26 SDK (Xcode 26)
// What Foundation of Linux lacks. It is compiled with an app, as one more file of it.
import Foundation

@discardableResult
func autoreleasepool<Result>(invoking body: () throws -> Result) rethrows -> Result { try body() }

extension ProcessInfo {
    enum ThermalState: Int, Sendable {
        case nominal, fair, serious, critical
    }

    var thermalState: ThermalState { fatalError() }
    var isLowPowerModeEnabled: Bool { fatalError() }

    static var thermalStateDidChangeNotification: Notification.Name { fatalError() }
}

extension NSNotification.Name {
    static var NSProcessInfoPowerStateDidChange: NSNotification.Name { fatalError() }
}

extension NotificationCenter {
    final class Notifications: AsyncSequence, Sendable {
        typealias Element = Notification

        struct AsyncIterator: AsyncIteratorProtocol {
            mutating func next() async -> Notification? { fatalError() }
        }

        fileprivate init() {}

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
    }

    func notifications(named name: Notification.Name, object: (AnyObject & Sendable)? = nil) -> Notifications {
        Notifications()
    }
}

extension URL {
    static var applicationSupportDirectory: URL { fatalError() }
    static var cachesDirectory: URL { fatalError() }
    static var documentsDirectory: URL { fatalError() }
    static var libraryDirectory: URL { fatalError() }

    func startAccessingSecurityScopedResource() -> Bool { fatalError() }
    func stopAccessingSecurityScopedResource() { fatalError() }
}

struct LocalizedStringResource: ExpressibleByStringInterpolation, Equatable, Sendable {
    init(stringLiteral value: String) { fatalError() }

    init(_ keyAndValue: String.LocalizationValue, table: String? = nil, comment: StaticString? = nil) {
        fatalError()
    }
}

extension String {
    struct LocalizationValue: ExpressibleByStringInterpolation, Equatable, Sendable {
        init(_ value: String) { fatalError() }

        init(stringLiteral value: String) { fatalError() }
    }

    init(
        localized keyAndValue: LocalizationValue, table: String? = nil, bundle: Bundle? = nil, comment: StaticString? = nil
    ) {
        fatalError()
    }
}

struct NSKeyValueObservingOptions: OptionSet, Sendable {
    let rawValue: UInt

    static let new = NSKeyValueObservingOptions(rawValue: 1)
    static let old = NSKeyValueObservingOptions(rawValue: 2)
    static let initial = NSKeyValueObservingOptions(rawValue: 4)
    static let prior = NSKeyValueObservingOptions(rawValue: 8)
}

struct NSKeyValueObservedChange<Value> {
    let newValue: Value?
    let oldValue: Value?
    let isPrior: Bool
}

final class NSKeyValueObservation: NSObject {
    func invalidate() { fatalError() }
}

protocol _KeyValueCodingAndObserving {}

extension NSObject: _KeyValueCodingAndObserving {}

extension _KeyValueCodingAndObserving {
    func observe<Value>(
        _ keyPath: KeyPath<Self, Value>, options: NSKeyValueObservingOptions = [],
        changeHandler: @escaping @Sendable (Self, NSKeyValueObservedChange<Value>) -> Void
    ) -> NSKeyValueObservation { fatalError() }
}
