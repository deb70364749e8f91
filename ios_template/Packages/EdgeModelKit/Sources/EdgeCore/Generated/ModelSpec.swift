[% set boxes = spec.detections %]
[% macro optional(text) %][[ "nil" if text is none else text | swift_string ]][% endmacro %]
[% macro element(dtype) %].[[ "float32" if dtype == "float16" else dtype ]][% endmacro %]
[% macro tensors(items, names) %]
[% for tensor in items %]
[% if not loop.first %]

[% endif %]
        /// `[[ tensor.name | comment_text ]]`.
        public static let [[ names[loop.index0] ]] = TensorSpec(
            name: [[ tensor.name | swift_string ]],
            type: [[ element(tensor.dtype) ]],
            shape: [ [[- tensor.shape | join(", ") -]] ],
            storedName: [[ tensor.stored_name | swift_string ]],
            storedType: .[[ tensor.stored_dtype ]],
            quantization: [% if tensor.quantization -%]
            Quantization(
                scale: [[ tensor.quantization.scales[0] | swift_float ]],
                zeroPoint: [[ tensor.quantization.zero_points[0] ]]
            ),
[% else -%]
            nil,
[% endif %]
            image: [% if tensor.image -%]
            ImageSpec(
                height: [[ tensor.image.height ]],
                width: [[ tensor.image.width ]],
                color: .[[ tensor.image.color ]],
                cropFraction: [[ tensor.image.crop_fraction | swift_double ]],
                fit: .[[ tensor.image.fit ]],
                resize: .[[ {"bilinear_antialias": "bilinearAntialias"}.get(tensor.image.resize, tensor.image.resize) ]],
                padValue: [[ tensor.image.pad_value | swift_float ]],
                scale: [[ tensor.image.scale | swift_float ]],
                mean: [ [[- tensor.image.mean | map("swift_float") | join(", ") -]] ],
                std: [ [[- tensor.image.std | map("swift_float") | join(", ") -]] ],
                layout: .[[ tensor.image.layout ]],
                orientation: .[[ tensor.image.orientation ]]
            ),
[% else -%]
            nil,
[% endif %]
            coremlImage: [% if tensor.coreml_image -%]
            CoreMLImage(
                scale: [[ tensor.coreml_image.scale | swift_float ]],
                bias: [ [[- tensor.coreml_image.bias | map("swift_float") | join(", ") -]] ],
                color: .[[ tensor.coreml_image.color | lower ]]
            ),
[% else -%]
            nil,
[% endif %]
            postprocess: [% if tensor.postprocess -%]
            PostprocessSpec(
                activation: .[[ tensor.postprocess.activation ]],
                topK: [[ "nil" if tensor.postprocess.top_k is none else tensor.postprocess.top_k ]],
                threshold: [[ tensor.postprocess.threshold | swift_double ]]
            )
[% else -%]
            nil
[% endif %]
        )
[% endfor %]
[% endmacro %]
// Written by edge scaffold out of the bundle of [[ spec.name | comment_text ]]; every update writes it again.
// swift-format-ignore-file

/// The model of this project.
public enum ModelSpec {
    public static let facts = ModelFacts(
        name: [[ spec.name | swift_string ]],
        version: [[ spec.version | swift_string ]],
        variant: [[ spec.variant | swift_string ]],
        modelFile: [[ spec.model_file | swift_string ]],
        modelSha256: [[ spec.model_sha256 | swift_string ]],
        modelSize: [[ spec.model_size ]],
        signature: [[ spec.signature | swift_string ]],
        inputs: [
[% for name in input_names %]
            Inputs.[[ name ]],
[% endfor %]
        ],
        outputs: [
[% for name in output_names %]
            Outputs.[[ name ]],
[% endfor %]
        ],
        labels: labels,
        detections: [% if boxes -%]
        DetectionSpec(
            boxes: [[ boxes.boxes | swift_string ]],
            scores: [[ boxes.scores | swift_string ]],
            classes: [[ optional(boxes.classes) ]],
            count: [[ optional(boxes.count) ]],
            form: .[[ boxes.form ]],
            boxScale: [ [[- boxes.box_scale | map("swift_double") | join(", ") -]] ],
            anchors: [
[% for grid in boxes.anchors %]
                AnchorGrid(
                    rows: [[ grid.rows ]],
                    columns: [[ grid.columns ]],
                    sizes: [
[% for size in grid.sizes %]
                        .init(height: [[ size[0] | swift_double ]], width: [[ size[1] | swift_double ]]),
[% endfor %]
                    ]
                ),
[% endfor %]
            ],
            exponential: [[ "true" if boxes.exponential else "false" ]],
            keypoints: [[ boxes.keypoints ]],
            activation: .[[ boxes.activation ]],
            background: [[ "nil" if boxes.background is none else boxes.background ]],
            threshold: [[ boxes.threshold | swift_double ]],
            suppression: .[[ boxes.suppression ]],
            overlap: [[ boxes.overlap | swift_double ]],
            limit: [[ boxes.limit ]]
        ),
[% else -%]
        nil,
[% endif %]
        computeUnits: [
[% for key in spec.accelerators %]
            .[[ {"all": "all", "cpu_and_ne": "cpuAndNeuralEngine", "cpu_and_gpu": "cpuAndGPU", "cpu_only": "cpuOnly"}[key] ]],
[% endfor %]
        ],
        goldenAtol: [[ spec.golden_atol | swift_double ]],
        goldenRtol: [[ spec.golden_rtol | swift_double ]],
        deploymentTarget: [[ optional(spec.deployment_target) ]],
        classLabel: [[ optional(spec.class_label) ]],
        classProbabilities: [[ optional(spec.class_probabilities) ]]
    )

    /// What the model takes.
    public enum Inputs {
[[ tensors(spec.inputs, input_names) ]]    }

    /// What it gives.
    public enum Outputs {
[[ tensors(spec.outputs, output_names) ]]    }

[% if spec.labels and "\n" not in spec.labels | join %]
    /// One a line: long lists of texts take the compiler minutes.
    private static let labels = """
[% for label in spec.labels %]
        [[ (label | swift_string)[1:-1] ]]
[% endfor %]
        """.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
[% else %]
    private static let labels: [String] = [
[% for label in spec.labels %]
        [[ label | swift_string ]],
[% endfor %]
    ]
[% endif %]
}
