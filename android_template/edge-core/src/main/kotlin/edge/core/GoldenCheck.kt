package edge.core

import kotlin.math.abs

/** Compares what this device computes with what the host recorded. Failures are lines for people. */
object GoldenCheck {
    /** How far a float of a step may be off: relative to the larger of 1 and the value. */
    const val STEP_TOLERANCE = 1e-5

    /** Runs every step around the model: no model, no device needed. */
    fun steps(
        vectors: GoldenVectors,
        inputs: List<TensorSpec>,
        outputs: List<TensorSpec>,
        detections: DetectionSpec?,
    ): List<String> =
        vectors.steps.flatMapIndexed { index, step ->
            val kind = step.text("step")
            val problem =
                when (kind) {
                    "preprocess" -> preprocess(step, inputs)
                    "quantize" -> quantize(step, if (step.text("side") == "input") inputs else outputs)
                    "activation" -> activation(step, outputs)
                    "top_classes" -> topClasses(step, outputs)
                    "detections" -> boxes(step, detections)
                    else -> "unknown kind"
                }
            if (problem == null) emptyList() else listOf("step $index, $kind: $problem")
        }

    /** Compares the outputs of one case of the model: |value - expected| <= atol + rtol * |expected|. */
    fun case(index: Int, case: GoldenCase, outputs: Map<String, Tensor>, atol: Double, rtol: Double): List<String> =
        case.outputs.flatMap { (name, expected) ->
            val given = outputs[name]
            val problem =
                when {
                    given == null -> "missing"
                    else -> compare(expected, given.size, atol, rtol) { given.real(it) }
                }
            if (problem == null) emptyList() else listOf("case $index, output $name: $problem")
        }

    private fun preprocess(step: JsonObject, inputs: List<TensorSpec>): String? {
        val spec =
            step.childOrNull("spec")?.let { SpecReader.image(it) }
                ?: inputs.first { it.name == step.text("input") }.image
                ?: return "the input is no picture"
        val pixels = GoldenTensor.of(step.child("picture"))
        val (height, width, channels) = pixels.shape
        val expected = GoldenTensor.of(step.child("expected"))
        val found = Preprocess.image(Picture(width, height, channels, pixels.byteValues()), spec)
        return near(expected, found)
    }

    private fun quantize(step: JsonObject, tensors: List<TensorSpec>): String? {
        val quantization =
            step.childOrNull("spec")?.let { SpecReader.quantization(it) }
                ?: tensors.first { it.name == step.text("tensor") }.quantization
                ?: return "the tensor is not quantized"
        val real = GoldenTensor.of(step.child("real")).floats()
        val stored = GoldenTensor.of(step.child("stored"))
        val restored = GoldenTensor.of(step.child("restored"))
        if (stored.type == "int32") {
            val found = IntArray(real.size)
            Quantizer.quantize(real, found, quantization)
            val back = FloatArray(real.size)
            Quantizer.dequantize(IntArray(real.size) { stored.real(it).toInt() }, back, quantization)
            return compare(stored, found.size, 1.0, 0.0) { found[it].toDouble() } ?: near(restored, back)
        }
        val unsigned = stored.type == "uint8"
        val found = Tensor.Bytes(ByteArray(real.size), listOf(real.size), unsigned)
        Quantizer.quantize(real, found.values, quantization, unsigned)
        val back = FloatArray(real.size)
        Quantizer.dequantize(stored.byteValues(), back, quantization, unsigned)
        return compare(stored, found.size, 1.0, 0.0) { found.real(it) } ?: near(restored, back)
    }

    private fun activation(step: JsonObject, outputs: List<TensorSpec>): String? {
        val kind =
            step.childOrNull("spec")?.let { SpecReader.activation(it) }
                ?: outputs.first { it.name == step.text("output") }.postprocess?.activation
                ?: return "the output has no rule"
        val raw = GoldenTensor.of(step.child("raw"))
        return near(GoldenTensor.of(step.child("expected")), Activations.apply(raw.floats(), raw.shape.last(), kind))
    }

