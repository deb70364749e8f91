// Stub of CoreML, iOS 26 SDK (Xcode 26)
// MLModel, MLFeatureProvider and what goes with them are not Sendable.
@_exported import CoreVideo
@_exported import ImageIO
import Metal

public enum MLComputeUnits: Int, Sendable {
    case cpuOnly = 0
    case cpuAndGPU = 1
    case all = 2
    @available(iOS 16.0, macOS 13.0, *)
    case cpuAndNeuralEngine = 3
}

public struct MLParameterKey: Hashable {}

@available(iOS 17.4, macOS 14.4, *)
public struct MLOptimizationHints {
    public enum ReshapeFrequency: Sendable {
        case frequent
        case infrequent
    }

    @available(iOS 18.0, macOS 15.0, *)
    public enum SpecializationStrategy: Sendable {
        case `default`
        case fastPrediction
    }

    public init() { fatalError() }

    public var reshapeFrequency: ReshapeFrequency {
        get { fatalError() }
        set { fatalError() }
    }

    @available(iOS 18.0, macOS 15.0, *)
    public var specializationStrategy: SpecializationStrategy {
        get { fatalError() }
        set { fatalError() }
    }
}

open class MLModelConfiguration: NSObject {
    public override init() { fatalError() }

    open var modelDisplayName: String? {
        get { fatalError() }
        set { fatalError() }
    }
    open var computeUnits: MLComputeUnits {
        get { fatalError() }
        set { fatalError() }
    }
    @available(iOS 17.4, macOS 14.4, *)
    open var optimizationHints: MLOptimizationHints {
        get { fatalError() }
        set { fatalError() }
    }
    open var allowLowPrecisionAccumulationOnGPU: Bool {
        get { fatalError() }
        set { fatalError() }
    }
    open var preferredMetalDevice: (any MTLDevice)? {
        get { fatalError() }
        set { fatalError() }
    }
    open var parameters: [MLParameterKey: Any]? {
        get { fatalError() }
        set { fatalError() }
    }
    @available(iOS 18.0, macOS 15.0, *)
    open var functionName: String? {
        get { fatalError() }
        set { fatalError() }
    }
}

open class MLPredictionOptions: NSObject {
    public override init() { fatalError() }

    @available(iOS 16.0, macOS 13.0, *)
    open var outputBackings: [String: Any] {
        get { fatalError() }
        set { fatalError() }
    }
}

open class MLModel: NSObject {
    open var modelDescription: MLModelDescription { fatalError() }
    open var configuration: MLModelConfiguration { fatalError() }

    public init(contentsOf url: URL) throws { fatalError() }
    public init(contentsOf url: URL, configuration: MLModelConfiguration) throws { fatalError() }

    public class func load(
        contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration()
    ) async throws -> MLModel { fatalError() }
    public class func load(
        contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration(),
        completionHandler handler: @escaping (Result<MLModel, any Error>) -> Void
    ) { fatalError() }
    @available(iOS 16.0, macOS 13.0, *)
    public class func load(asset: MLModelAsset, configuration: MLModelConfiguration) async throws -> MLModel {
        fatalError()
    }

    @available(*, noasync, message: "use compileModel(at:) async instead")
    public class func compileModel(at modelURL: URL) throws -> URL { fatalError() }
    @available(iOS 16.0, macOS 13.0, *)
    public class func compileModel(at modelURL: URL) async throws -> URL { fatalError() }

    @available(iOS 17.0, macOS 14.0, *)
    public class var availableComputeDevices: [MLComputeDevice] { fatalError() }

    open func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider { fatalError() }
    open func prediction(
        from input: any MLFeatureProvider, options: MLPredictionOptions
    ) throws -> any MLFeatureProvider { fatalError() }
    @available(iOS 17.0, macOS 14.0, *)
    public func prediction(
        from input: any MLFeatureProvider, options: MLPredictionOptions = MLPredictionOptions()
    ) async throws -> any MLFeatureProvider { fatalError() }
    open func predictions(fromBatch inputBatch: any MLBatchProvider) throws -> any MLBatchProvider { fatalError() }
    open func predictions(
        from inputBatch: any MLBatchProvider, options: MLPredictionOptions
    ) throws -> any MLBatchProvider { fatalError() }
}

@available(iOS 16.0, macOS 13.0, *)
open class MLModelAsset: NSObject {
    public convenience init(specification specificationData: Data) throws { fatalError() }
    public convenience init(url compiledModelURL: URL) throws { fatalError() }
}

public struct MLModelMetadataKey: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var author: MLModelMetadataKey { fatalError() }
    public static var description: MLModelMetadataKey { fatalError() }
    public static var license: MLModelMetadataKey { fatalError() }
    public static var versionString: MLModelMetadataKey { fatalError() }
    public static var creatorDefinedKey: MLModelMetadataKey { fatalError() }
}

open class MLModelDescription: NSObject {
    open var inputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    open var outputDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    @available(iOS 18.0, macOS 15.0, *)
    open var stateDescriptionsByName: [String: MLFeatureDescription] { fatalError() }
    open var predictedFeatureName: String? { fatalError() }
    open var predictedProbabilitiesName: String? { fatalError() }
    open var metadata: [MLModelMetadataKey: Any] { fatalError() }
    open var classLabels: [Any]? { fatalError() }
    open var isUpdatable: Bool { fatalError() }
}

public let MLModelErrorDomain: String = "com.apple.CoreML"

public struct MLModelError: Error {
    public enum Code: Int, Sendable {
        case generic = 0
        case featureType = 1
        case io = 3
        case customLayer = 4
        case customModel = 5
        case update = 6
        case parameters = 7
        case modelDecryptionKeyFetch = 8
        case modelDecryption = 9
        case modelCollection = 10
        case predictionCancelled = 11
    }

    public var code: Code { fatalError() }

    public static var generic: Code { .generic }
    public static var featureType: Code { .featureType }
    public static var io: Code { .io }
    public static var predictionCancelled: Code { .predictionCancelled }
}
