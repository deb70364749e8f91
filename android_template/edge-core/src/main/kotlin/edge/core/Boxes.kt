package edge.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** A corner or a keypoint, as shares of the model's input picture. */
data class Point(
    val y: Double,
    val x: Double,
)

/** A rectangle as shares of a picture; may lie outside of it. */
data class Box(
    val top: Double,
    val left: Double,
    val bottom: Double,
    val right: Double,
) {
    /** Where this box of the model's input lies in the picture that the input was made from. */
    fun inPicture(rows: Int, columns: Int, spec: ImageSpec): Box {
        val place = Placement.of(rows, columns, spec)
        val tall = place.sourceRows.toDouble() / place.rows
        val wide = place.sourceColumns.toDouble() / place.columns

        fun y(share: Double) = (place.sourceTop + (share * spec.height - place.top) * tall) / rows

        fun x(share: Double) = (place.sourceLeft + (share * spec.width - place.left) * wide) / columns
        return Box(y(top), x(left), y(bottom), x(right))
    }
}

/** One thing in a picture. */
data class Detection(
    val box: Box,
    val index: Int,
    val label: String?,
    val score: Double,
    val keypoints: List<Point>,
)

/** From output tensors to boxes: the steps of docs/reference/contract.md, in double, in its order. */
object Boxes {
    /** Boxes of one sample, best first. [outputs] are real numbers with a batch of one. */
    fun detect(outputs: Map<String, Tensor>, spec: DetectionSpec, labels: List<String>): List<Detection> {
        val given = DetectionTensors.of(outputs, spec)
        val best = DoubleArray(given.meant)
        val index = IntArray(given.meant)
        val scores = BoxScores(given, spec)
        val decoder = BoxDecoder(given.boxes, spec)
        val width = 4 + 2 * spec.keypoints
        // What stays is moved together at the front of these three.
        var shapes = DoubleArray(width * min(given.meant, 64))
        var count = 0
        for (place in 0 until given.meant) {
            scores.find(place)
            // Written so that NaN, in a score or a corner, leaves a box out.
            if (!(scores.best >= spec.threshold)) continue
            if (shapes.size < (count + 1) * width) shapes = shapes.copyOf(min(2 * count, given.meant) * width)
            val at = count * width
            decoder.decode(place, shapes, at)
            if (!(shapes[at + 2] > shapes[at] && shapes[at + 3] > shapes[at + 1])) continue
            if (!finite(shapes, at, width)) continue
            best[count] = scores.best
            index[count++] = scores.index
        }
        return BoxSuppression(shapes, width, best, index, spec).run(Ranking.descending(best, count)) { place, shape, at ->
            Detection(
                Box(shape[at + 1], shape[at], shape[at + 3], shape[at + 2]),
                index[place],
                labels.getOrNull(index[place]),
                best[place],
                List(spec.keypoints) { point -> Point(shape[at + 5 + 2 * point], shape[at + 4 + 2 * point]) },
            )
        }
    }

    private fun finite(shapes: DoubleArray, at: Int, width: Int): Boolean {
        for (index in at until at + width) if (!shapes[index].isFinite()) return false
        return true
    }
}

/**
 * The tensors that boxes are made of, checked against each other.
 *
 * @param count how many boxes there are, [meant] how many of them count, [classes] how many scores each has.
 */
internal class DetectionTensors private constructor(
    val boxes: Tensor,
    val scores: Tensor,
    val indices: Tensor?,
    val count: Int,
    val meant: Int,
    val classes: Int,
) {
    companion object {
        fun of(outputs: Map<String, Tensor>, spec: DetectionSpec): DetectionTensors {
            val width = 4 + 2 * spec.keypoints
            val boxes = named(outputs, spec.boxes)
            val batched = boxes.shape.size > 2
            if (boxes.shape.size < 2 || boxes.shape.last() != width || (batched && boxes.shape[0] != 1)) {
                throw wrong(spec.boxes, boxes, "boxes are [1, N, $width]: four numbers and ${spec.keypoints} keypoints")
            }
            val count = boxes.size / width
            if (spec.anchors.isNotEmpty() && spec.anchorTable.size / 4 != count) {
                throw wrong(spec.boxes, boxes, "there are ${spec.anchorTable.size / 4} anchors")
            }
            val scores = named(outputs, spec.scores)
            if (count == 0 || scores.size == 0 || scores.size % count != 0) {
                throw wrong(spec.scores, scores, "each of $count boxes needs a score")
            }
            val classes = scores.size / count
            val indices = spec.classes?.let { named(outputs, it) }
            if (indices != null && (indices.size != count || classes != 1)) {
                throw wrong(spec.classes, indices, "$count boxes have a class and one score each")
            }
            val meant = spec.count?.let { meant(it, named(outputs, it), count) } ?: count
            return DetectionTensors(boxes, scores, indices, count, meant, classes)
        }

        private fun named(outputs: Map<String, Tensor>, name: String): Tensor =
            outputs[name] ?: throw ModelError("there is no output $name", "there are ${outputs.keys}")

        private fun meant(name: String, tensor: Tensor, most: Int): Int {
            if (tensor.size < 1) throw wrong(name, tensor, "it tells how many boxes count")
            val count = tensor.real(0)
            return if (count.isFinite()) count.coerceIn(0.0, most.toDouble()).toInt() else 0
        }

        private fun wrong(name: String, tensor: Tensor, why: String) =
            ModelError("output $name has shape ${tensor.shape}", why)
    }
}

