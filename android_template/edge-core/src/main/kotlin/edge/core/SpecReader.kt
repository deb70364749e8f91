package edge.core

import java.util.Locale

/** Reads specs from the JSON of golden vectors, in which a case may bring its own. */
internal object SpecReader {
    fun image(data: JsonObject) =
        ImageSpec(
            height = data.integer("height"),
            width = data.integer("width"),
            color = ImageSpec.Color.valueOf(data.text("color").uppercase(Locale.ROOT)),
            cropFraction = data.number("crop_fraction"),
            fit = ImageSpec.Fit.valueOf(data.text("fit").uppercase(Locale.ROOT)),
            resize = ImageSpec.ResizeMethod.valueOf(data.text("resize").uppercase(Locale.ROOT)),
            padValue = data.number("pad_value").toFloat(),
            scale = data.number("scale").toFloat(),
            mean = data.numbers("mean").map { it.toFloat() }.toFloatArray(),
            std = data.numbers("std").map { it.toFloat() }.toFloatArray(),
            layout = ImageSpec.Layout.valueOf(data.text("layout").uppercase(Locale.ROOT)),
            followsOrientation = data.text("orientation") == "exif",
        )

    fun quantization(data: JsonObject) =
        Quantization(data.numbers("scales")[0].toFloat(), data.numbers("zero_points")[0].toInt())

    fun activation(data: JsonObject) = Activation.valueOf(data.text("activation").uppercase(Locale.ROOT))

    fun postprocess(data: JsonObject) =
        PostprocessSpec(activation(data), data.integerOrNull("top_k"), data.number("threshold"))

    fun detections(data: JsonObject) =
        DetectionSpec(
            boxes = data.text("boxes"),
            scores = data.text("scores"),
            classes = data.textOrNull("classes"),
            count = data.textOrNull("count"),
            form = DetectionSpec.Form.valueOf(data.text("form").uppercase(Locale.ROOT)),
            boxScale = data.numbers("box_scale"),
            anchors =
                data.children("anchors").map { grid ->
                    AnchorGrid(
                        grid.integer("rows"),
                        grid.integer("columns"),
                        grid.lists("sizes").map { (height, width) -> AnchorGrid.Size(height, width) },
                    )
                },
            exponential = data.flag("exponential"),
            keypoints = data.integer("keypoints"),
            activation = activation(data),
            background = data.integerOrNull("background"),
            threshold = data.number("threshold"),
            suppression = DetectionSpec.Suppression.valueOf(data.text("suppression").uppercase(Locale.ROOT)),
            overlap = data.number("overlap"),
            limit = data.integer("limit"),
        )
}
