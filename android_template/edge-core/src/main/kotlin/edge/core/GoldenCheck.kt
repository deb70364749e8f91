package edge.core

import kotlin.math.abs

/**
 * How one step around the model went.
 *
 * @param difference largest one of a value: for floats as a share of the larger of 1 and the value, for
 *   integers in steps.
 * @param problem what is wrong; null where nothing is.
 */
class StepResult(
    val index: Int,
    val kind: String,
    val difference: Double,
    val problem: String?,
)

/** Compares what this device computes with what the host recorded. Failures are lines for people. */
object GoldenCheck {
    /** How far a float of a step may be off: as a share of the larger of 1 and the value. */
    const val STEP_TOLERANCE = 1e-5

    /** How many steps an integer may be off. */
    const val INTEGER_TOLERANCE = 1.0

    /** Runs every step around the model, and returns what is wrong: no model, no device needed. */
    fun steps(vectors: GoldenVectors, facts: ModelFacts?): List<String> =
        examine(vectors, facts).mapNotNull { result -> result.problem?.let { "step ${result.index}, ${result.kind}: $it" } }

    /** The same in detail. [facts] are needed for steps that do not bring their own spec. */
    fun examine(vectors: GoldenVectors, facts: ModelFacts?): List<StepResult> =
        vectors.steps.mapIndexed { index, step ->
            val kind = step.text("step")
            val found = Differences()
            try {
                when (kind) {
                    "preprocess" -> preprocess(step, facts, found)
                    "quantize" -> quantize(step, facts, found)
                    "activation" -> activation(step, facts, found)
                    "top_classes" -> topClasses(step, facts, found)
                    "detections" -> detections(step, facts, found)
                    else -> found.wrong("unknown kind")
                }
            } catch (error: ModelError) {
                found.wrong(error.message ?: "failed")
            }
            StepResult(index, kind, found.worst, found.problem)
        }

    /** Runs the cases of the model itself, and returns what is wrong. [run] may suspend. */
    inline fun cases(vectors: GoldenVectors, run: (Map<String, Tensor>) -> Map<String, Tensor>): List<String> =
        vectors.cases.flatMapIndexed { index, case ->
            case(index, case, run(case.inputs.mapValues { it.value.tensor() }), vectors.atol, vectors.rtol)
        }

    /** Compares the outputs of one case of the model: |value - expected| <= atol + rtol * |expected|. */
    fun case(index: Int, case: GoldenCase, outputs: Map<String, Tensor>, atol: Double, rtol: Double): List<String> =
        case.outputs.mapNotNull { (name, expected) ->
            val given = outputs[name]
            val problem = if (given == null) "missing" else compare(expected, given, atol, rtol)
            problem?.let { "case $index, output $name: $it" }
        }

    private fun compare(expected: GoldenTensor, given: Tensor, atol: Double, rtol: Double): String? {
        if (given.size != expected.size) return "expected ${expected.size} values, got ${given.size}"
        var outside = 0
        var worst = -1.0
        var place = 0
        for (index in 0 until expected.count) {
            val wanted = expected.real(index)
            val error = abs(given.real(index * expected.stride) - wanted)
            // Written so that NaN is outside, and the worst of all.
            if (error <= atol + rtol * abs(wanted)) continue
            outside++
            val weight = if (error.isNaN()) Double.POSITIVE_INFINITY else error
            if (weight > worst) {
                worst = weight
                place = index
            }
        }
        if (outside == 0) return null
        return "$outside of ${expected.count} values are outside the tolerance; the worst, number " +
            "${place * expected.stride}, should be ${expected.real(place)} and is ${given.real(place * expected.stride)}"
    }

    private fun preprocess(step: JsonObject, facts: ModelFacts?, found: Differences) {
        val own = step.childOrNull("spec")
        val input = if (own == null) known(facts).input(step.text("input")) else null
        val spec =
            own?.let { SpecReader.image(it) } ?: input?.image ?: return found.wrong("the input is no picture")
        val pixels = GoldenTensor.of(step.child("picture"))
        val (height, width, channels) = pixels.shape
        val picture = Picture(width, height, channels, pixels.byteValues())
        found.floats(GoldenTensor.of(step.child("expected")), Preprocess.image(picture, spec))
        val stored = step.childOrNull("stored")?.let { GoldenTensor.of(it) } ?: return
        val target = input ?: TensorSpec("", ElementType.named(stored.type), stored.shape, image = spec)
        found.integers(stored, Preprocess.tensor(picture, target))
    }

    private fun quantize(step: JsonObject, facts: ModelFacts?, found: Differences) {
        val real = GoldenTensor.of(step.child("real")).tensor()
        val stored = GoldenTensor.of(step.child("stored"))
        val spec = quantized(step, facts, stored)
        val scratch = Tensor.zeros(ElementType.named(stored.type), stored.shape)
        found.integers(stored, Quantizer.toStored(real, spec, scratch))
        val restored = Quantizer.fromStored(stored.tensor(), spec, Tensor.zeros(ElementType.FLOAT32, stored.shape))
        found.floats(GoldenTensor.of(step.child("restored")), restored.floats())
    }

