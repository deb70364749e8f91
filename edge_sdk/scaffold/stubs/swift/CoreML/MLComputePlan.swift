// Stub of CoreML, iOS 26 SDK (Xcode 26)
import Foundation
import Metal

@available(iOS 17.0, macOS 14.0, *)
public enum MLComputeDevice: CustomStringConvertible {
    case cpu(MLCPUComputeDevice)
    case gpu(MLGPUComputeDevice)
    case neuralEngine(MLNeuralEngineComputeDevice)

    public static var allComputeDevices: [MLComputeDevice] { fatalError() }

    public var description: String { fatalError() }
}

@available(iOS 17.0, macOS 14.0, *)
open class MLCPUComputeDevice: NSObject {}

@available(iOS 17.0, macOS 14.0, *)
open class MLGPUComputeDevice: NSObject {
    open var metalDevice: any MTLDevice { fatalError() }
}

@available(iOS 17.0, macOS 14.0, *)
open class MLNeuralEngineComputeDevice: NSObject {
    open var totalCoreCount: Int { fatalError() }
}

@available(iOS 17.4, macOS 14.4, *)
public final class MLComputePlan {
    private init() { fatalError() }

    public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws -> MLComputePlan {
        fatalError()
    }
    public static func load(asset: MLModelAsset, configuration: MLModelConfiguration) async throws -> MLComputePlan {
        fatalError()
    }

    public var modelStructure: MLModelStructure { fatalError() }

    public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> DeviceUsage? { fatalError() }
    public func deviceUsage(for layer: MLModelStructure.NeuralNetwork.Layer) -> DeviceUsage? { fatalError() }
    public func estimatedCost(of operation: MLModelStructure.Program.Operation) -> Cost? { fatalError() }

    public struct DeviceUsage {
        public var supported: [MLComputeDevice] { fatalError() }
        public var preferred: MLComputeDevice { fatalError() }
    }

    public struct Cost {
        public var weight: Double { fatalError() }
    }
}

@available(iOS 17.4, macOS 14.4, *)
public enum MLModelStructure {
    case neuralNetwork(NeuralNetwork)
    case program(Program)
    case pipeline(Pipeline)
    case unsupported

    public struct NeuralNetwork {
        public var layers: [Layer] { fatalError() }

        public struct Layer {
            public var name: String { fatalError() }
            public var type: String { fatalError() }
        }
    }

    public struct Pipeline {
        public var subModelNames: [String] { fatalError() }
        public var subModels: [MLModelStructure] { fatalError() }
    }

    public struct Program {
        public var functions: [String: Function] { fatalError() }

        public struct Function {
            public var block: Block { fatalError() }
        }

        public struct Block {
            public var operations: [Operation] { fatalError() }
        }

        public struct Operation {
            public var operatorName: String { fatalError() }
            public var outputs: [NamedValueType] { fatalError() }
            public var blocks: [Block] { fatalError() }
        }

        public struct NamedValueType {
            public var name: String { fatalError() }
        }
    }
}
