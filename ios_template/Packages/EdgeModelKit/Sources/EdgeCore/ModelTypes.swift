/// Type of a tensor's elements; the raw values are the contract's names.
///
/// Apps never see `float16`: a tensor of the contract in that type is `float32` to them, and it is named as the
/// stored type alone. Not every computer that Swift runs on has 16-bit floats.
public enum ElementType: String, Sendable {
    case float32, float16, int8, uint8, int32, int64, bool
}

/// Integers that stand for real numbers: real = scale * (stored - zeroPoint).
public struct Quantization: Sendable, Equatable {
    public let scale: Float
    public let zeroPoint: Int32

    public init(scale: Float, zeroPoint: Int32) {
        self.scale = scale
        self.zeroPoint = zeroPoint
    }
}

/// How a picture becomes a tensor. The steps run in the order of the contract, docs/reference/contract.md.
public struct ImageSpec: Sendable, Equatable {
    public enum Color: String, Sendable {
        case rgb, bgr, gray
    }

    public enum Fit: String, Sendable {
        case stretch, crop, pad
    }

    public enum ResizeMethod: String, Sendable {
        case bilinear
        case bilinearAntialias = "bilinear_antialias"
        case nearest, none
    }

    public enum Layout: String, Sendable {
        case nhwc, nchw
    }

    public enum Orientation: String, Sendable {
        case exif, ignore
    }

    public let height: Int
    public let width: Int
    public let color: Color
    public let cropFraction: Double
    public let fit: Fit
    public let resize: ResizeMethod
    public let padValue: Float
    public let scale: Float
    /// One value, or one for each channel.
    public let mean: [Float]
    /// One value, or one for each channel.
    public let std: [Float]
    public let layout: Layout
    public let orientation: Orientation

    public init(
        height: Int,
        width: Int,
        color: Color = .rgb,
        cropFraction: Double = 1,
        fit: Fit = .stretch,
        resize: ResizeMethod = .bilinear,
        padValue: Float = 0,
        scale: Float = 1,
        mean: [Float] = [0],
        std: [Float] = [1],
        layout: Layout = .nhwc,
        orientation: Orientation = .exif
    ) {
        self.height = height
        self.width = width
        self.color = color
        self.cropFraction = cropFraction
        self.fit = fit
        self.resize = resize
        self.padValue = padValue
        self.scale = scale
        self.mean = mean
        self.std = std
        self.layout = layout
        self.orientation = orientation
    }

    /// Whether a file's EXIF orientation turns the picture before all else.
    public var followsOrientation: Bool { orientation == .exif }

    /// Channels of the tensor.
    public var channels: Int { color == .gray ? 1 : 3 }

    /// Values of the tensor.
    public var size: Int { height * width * channels }
}

/// What applies to raw scores over the last axis.
public enum Activation: String, Sendable {
    case none, softmax, sigmoid
}

/// What one output means.
public struct PostprocessSpec: Sendable, Equatable {
    public let activation: Activation
    public let topK: Int?
    public let threshold: Double

    public init(activation: Activation = .none, topK: Int? = nil, threshold: Double = 0) {
        self.activation = activation
        self.topK = topK
        self.threshold = threshold
    }
}

/// Anchors of one feature map: cell by cell, row by row, one anchor for each size.
public struct AnchorGrid: Sendable, Equatable {
    public struct Size: Sendable, Equatable {
        public let height: Double
        public let width: Double

        public init(height: Double, width: Double) {
            self.height = height
            self.width = width
        }
    }

    public let rows: Int
    public let columns: Int
    public let sizes: [Size]

    public init(rows: Int, columns: Int, sizes: [Size]) {
        self.rows = rows
        self.columns = columns
        self.sizes = sizes
    }

    /// How many anchors there are.
    var count: Int { rows * columns * sizes.count }
}

/// How output tensors become boxes; the steps are in docs/reference/contract.md.
public struct DetectionSpec: Sendable, Equatable {
    public enum Form: String, Sendable {
        case yxyx, xyxy, xywh, cxcywh, cycxhw

        var yFirst: Bool { self == .yxyx || self == .cycxhw }
        var centred: Bool { self == .cxcywh || self == .cycxhw }
    }

    public enum Suppression: String, Sendable {
        case hard, weighted, none
    }

    public let boxes: String
    public let scores: String
    public let classes: String?
    public let count: String?
    public let form: Form
    public let boxScale: [Double]
    public let anchors: [AnchorGrid]
    public let exponential: Bool
    public let keypoints: Int
    public let activation: Activation
    public let background: Int?
    public let threshold: Double
    public let suppression: Suppression
    public let overlap: Double
    public let limit: Int