    private fun quantized(step: JsonObject, facts: ModelFacts?, stored: GoldenTensor): TensorSpec {
        val own = step.childOrNull("spec")
        if (own == null) {
            val name = step.text("tensor")
            return if (step.text("side") == "input") known(facts).input(name) else known(facts).output(name)
        }
        return TensorSpec(
            "", ElementType.FLOAT32, stored.shape,
            storedType = ElementType.named(stored.type), quantization = SpecReader.quantization(own),
        )
    }

    private fun activation(step: JsonObject, facts: ModelFacts?, found: Differences) {
        val kind =
            step.childOrNull("spec")?.let { SpecReader.activation(it) }
                ?: known(facts).output(step.text("output")).postprocess?.activation
                ?: return found.wrong("the output has no rule")
        val raw = GoldenTensor.of(step.child("raw"))
        found.floats(
            GoldenTensor.of(step.child("expected")),
            Activations.apply(raw.tensor().toFloats(), raw.shape.lastOrNull() ?: 1, kind),
        )
    }

    private fun topClasses(step: JsonObject, facts: ModelFacts?, found: Differences) {
        val own = step.childOrNull("spec")
        val rule =
            own?.let { SpecReader.postprocess(it) }
                ?: known(facts).output(step.text("output")).postprocess
                ?: return found.wrong("the output has no rule")
        val labels = if (own == null) known(facts).labels else step.texts("labels")
        val scores = GoldenTensor.of(step.child("scores")).tensor().toFloats()
        val given = TopClasses.best(scores, rule.topK ?: scores.size, rule.threshold, labels)
        val expected = step.children("expected")
        if (given.size != expected.size) return found.wrong("expected ${expected.size} classes, got ${given.size}")
        for ((place, wanted) in expected.withIndex()) {
            found.named("class $place", given[place].index, given[place].label, wanted)
            found.float("score of class $place", given[place].score.toDouble(), wanted.number("score"))
        }
    }

    private fun detections(step: JsonObject, facts: ModelFacts?, found: Differences) {
        val own = step.childOrNull("spec")
        val spec =
            own?.let { SpecReader.detections(it) } ?: known(facts).detections ?: return found.wrong("the model has no boxes")
        val labels = if (own == null) known(facts).labels else step.texts("labels")
        val outputs = GoldenVectors.tensors(step.child("outputs")).mapValues { it.value.tensor() }
        val given = Boxes.detect(outputs, spec, labels)
        val expected = step.children("expected")
        if (given.size != expected.size) return found.wrong("expected ${expected.size} boxes, got ${given.size}")
        for ((place, wanted) in expected.withIndex()) {
            val one = given[place]
            found.named("box $place", one.index, one.label, wanted)
            val numbers =
                listOf(one.box.top, one.box.left, one.box.bottom, one.box.right, one.score) +
                    one.keypoints.flatMap { listOf(it.y, it.x) }
            val recorded = wanted.numbers("box") + wanted.number("score") + wanted.lists("keypoints").flatten()
            if (numbers.size != recorded.size) return found.wrong("box $place has ${numbers.size} numbers")
            for (index in numbers.indices) found.float("box $place", numbers[index], recorded[index])
        }
    }

    private fun known(facts: ModelFacts?): ModelFacts =
        facts ?: throw ModelError("the step needs facts of a model", "give them, or a spec in the step")
}

/** Collects how far values are off, and the first problem. */
private class Differences {
    var worst = 0.0
        private set
    var problem: String? = null
        private set

    fun wrong(what: String) {
        if (problem == null) problem = what
    }

    fun named(what: String, index: Int, label: String?, wanted: JsonObject) {
        if (index != wanted.integer("index") || label != wanted.textOrNull("label")) {
            wrong("$what: expected ${wanted.integer("index")} ${wanted.textOrNull("label")}, got $index $label")
        }
    }

    fun float(what: String, given: Double, wanted: Double) {
        // The same infinity is no difference, and NaN is NaN.
        if (given == wanted || (given.isNaN() && wanted.isNaN())) return
        note(what, abs(given - wanted) / maxOf(1.0, abs(wanted)), GoldenCheck.STEP_TOLERANCE, given, wanted)
    }

    fun floats(expected: GoldenTensor, given: FloatArray) {
        if (given.size != expected.size) return wrong("expected ${expected.size} values, got ${given.size}")
        for (index in 0 until expected.count) {
            val place = index * expected.stride
            float("value $place", given[place].toDouble(), expected.real(index))
        }
    }

    fun integers(expected: GoldenTensor, given: Tensor) {
        if (given.size != expected.size) return wrong("expected ${expected.size} values, got ${given.size}")
        for (index in 0 until expected.count) {
            val place = index * expected.stride
            val wanted = expected.real(index)
            val value = given.real(place)
            note("value $place", abs(value - wanted), GoldenCheck.INTEGER_TOLERANCE, value, wanted)
        }
    }

    private fun note(what: String, difference: Double, tolerance: Double, given: Double, wanted: Double) {
        // Written so that NaN is a problem.
        if (!(difference <= tolerance)) wrong("$what: expected $wanted, got $given")
        if (!(difference <= worst)) worst = difference
    }
}
