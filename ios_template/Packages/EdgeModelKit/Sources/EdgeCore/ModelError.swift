import Foundation

/// Something the caller can act on: what happened, and what to do.
public struct ModelError: LocalizedError, CustomStringConvertible {
    public let reason: String
    public let remedy: String
    public let cause: (any Error)?

    public init(_ reason: String, _ remedy: String, cause: (any Error)? = nil) {
        self.reason = reason
        self.remedy = remedy
        self.cause = cause
    }

    public var description: String { "\(reason); \(remedy)" }
    public var errorDescription: String? { reason }
    public var recoverySuggestion: String? { remedy }
}