    private fun topClasses(step: JsonObject, outputs: List<TensorSpec>): String? {
        val rule =
            step.childOrNull("spec")?.let { SpecReader.postprocess(it) }
                ?: outputs.first { it.name == step.text("output") }.postprocess
                ?: return "the output has no rule"
        val scores = GoldenTensor.of(step.child("scores")).floats()
        val found = TopClasses.best(scores, rule.topK ?: scores.size, rule.threshold, step.texts("labels"))
        val expected = step.children("expected")
        if (found.size != expected.size) return "expected ${expected.size} classes, got ${found.size}"
        expected.forEachIndexed { place, wanted ->
            val given = found[place]
            if (given.index != wanted.integer("index") || given.label != wanted.textOrNull("label")) {
                return "class $place: expected ${wanted.integer("index")}, got ${given.index}"
            }
            if (abs(given.score - wanted.number("score")) > STEP_TOLERANCE) return "class $place: score ${given.score}"
        }
        return null
    }

    private fun boxes(step: JsonObject, model: DetectionSpec?): String? {
        val spec = step.childOrNull("spec")?.let { SpecReader.detections(it) } ?: model ?: return "the model has no boxes"
        val outputs = GoldenVectors.tensors(step.child("outputs")).mapValues { it.value.tensor() }
        val found = Boxes.detect(outputs, spec, step.texts("labels"))
        val expected = step.children("expected")
        if (found.size != expected.size) return "expected ${expected.size} boxes, got ${found.size}"
        expected.forEachIndexed { place, wanted ->
            val given = found[place]
            if (given.index != wanted.integer("index") || given.label != wanted.textOrNull("label")) {
                return "box $place: expected class ${wanted.integer("index")}, got ${given.index}"
            }
            val numbers =
                listOf(given.box.top, given.box.left, given.box.bottom, given.box.right, given.score) +
                    given.keypoints.flatMap { listOf(it.y, it.x) }
            val recorded =
                wanted.numbers("box") + wanted.number("score") +
                    wanted.list("keypoints").flatMap { (it as List<*>).map { value -> value as Double } }
            if (numbers.size != recorded.size) return "box $place: ${numbers.size} numbers"
            for (index in numbers.indices) {
                if (off(numbers[index], recorded[index]) > STEP_TOLERANCE) {
                    return "box $place: expected ${recorded[index]}, got ${numbers[index]}"
                }
            }
        }
        return null
    }

    private fun near(expected: GoldenTensor, found: FloatArray): String? {
        val size = expected.shape.fold(1) { product, length -> product * length }
        if (found.size != size) return "expected $size values, got ${found.size}"
        for (index in 0 until expected.count) {
            val given = found[index * expected.stride].toDouble()
            val wanted = expected.real(index)
            if (given.isNaN() && wanted.isNaN()) continue
            if (!(off(given, wanted) <= STEP_TOLERANCE)) {
                return "value ${index * expected.stride}: expected $wanted, got $given"
            }
        }
        return null
    }

    private fun off(given: Double, wanted: Double): Double = if (given == wanted) 0.0 else abs(given - wanted) / maxOf(1.0, abs(wanted))

    private fun compare(expected: GoldenTensor, size: Int, atol: Double, rtol: Double, given: (Int) -> Double): String? {
        val wantedSize = expected.shape.fold(1) { product, length -> product * length }
        if (size != wantedSize) return "expected $wantedSize values, got $size"
        var outside = 0
        var worst = -1.0
        var place = 0
        for (index in 0 until expected.count) {
            val value = given(index * expected.stride)
            val wanted = expected.real(index)
            val error = abs(value - wanted)
            // Written so that NaN is outside.
            if (!(error <= atol + rtol * abs(wanted))) {
                outside++
                if (!(error <= worst)) {
                    worst = if (error.isNaN()) Double.MAX_VALUE else error
                    place = index * expected.stride
                }
            }
        }
        if (outside == 0) return null
        val wanted = expected.real(place / expected.stride)
        return "$outside of ${expected.count} values are outside the tolerance; worst at $place: expected $wanted, got ${given(place)}"
    }
}