    public init(
        boxes: String,
        scores: String,
        classes: String? = nil,
        count: String? = nil,
        form: Form = .yxyx,
        boxScale: [Double] = [1, 1, 1, 1],
        anchors: [AnchorGrid] = [],
        exponential: Bool = false,
        keypoints: Int = 0,
        activation: Activation = .none,
        background: Int? = nil,
        threshold: Double = 0.5,
        suppression: Suppression = .hard,
        overlap: Double = 0.5,
        limit: Int = 100
    ) {
        self.boxes = boxes
        self.scores = scores
        self.classes = classes
        self.count = count
        self.form = form
        self.boxScale = boxScale
        self.anchors = anchors
        self.exponential = exponential
        self.keypoints = keypoints
        self.activation = activation
        self.background = background
        self.threshold = threshold
        self.suppression = suppression
        self.overlap = overlap
        self.limit = limit
    }

    /// The outputs that are read.
    public var outputs: [String] { [boxes, scores, classes, count].compactMap { $0 } }
}

/// One input or output, as the app sees it and as the model stores it.
public struct TensorSpec: Sendable, Equatable, CustomStringConvertible {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    /// Name of the feature in the Core ML model.
    public let storedName: String
    public let storedType: ElementType
    public let quantization: Quantization?
    public let image: ImageSpec?
    /// Set where the Core ML model takes this input as an image, and not as a multi-array.
    public let coremlImage: CoreMLImage?
    public let postprocess: PostprocessSpec?
    /// How many values the tensor holds; 1 for a single number.
    public let size: Int

    public init(
        name: String,
        type: ElementType,
        shape: [Int],
        storedName: String? = nil,
        storedType: ElementType? = nil,
        quantization: Quantization? = nil,
        image: ImageSpec? = nil,
        coremlImage: CoreMLImage? = nil,
        postprocess: PostprocessSpec? = nil
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.storedName = storedName ?? name
        self.storedType = storedType ?? type
        self.quantization = quantization
        self.image = image
        self.coremlImage = coremlImage
        self.postprocess = postprocess
        size = shape.reduce(1, *)
    }

    public var description: String { "\(name) \(type.rawValue)\(shape)" }
}

/// Where Core ML may run a model; the order of an app's ladder is in `ModelFacts.computeUnits`.
public enum ComputeUnits: String, Sendable, CaseIterable {
    case all
    case cpuAndNeuralEngine = "cpu_and_ne"
    case cpuAndGPU = "cpu_and_gpu"
    case cpuOnly = "cpu_only"

    public var key: String { rawValue }
}

/// What an app knows of its model; `ModelSpec.facts` are those of this project.
public struct ModelFacts: Sendable {
    public let name: String
    public let version: String
    public let variant: String
    /// Name of the package: "Digits.mlpackage".
    public let modelFile: String
    /// Digest of the package as it is shipped, in lower case.
    public let modelSha256: String
    /// In bytes.
    public let modelSize: Int
    /// Function of the Core ML model.
    public let signature: String
    public let inputs: [TensorSpec]
    public let outputs: [TensorSpec]
    public let labels: [String]
    public let detections: DetectionSpec?
    /// In the order in which the app tries them.
    public let computeUnits: [ComputeUnits]
    /// Absolute tolerance of an output value against the host's.
    public let goldenAtol: Double
    /// Relative tolerance of an output value against the host's.
    public let goldenRtol: Double
    /// Oldest iOS that loads the model: "16.0".
    public let deploymentTarget: String?
    /// Feature that is the best class's label, for a classifier.
    public let classLabel: String?
    /// Feature that is a dictionary of scores by label, for a classifier.
    public let classProbabilities: String?

    public init(
        name: String,
        version: String,
        variant: String,
        modelFile: String,
        modelSha256: String,
        modelSize: Int,
        signature: String,
        inputs: [TensorSpec],
        outputs: [TensorSpec],
        labels: [String] = [],
        detections: DetectionSpec? = nil,
        computeUnits: [ComputeUnits] = [.cpuOnly],
        goldenAtol: Double = 0,
        goldenRtol: Double = 0,
        deploymentTarget: String? = nil,
        classLabel: String? = nil,
        classProbabilities: String? = nil
    ) {
        self.name = name
        self.version = version
        self.variant = variant
        self.modelFile = modelFile
        self.modelSha256 = modelSha256
        self.modelSize = modelSize
        self.signature = signature
        self.inputs = inputs
        self.outputs = outputs
        self.labels = labels
        self.detections = detections
        self.computeUnits = computeUnits
        self.goldenAtol = goldenAtol
        self.goldenRtol = goldenRtol
        self.deploymentTarget = deploymentTarget
        self.classLabel = classLabel
        self.classProbabilities = classProbabilities
    }

    /// The input with a name of the contract.
    public func input(_ name: String) throws -> TensorSpec { try Self.named(name, "input", inputs) }

    /// The output with a name of the contract.
    public func output(_ name: String) throws -> TensorSpec { try Self.named(name, "output", outputs) }

    private static func named(_ name: String, _ side: String, _ specs: [TensorSpec]) throws -> TensorSpec {
        guard let spec = specs.first(where: { $0.name == name }) else {
            let known = specs.map(\.name).joined(separator: ", ")
            throw ModelError("the model has no \(side) called \(name)", "there are \(known)")
        }
        return spec
    }
}