/** Finds each box's best class, the lowest index of equal ones. */
private class BoxScores(
    private val given: DetectionTensors,
    private val spec: DetectionSpec,
) {
    private val classes = given.classes
    private val indices = given.indices
    private val skipped = if (classes > 1) spec.background ?: -1 else -1

    /** Softmax needs whole rows; the sigmoid of a score is taken where it may be the best one. */
    private val values: FloatArray? =
        when {
            spec.activation == Activation.SOFTMAX -> Activations.softmax(given.scores.toFloats(), classes)
            spec.activation == Activation.SIGMOID -> given.scores.toFloats()
            else -> (given.scores as? Tensor.Floats)?.values
        }
    private val sigmoid = spec.activation == Activation.SIGMOID

    var best = 0.0
        private set
    var index = 0
        private set

    fun find(place: Int) {
        if (indices != null) {
            best = active(raw(place))
            index = indices.real(place).let { if (it.isNaN()) -1 else round(it).toInt() }
            return
        }
        best = Double.NEGATIVE_INFINITY
        index = 0
        var highest = Double.NaN
        for (candidate in 0 until classes) {
            if (candidate == skipped) continue
            val raw = raw(place * classes + candidate)
            // What is not above the highest number before it has no higher sigmoid, either.
            if (raw.isNaN() || raw <= highest) continue
            highest = raw
            val score = active(raw)
            if (score > best) {
                best = score
                index = candidate
            }
        }
    }

    private fun raw(at: Int): Double = values?.let { it[at].toDouble() } ?: given.scores.real(at)

    private fun active(raw: Double): Double = if (sigmoid) Activations.sigmoid(raw.toFloat()).toDouble() else raw
}

/** Makes left, top, right, bottom, then x and y of each keypoint, out of a box's numbers. */
private class BoxDecoder(
    private val raw: Tensor,
    private val spec: DetectionSpec,
) {
    private val width = 4 + 2 * spec.keypoints
    private val swap = if (spec.form.yFirst) 1 else 0
    private val scale = spec.boxScale.toDoubleArray()
    private val anchors = if (spec.anchors.isEmpty()) null else spec.anchorTable

    fun decode(place: Int, out: DoubleArray, at: Int) {
        for (from in 0 until width) {
            // A keypoint is divided like the first two numbers; x comes first in what is made.
            out[at + (from xor swap)] = raw.real(place * width + from) / scale[if (from < 4) from else from and 1]
        }
        if (anchors != null) {
            for (part in 0..1) {
                val centre = anchors[4 * place + part]
                val size = anchors[4 * place + 2 + part]
                out[at + part] = out[at + part] * size + centre
                out[at + 2 + part] = (if (spec.exponential) exp(out[at + 2 + part]) else out[at + 2 + part]) * size
                for (point in at + 4 + part until at + width step 2) out[point] = out[point] * size + centre
            }
        }
        for (part in at..at + 1) {
            if (spec.form.centred) {
                val half = out[part + 2] / 2
                out[part + 2] = out[part] + half
                out[part] -= half
            } else if (spec.form == DetectionSpec.Form.XYWH) {
                out[part + 2] += out[part]
            }
        }
    }
}

/** Leaves one box of several that show the same thing. */
private class BoxSuppression(
    private val shapes: DoubleArray,
    private val width: Int,
    private val scores: DoubleArray,
    private val classes: IntArray,
    private val spec: DetectionSpec,
) {
    private val average = DoubleArray(width)

    /** Calls [make] with place, shape and where it begins, for each box that remains; [order] is best first. */
    fun run(order: IntArray, make: (Int, DoubleArray, Int) -> Detection): List<Detection> {
        val found = ArrayList<Detection>()
        val weighted = spec.suppression == DetectionSpec.Suppression.WEIGHTED
        var left = order.size
        while (left > 0 && found.size < spec.limit) {
            val first = order[0]
            average.fill(0.0)
            var total = if (weighted) add(first) else 0.0
            var others = 0
            for (next in 1 until left) {
                val place = order[next]
                val goes =
                    spec.suppression != DetectionSpec.Suppression.NONE &&
                        classes[place] == classes[first] &&
                        overlap(first * width, place * width) > spec.overlap
                if (!goes) {
                    order[others++] = place
                } else if (weighted) {
                    total += add(place)
                }
            }
            // All scores may be 0 where the threshold is.
            if (weighted && total > 0) {
                for (part in average.indices) average[part] /= total
                found += make(first, average, 0)
            } else {
                found += make(first, shapes, first * width)
            }
            left = others
        }
        return found
    }

    private fun add(place: Int): Double {
        for (part in average.indices) average[part] += shapes[place * width + part] * scores[place]
        return scores[place]
    }

    /** Intersection over union; an infinite area overlaps with nothing. */
    private fun overlap(one: Int, other: Int): Double {
        val wide = max(min(shapes[one + 2], shapes[other + 2]) - max(shapes[one], shapes[other]), 0.0)
        val tall = max(min(shapes[one + 3], shapes[other + 3]) - max(shapes[one + 1], shapes[other + 1]), 0.0)
        val common = wide * tall
        val union = area(one) + area(other) - common
        return if (union > 0) common / union else 0.0
    }

    private fun area(at: Int): Double = (shapes[at + 2] - shapes[at]) * (shapes[at + 3] - shapes[at + 1])
}
