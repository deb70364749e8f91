// Stub of Vision, iOS 26 SDK (Xcode 26)
@_exported import CoreImage
@_exported import CoreML
@_exported import CoreMedia

public struct VNImageOption: Hashable, RawRepresentable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static var properties: VNImageOption { fatalError() }
    public static var cameraIntrinsics: VNImageOption { fatalError() }
    public static var ciContext: VNImageOption { fatalError() }
}

public enum VNImageCropAndScaleOption: UInt, Sendable {
    case centerCrop = 0
    case scaleFit = 1
    case scaleFill = 2
    @available(iOS 16.0, macOS 13.0, *)
    case scaleFitRotate90CCW = 257
    @available(iOS 16.0, macOS 13.0, *)
    case scaleFillRotate90CCW = 258
}

public typealias VNConfidence = Float
public typealias VNRequestCompletionHandler = (VNRequest, (any Error)?) -> Void

open class VNRequest: NSObject {
    public convenience override init() { fatalError() }
    public init(completionHandler: VNRequestCompletionHandler? = nil) { fatalError() }

    open var preferBackgroundProcessing: Bool {
        get { fatalError() }
        set { fatalError() }
    }
    open var results: [VNObservation]? { fatalError() }
    open var revision: Int {
        get { fatalError() }
        set { fatalError() }
    }

    open func cancel() { fatalError() }
}

open class VNImageBasedRequest: VNRequest {
    open var regionOfInterest: CGRect {
        get { fatalError() }
        set { fatalError() }
    }
}

open class VNCoreMLModel: NSObject {
    public convenience init(for model: MLModel) throws { fatalError() }

    open var inputImageFeatureName: String {
        get { fatalError() }
        set { fatalError() }
    }
    open var featureProvider: (any MLFeatureProvider)? {
        get { fatalError() }
        set { fatalError() }
    }
}

open class VNCoreMLRequest: VNImageBasedRequest {
    public convenience init(model: VNCoreMLModel) { fatalError() }
    public init(model: VNCoreMLModel, completionHandler: VNRequestCompletionHandler? = nil) { fatalError() }

    open var model: VNCoreMLModel { fatalError() }
    open var imageCropAndScaleOption: VNImageCropAndScaleOption {
        get { fatalError() }
        set { fatalError() }
    }
}

open class VNObservation: NSObject {
    open var uuid: UUID { fatalError() }
    open var confidence: VNConfidence { fatalError() }
    open var timeRange: Range<Double> { fatalError() }
}

open class VNClassificationObservation: VNObservation {
    open var identifier: String { fatalError() }
}

open class VNDetectedObjectObservation: VNObservation {
    open var boundingBox: CGRect { fatalError() }
}

open class VNRecognizedObjectObservation: VNDetectedObjectObservation {
    open var labels: [VNClassificationObservation] { fatalError() }
}

open class VNCoreMLFeatureValueObservation: VNObservation {
    open var featureName: String { fatalError() }
    open var featureValue: MLFeatureValue { fatalError() }
}

open class VNPixelBufferObservation: VNObservation {
    open var featureName: String? { fatalError() }
    open var pixelBuffer: CVPixelBuffer { fatalError() }
}

open class VNImageRequestHandler: NSObject {
    public init(cvPixelBuffer pixelBuffer: CVPixelBuffer, options: [VNImageOption: Any] = [:]) { fatalError() }
    public init(
        cvPixelBuffer pixelBuffer: CVPixelBuffer, orientation: CGImagePropertyOrientation,
        options: [VNImageOption: Any] = [:]
    ) { fatalError() }
    public init(cgImage image: CGImage, options: [VNImageOption: Any] = [:]) { fatalError() }
    public init(
        cgImage image: CGImage, orientation: CGImagePropertyOrientation, options: [VNImageOption: Any] = [:]
    ) { fatalError() }
    public init(ciImage image: CIImage, options: [VNImageOption: Any] = [:]) { fatalError() }
    public init(
        ciImage image: CIImage, orientation: CGImagePropertyOrientation, options: [VNImageOption: Any] = [:]
    ) { fatalError() }
    public init(url imageURL: URL, options: [VNImageOption: Any] = [:]) { fatalError() }
    public init(data imageData: Data, options: [VNImageOption: Any] = [:]) { fatalError() }
    public init(
        data imageData: Data, orientation: CGImagePropertyOrientation, options: [VNImageOption: Any] = [:]
    ) { fatalError() }
    public init(
        cmSampleBuffer sampleBuffer: CMSampleBuffer, orientation: CGImagePropertyOrientation,
        options: [VNImageOption: Any] = [:]
    ) { fatalError() }

    open func perform(_ requests: [VNRequest]) throws { fatalError() }
}

public func VNImageRectForNormalizedRect(_ normalizedRect: CGRect, _ imageWidth: Int, _ imageHeight: Int) -> CGRect {
    fatalError()
}
