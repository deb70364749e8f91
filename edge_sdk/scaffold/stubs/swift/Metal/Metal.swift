// Stub of Metal, iOS 26 SDK (Xcode 26)
@_exported import Foundation

public protocol MTLDevice: NSObjectProtocol, Sendable {
    var name: String { get }
    var hasUnifiedMemory: Bool { get }

    func supportsFamily(_ gpuFamily: MTLGPUFamily) -> Bool
}

public enum MTLGPUFamily: Int, Sendable {
    case apple1 = 1001
    case apple2 = 1002
    case apple3 = 1003
    case apple4 = 1004
    case apple5 = 1005
    case apple6 = 1006
    case apple7 = 1007
    case apple8 = 1008
    case apple9 = 1009
}

public func MTLCreateSystemDefaultDevice() -> (any MTLDevice)? { fatalError() }
