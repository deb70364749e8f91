// Stub of os, iOS 26 SDK (Xcode 26)
@_exported import Foundation

public struct OSLogType: Equatable, RawRepresentable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var `default`: OSLogType { fatalError() }
    public static var info: OSLogType { fatalError() }
    public static var debug: OSLogType { fatalError() }
    public static var error: OSLogType { fatalError() }
    public static var fault: OSLogType { fatalError() }
}

public struct OSLogPrivacy: Sendable {
    public static var `public`: OSLogPrivacy { fatalError() }
    public static var `private`: OSLogPrivacy { fatalError() }
    public static var sensitive: OSLogPrivacy { fatalError() }
    public static var auto: OSLogPrivacy { fatalError() }
}

public struct OSLogInterpolation: StringInterpolationProtocol {
    public init(literalCapacity: Int, interpolationCount: Int) { fatalError() }

    public mutating func appendLiteral(_ literal: String) { fatalError() }
    public mutating func appendInterpolation(
        _ argumentString: @autoclosure @escaping () -> String, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation<T: CustomStringConvertible>(
        _ value: @autoclosure @escaping () -> T, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation<T: FixedWidthInteger>(
        _ number: @autoclosure @escaping () -> T, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation(
        _ number: @autoclosure @escaping () -> Double, format: OSLogFloatFormatting = .fixed, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation(
        _ number: @autoclosure @escaping () -> Float, format: OSLogFloatFormatting = .fixed, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation(
        _ boolean: @autoclosure @escaping () -> Bool, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
    public mutating func appendInterpolation(
        _ argumentObject: @autoclosure @escaping () -> NSObject, privacy: OSLogPrivacy = .auto
    ) { fatalError() }
}

public struct OSLogFloatFormatting: Sendable {
    public static var fixed: OSLogFloatFormatting { fatalError() }

    public static func fixed(precision: @autoclosure @escaping () -> Int) -> OSLogFloatFormatting { fatalError() }
}

public struct OSLogMessage: ExpressibleByStringInterpolation {
    public init(stringInterpolation: OSLogInterpolation) { fatalError() }
    public init(stringLiteral value: String) { fatalError() }
}

public struct Logger: @unchecked Sendable {
    public init() { fatalError() }
    public init(subsystem: String, category: String) { fatalError() }

    public func log(_ message: OSLogMessage) { fatalError() }
    public func log(level: OSLogType, _ message: OSLogMessage) { fatalError() }
    public func trace(_ message: OSLogMessage) { fatalError() }
    public func debug(_ message: OSLogMessage) { fatalError() }
    public func info(_ message: OSLogMessage) { fatalError() }
    public func notice(_ message: OSLogMessage) { fatalError() }
    public func warning(_ message: OSLogMessage) { fatalError() }
    public func error(_ message: OSLogMessage) { fatalError() }
    public func critical(_ message: OSLogMessage) { fatalError() }
    public func fault(_ message: OSLogMessage) { fatalError() }
}

public struct OSSignpostID: Equatable, Sendable {
    public static var exclusive: OSSignpostID { fatalError() }
}

public struct OSSignpostIntervalState: Sendable {}

public struct OSSignposter: @unchecked Sendable {
    public init() { fatalError() }
    public init(subsystem: String, category: String) { fatalError() }
    public init(logger: Logger) { fatalError() }

    public func makeSignpostID() -> OSSignpostID { fatalError() }
    public func beginInterval(_ name: StaticString, id: OSSignpostID = .exclusive) -> OSSignpostIntervalState {
        fatalError()
    }
    public func endInterval(_ name: StaticString, _ state: OSSignpostIntervalState) { fatalError() }
    public func emitEvent(_ name: StaticString, id: OSSignpostID = .exclusive) { fatalError() }
    public func withIntervalSignpost<T>(
        _ name: StaticString, id: OSSignpostID = .exclusive, around task: () throws -> T
    ) rethrows -> T { fatalError() }
}

public struct OSAllocatedUnfairLock<State>: @unchecked Sendable {
    public init(uncheckedState initialState: State) { fatalError() }

    public func withLockUnchecked<R>(_ body: (inout State) throws -> R) rethrows -> R { fatalError() }
    public func withLock<R: Sendable>(_ body: @Sendable (inout State) throws -> R) rethrows -> R { fatalError() }
}

extension OSAllocatedUnfairLock where State: Sendable {
    public init(initialState: State) { fatalError() }
}

extension OSAllocatedUnfairLock where State == Void {
    public init() { fatalError() }

    public func lock() { fatalError() }
    public func unlock() { fatalError() }
    public func withLock<R: Sendable>(_ body: @Sendable () throws -> R) rethrows -> R { fatalError() }
}

public func os_proc_available_memory() -> Int { fatalError() }
