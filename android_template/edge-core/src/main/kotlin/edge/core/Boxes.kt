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
        val width = 4 + 2 * spec.keypoints
        val raw = named(outputs, spec.boxes)
        val anchors = anchors(spec)
        val count = raw.size / width
        if (count == 0 || raw.size % width != 0 || (anchors.isNotEmpty() && anchors.size / 4 != count)) {
            throw ModelError(
                "output ${spec.boxes} has ${raw.size} values",
                "boxes are $width numbers each, for ${anchors.size / 4} anchors",
            )
        }
        val scores = named(outputs, spec.scores)
        if (scores.size == 0 || scores.size % count != 0) {
            throw ModelError("output ${spec.scores} has ${scores.size} values", "each of $count boxes needs a score")
        }
        val classes = scores.size / count
        val activated =
            if (spec.activation == Activation.NONE) {
                DoubleArray(scores.size) { scores.real(it) }
            } else {
                val active = Activations.apply(scores.floats(), classes, spec.activation)
                DoubleArray(active.size) { active[it].toDouble() }
            }
        val given = spec.classes?.let { named(outputs, it) }
        val end = spec.count?.let { meant(named(outputs, it).real(0), count) } ?: count
        val shapes = arrayOfNulls<DoubleArray>(end)
        val best = DoubleArray(end)
        val index = IntArray(end)
        val kept = ArrayList<Int>()
        for (place in 0 until end) {
            if (given != null) {
                best[place] = activated[place]
                index[place] = given.real(place).let { if (it.isNaN()) -1 else round(it).toInt() }
            } else {
                best[place] = bestClass(activated, place * classes, classes, spec.background, index, place)
            }
            // Written so that NaN, in a score or a corner, leaves a box out.
            if (!(best[place] >= spec.threshold)) continue
            val shape = decode(raw, place * width, width, spec, anchors, place)
            if (shape[2] > shape[0] && shape[3] > shape[1] && shape.all { it.isFinite() }) {
                shapes[place] = shape
                kept += place
            }
        }
        // Not compareTo: it puts 0.0 above -0.0, which are equal to everybody else.
        val order = kept.sortedWith { one, other -> if (best[one] > best[other]) -1 else if (best[one] < best[other]) 1 else 0 }
        return suppress(order, shapes, best, index, spec).map { (place, shape) ->
            Detection(
                Box(shape[1], shape[0], shape[3], shape[2]),
                index[place],
                labels.getOrNull(index[place]),
                best[place],
                List(spec.keypoints) { point -> Point(shape[5 + 2 * point], shape[4 + 2 * point]) },
            )
        }
    }

    private fun named(outputs: Map<String, Tensor>, name: String): Tensor =
        outputs[name] ?: throw ModelError("there is no output $name", "there are ${outputs.keys}")

    private fun meant(count: Double, most: Int): Int =
        if (count.isFinite()) count.coerceIn(0.0, most.toDouble()).toInt() else 0

    /** x and y of the centre, width, height of each anchor, one after the other. */
    private fun anchors(spec: DetectionSpec): DoubleArray {
        val out = DoubleArray(4 * spec.anchors.sumOf { it.rows * it.columns * it.sizes.size })
        var to = 0
        for (grid in spec.anchors) {
            for (row in 0 until grid.rows) {
                for (column in 0 until grid.columns) {
                    for (size in grid.sizes) {
                        out[to++] = (column + 0.5) / grid.columns
                        out[to++] = (row + 0.5) / grid.rows
                        out[to++] = size.width
                        out[to++] = size.height
                    }
                }
            }
        }
        return out
    }

    private fun bestClass(
        scores: DoubleArray, start: Int, classes: Int, background: Int?, index: IntArray, place: Int,
    ): Double {
        var highest = Double.NEGATIVE_INFINITY
        for (candidate in 0 until classes) {
            if (candidate == background && classes > 1) continue
            val score = scores[start + candidate]
            if (score > highest) {
                highest = score
                index[place] = candidate
            }
        }
        return highest
    }

    /** Left, top, right, bottom, then x and y of each keypoint. */
    private fun decode(
        raw: Tensor, start: Int, width: Int, spec: DetectionSpec, anchors: DoubleArray, place: Int,
    ): DoubleArray {
        val out = DoubleArray(width)
        val swap = spec.form.yFirst
        for (pair in 0 until width / 2) {
            for (part in 0..1) {
                val from = 2 * pair + part
                val scale = spec.boxScale[if (pair < 2) from else part]
                out[2 * pair + (if (swap) 1 - part else part)] = raw.real(start + from) / scale
            }
        }
        if (anchors.isNotEmpty()) {
            val at = 4 * place
            for (part in 0..1) {
                val size = anchors[at + 2 + part]
                out[part] = out[part] * size + anchors[at + part]
                out[2 + part] = (if (spec.exponential) exp(out[2 + part]) else out[2 + part]) * size
                for (point in 4 + part until width step 2) out[point] = out[point] * size + anchors[at + part]
            }
        }
        for (part in 0..1) {
            if (spec.form.centred) {
                val half = out[2 + part] / 2
                val centre = out[part]
                out[part] = centre - half
                out[2 + part] = centre + half
            } else if (spec.form == DetectionSpec.Form.XYWH) {
                out[2 + part] = out[part] + out[2 + part]
            }
        }
        return out
    }

    private fun suppress(
        order: List<Int>, shapes: Array<DoubleArray?>, scores: DoubleArray, classes: IntArray, spec: DetectionSpec,
    ): List<Pair<Int, DoubleArray>> {
        val found = ArrayList<Pair<Int, DoubleArray>>()
        var left = order
        while (left.isNotEmpty() && found.size < spec.limit) {
            val first = left[0]
            val shape = shapes[first]!!
            if (spec.suppression == DetectionSpec.Suppression.NONE) {
                found += first to shape
                left = left.subList(1, left.size)
                continue
            }
            val (same, others) =
                left.partition { place ->
                    place == first ||
                        (classes[place] == classes[first] && overlap(shape, shapes[place]!!) > spec.overlap)
                }
            val weighted = spec.suppression == DetectionSpec.Suppression.WEIGHTED
            found += first to (if (weighted) average(same, shapes, scores) ?: shape else shape)
            left = others
        }
        return found
    }

    private fun average(group: List<Int>, shapes: Array<DoubleArray?>, scores: DoubleArray): DoubleArray? {
        val total = group.sumOf { scores[it] }
        // All scores may be 0 where the threshold is.
        if (!(total > 0)) return null
        val out = DoubleArray(shapes[group[0]]!!.size)
        for (place in group) for (part in out.indices) out[part] += shapes[place]!![part] * scores[place]
        for (part in out.indices) out[part] /= total
        return out
    }

    private fun overlap(one: DoubleArray, other: DoubleArray): Double {
        val wide = max(min(one[2], other[2]) - max(one[0], other[0]), 0.0)
        val tall = max(min(one[3], other[3]) - max(one[1], other[1]), 0.0)
        val common = wide * tall
        val union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - common
        return if (union > 0) common / union else 0.0
    }
}
