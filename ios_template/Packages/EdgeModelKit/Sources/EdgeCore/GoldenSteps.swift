/// One recorded step around the model. A step may bring the spec that it was made with, in place of the model's.
struct GoldenStep: Decodable, Sendable {
    struct Preprocess: Decodable, Sendable {
        let input: String
        let picture: GoldenTensor
        let expected: GoldenTensor
        let stored: GoldenTensor?
        let spec: ImageSpec?
    }

    struct Quantize: Decodable, Sendable {
        let tensor: String
        let side: String
        let real: GoldenTensor
        let stored: GoldenTensor
        let restored: GoldenTensor
        let spec: Quantization?
    }

    struct Activate: Decodable, Sendable {
        struct Rule: Decodable, Sendable {
            let activation: Activation
        }

        let output: String
        let raw: GoldenTensor
        let expected: GoldenTensor
        let spec: Rule?
    }

    struct TopClasses: Decodable, Sendable {
        struct Wanted: Decodable, Sendable {
            let index: Int
            let label: String?
            let score: Double
        }

        let output: String
        let scores: GoldenTensor
        let labels: [String]
        let expected: [Wanted]
        let spec: PostprocessSpec?
    }

    struct Detections: Decodable, Sendable {
        struct Wanted: Decodable, Sendable {
            let box: [Double]
            let index: Int
            let label: String?
            let score: Double
            let keypoints: [[Double]]
        }

        let outputs: [String: GoldenTensor]
        let labels: [String]
        let expected: [Wanted]
        let spec: DetectionSpec?
    }

    enum Content: Sendable {
        case preprocess(Preprocess)
        case quantize(Quantize)
        case activation(Activate)
        case topClasses(TopClasses)
        case detections(Detections)
        /// It cannot be run, and why.
        case nothing(String)
    }

    let kind: String
    let content: Content

    private enum CodingKeys: String, CodingKey {
        case step
    }

    init(from decoder: any Decoder) throws {
        kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .step)
        // One damaged step is one failure among others.
        do {
            content =
                switch kind {
                case "preprocess": .preprocess(try Preprocess(from: decoder))
                case "quantize": .quantize(try Quantize(from: decoder))
                case "activation": .activation(try Activate(from: decoder))
                case "top_classes": .topClasses(try TopClasses(from: decoder))
                case "detections": .detections(try Detections(from: decoder))
                default: .nothing("unknown kind")
                }
        } catch {
            content = .nothing("damaged: \(error)")
        }
    }
}

// How the specs of a model are written in JSON, under the contract's names.

extension ImageSpec.Color: Decodable {}
extension ImageSpec.Fit: Decodable {}
extension ImageSpec.ResizeMethod: Decodable {}
extension ImageSpec.Layout: Decodable {}
extension ImageSpec.Orientation: Decodable {}
extension Activation: Decodable {}
extension DetectionSpec.Form: Decodable {}
extension DetectionSpec.Suppression: Decodable {}

extension ImageSpec: Decodable {
    private enum CodingKeys: String, CodingKey {
        case height, width, color, fit, resize, scale, mean, std, layout, orientation
        case cropFraction = "crop_fraction"
        case padValue = "pad_value"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            height: try values.decode(Int.self, forKey: .height),
            width: try values.decode(Int.self, forKey: .width),
            color: try values.decode(Color.self, forKey: .color),
            cropFraction: try values.decode(Double.self, forKey: .cropFraction),
            fit: try values.decode(Fit.self, forKey: .fit),
            resize: try values.decode(ResizeMethod.self, forKey: .resize),
            // Numbers of JSON are doubles; read as floats at once, some would be rounded another way.
            padValue: Float(try values.decode(Double.self, forKey: .padValue)),
            scale: Float(try values.decode(Double.self, forKey: .scale)),
            mean: try values.decode([Double].self, forKey: .mean).map { Float($0) },
            std: try values.decode([Double].self, forKey: .std).map { Float($0) },
            layout: try values.decode(Layout.self, forKey: .layout),
            orientation: try values.decode(Orientation.self, forKey: .orientation)
        )
    }
}

extension Quantization: Decodable {
    private enum CodingKeys: String, CodingKey {
        case scales
        case zeroPoints = "zero_points"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let scales = try values.decode([Double].self, forKey: .scales)
        let zeroPoints = try values.decode([Int32].self, forKey: .zeroPoints)
        guard let scale = scales.first, let zeroPoint = zeroPoints.first else {
            throw ModelError("a quantization without a scale", "make golden.json anew")
        }
        self.init(scale: Float(scale), zeroPoint: zeroPoint)
    }
}

extension PostprocessSpec: Decodable {
    private enum CodingKeys: String, CodingKey {
        case activation, threshold
        case topK = "top_k"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            activation: try values.decode(Activation.self, forKey: .activation),
            topK: try values.decodeIfPresent(Int.self, forKey: .topK),
            threshold: try values.decode(Double.self, forKey: .threshold)
        )
    }
}

extension AnchorGrid: Decodable {
    private enum CodingKeys: String, CodingKey {
        case rows, columns, sizes
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rows: try values.decode(Int.self, forKey: .rows),
            columns: try values.decode(Int.self, forKey: .columns),
            sizes: try values.decode([[Double]].self, forKey: .sizes).map { size in
                guard size.count == 2 else { throw ModelError("an anchor of \(size)", "make golden.json anew") }
                return Size(height: size[0], width: size[1])
            }
        )
    }
}

extension DetectionSpec: Decodable {
    private enum CodingKeys: String, CodingKey {
        case boxes, scores, classes, count, form, anchors, exponential, keypoints, activation, background
        case threshold, suppression, overlap, limit
        case boxScale = "box_scale"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            boxes: try values.decode(String.self, forKey: .boxes),
            scores: try values.decode(String.self, forKey: .scores),
            classes: try values.decodeIfPresent(String.self, forKey: .classes),
            count: try values.decodeIfPresent(String.self, forKey: .count),
            form: try values.decode(Form.self, forKey: .form),
            boxScale: try values.decode([Double].self, forKey: .boxScale),
            anchors: try values.decode([AnchorGrid].self, forKey: .anchors),
            exponential: try values.decode(Bool.self, forKey: .exponential),
            keypoints: try values.decode(Int.self, forKey: .keypoints),
            activation: try values.decode(Activation.self, forKey: .activation),
            background: try values.decodeIfPresent(Int.self, forKey: .background),
            threshold: try values.decode(Double.self, forKey: .threshold),
            suppression: try values.decode(Suppression.self, forKey: .suppression),
            overlap: try values.decode(Double.self, forKey: .overlap),
            limit: try values.decode(Int.self, forKey: .limit)
        )
    }
}
