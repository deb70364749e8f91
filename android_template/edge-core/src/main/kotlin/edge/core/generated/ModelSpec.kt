[% set images = spec.inputs | selectattr("image") | list %]
[% set rules = spec.outputs | selectattr("postprocess") | list %]
[% set boxes = spec.detections %]
[% set quantized = (spec.inputs + spec.outputs) | selectattr("quantization") | list %]
[% macro tensors(items, names) %]
[% for tensor in items %]
[% if not loop.first %]

[% endif %]
        /** `[[ tensor.name | comment_text ]]`. */
        val [[ names[loop.index0] ]]: TensorSpec =
            TensorSpec(
                name = [[ tensor.name | kotlin_string ]],
                type = ElementType.[[ tensor.dtype | upper ]],
                shape = listOf([[ tensor.shape | join(", ") ]]),
                storedName = [[ tensor.stored_name | kotlin_string ]],
                storedType = ElementType.[[ tensor.stored_dtype | upper ]],
[% if tensor.quantization %]
                quantization =
                    Quantization(
                        scale = [[ tensor.quantization.scales[0] | kotlin_float ]],
                        zeroPoint = [[ tensor.quantization.zero_points[0] ]],
                    ),
[% endif %]
[% if tensor.image %]
                image =
                    ImageSpec(
                        height = [[ tensor.image.height ]],
                        width = [[ tensor.image.width ]],
                        color = ImageSpec.Color.[[ tensor.image.color | upper ]],
                        cropFraction = [[ tensor.image.crop_fraction | kotlin_double ]],
                        fit = ImageSpec.Fit.[[ tensor.image.fit | upper ]],
                        resize = ImageSpec.ResizeMethod.[[ tensor.image.resize | upper ]],
                        padValue = [[ tensor.image.pad_value | kotlin_float ]],
                        scale = [[ tensor.image.scale | kotlin_float ]],
                        mean = floatArrayOf([[ tensor.image.mean | map("kotlin_float") | join(", ") ]]),
                        std = floatArrayOf([[ tensor.image.std | map("kotlin_float") | join(", ") ]]),
                        layout = ImageSpec.Layout.[[ tensor.image.layout | upper ]],
                        followsOrientation = [[ "true" if tensor.image.orientation == "exif" else "false" ]],
                    ),
[% endif %]
[% if tensor.postprocess %]
                postprocess =
                    PostprocessSpec(
                        activation = Activation.[[ tensor.postprocess.activation | upper ]],
                        topK = [[ "null" if tensor.postprocess.top_k is none else tensor.postprocess.top_k ]],
                        threshold = [[ tensor.postprocess.threshold | kotlin_double ]],
                    ),
[% endif %]
            )
[% endfor %]
[% endmacro %]
// Written by edge scaffold out of the bundle of [[ spec.name | comment_text ]]; every update writes it again.
package edge.core.generated

import edge.core.Accelerator
[% if rules or boxes %]
import edge.core.Activation
[% endif %]
[% if boxes %]
[% if boxes.anchors %]
import edge.core.AnchorGrid
[% endif %]
import edge.core.DetectionSpec
[% endif %]
import edge.core.ElementType
[% if images %]
import edge.core.ImageSpec
[% endif %]
import edge.core.ModelFacts
[% if rules %]
import edge.core.PostprocessSpec
[% endif %]
[% if quantized %]
import edge.core.Quantization
[% endif %]
import edge.core.TensorSpec

/** The model of this project. */
object ModelSpec : ModelFacts(
    name = [[ spec.name | kotlin_string ]],
    version = [[ spec.version | kotlin_string ]],
    variant = [[ spec.variant | kotlin_string ]],
    modelFile = [[ spec.model_file | kotlin_string ]],
    modelSha256 = [[ spec.model_sha256 | kotlin_string ]],
    modelSize = [[ spec.model_size ]]L,
    signature = [[ spec.signature | kotlin_string ]],
    inputs =
        listOf(
[% for name in input_names %]
            ModelSpec.Inputs.[[ name ]],
[% endfor %]
        ),
    outputs =
        listOf(
[% for name in output_names %]
            ModelSpec.Outputs.[[ name ]],
[% endfor %]
        ),
[% if spec.labels %]
    labels =
        listOf(
[% for part in spec.labels | batch(200) %]
            labels[[ loop.index ]](),
[% endfor %]
        ).flatten(),
[% endif %]
[% if boxes %]
    detections =
        DetectionSpec(
            boxes = [[ boxes.boxes | kotlin_string ]],
            scores = [[ boxes.scores | kotlin_string ]],
            classes = [[ "null" if boxes.classes is none else boxes.classes | kotlin_string ]],
            count = [[ "null" if boxes.count is none else boxes.count | kotlin_string ]],
            form = DetectionSpec.Form.[[ boxes.form | upper ]],
            boxScale = listOf([[ boxes.box_scale | map("kotlin_double") | join(", ") ]]),
[% if boxes.anchors %]
            anchors =
                listOf(
[% for grid in boxes.anchors %]
                    AnchorGrid(
                        rows = [[ grid.rows ]],
                        columns = [[ grid.columns ]],
                        sizes =
                            listOf(
[% for size in grid.sizes %]
                                AnchorGrid.Size(height = [[ size[0] | kotlin_double ]], width = [[ size[1] | kotlin_double ]]),
[% endfor %]
                            ),
                    ),
[% endfor %]
                ),
[% endif %]
            exponential = [[ "true" if boxes.exponential else "false" ]],
            keypoints = [[ boxes.keypoints ]],
            activation = Activation.[[ boxes.activation | upper ]],
            background = [[ "null" if boxes.background is none else boxes.background ]],
            threshold = [[ boxes.threshold | kotlin_double ]],
            suppression = DetectionSpec.Suppression.[[ boxes.suppression | upper ]],
            overlap = [[ boxes.overlap | kotlin_double ]],
            limit = [[ boxes.limit ]],
        ),
[% endif %]
    accelerators =
        listOf(
[% for key in spec.accelerators %]
            Accelerator.[[ key | upper ]],
[% endfor %]
        ),
    goldenAtol = [[ spec.golden_atol | kotlin_double ]],
    goldenRtol = [[ spec.golden_rtol | kotlin_double ]],
) {
    /** What the model takes. */
    object Inputs {
[[ tensors(spec.inputs, input_names) ]]    }

    /** What it gives. */
    object Outputs {
[[ tensors(spec.outputs, output_names) ]]    }
}
[% for part in spec.labels | batch(200) %]

private fun labels[[ loop.index ]](): List<String> =
    listOf(
[% for label in part %]
        [[ label | kotlin_string ]],
[% endfor %]
    )
[% endfor %]
