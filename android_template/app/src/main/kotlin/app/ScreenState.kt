package [[ options.application_id ]]

[% if "camera" in flags %]
import android.graphics.Bitmap
import edge.core.Detection
import edge.core.ImageSpec
[% endif %]
import edge.core.LatencyStatistics
import edge.core.Meaning
import edge.core.RunReport
import edge.core.ScoredClass
import edge.core.Tensor
import java.util.Locale

/** All that the screen shows. */
data class ScreenState(
    val busy: Boolean = false,
    val report: RunReport? = null,
    val result: Result? = null,
    val latency: Latency? = null,
    /** What the self-test found wrong; null before it ran. */
    val selfTest: List<String>? = null,
    val problem: Problem? = null,
[% if "camera" in flags %]
    val camera: Boolean = false,
[% endif %]
)

/** What went wrong, and what to do. */
data class Problem(
    val reason: String,
    val remedy: String,
)

/** How long the last calls of the model took, in milliseconds. */
data class Latency(
    val calls: Int,
    val p50: Double,
    val p90: Double,
) {
    constructor(statistics: LatencyStatistics) : this(statistics.count, statistics.percentile(50.0), statistics.percentile(90.0))
}

[% if "camera" in flags %]
/** What the model said of a picture: of the one shown here, or of the camera's last frame. */
class Result(
    val lines: List<String>,
    val boxes: List<LabelledBox>,
    /** Width of the picture by its height. */
    val aspectRatio: Float,
    val picture: Bitmap?,
)

/** A box as shares of the picture, not outside of it. */
data class LabelledBox(
    val left: Float,
    val top: Float,
    val right: Float,
    val bottom: Float,
    val title: String,
) {
    companion object {
        /**
         * Where a detection lies in the picture that the model's input was made from.
         *
         * @param mirrored whether the picture is shown as in a mirror.
         */
        fun of(found: Detection, rows: Int, columns: Int, spec: ImageSpec, mirrored: Boolean): LabelledBox {
            val box = found.box.inPicture(rows, columns, spec)
            val left = if (mirrored) 1 - box.right else box.left
            val right = if (mirrored) 1 - box.left else box.right
            val title = title(found.label, found.index, found.score)
            return LabelledBox(share(left), share(box.top), share(right), share(box.bottom), title)
        }

        private fun share(value: Double): Float = value.coerceIn(0.0, 1.0).toFloat()
    }
}
[% else %]
/** What the model said. */
class Result(val lines: List<String>)
[% endif %]

/** What outputs mean, line by line. */
fun lines(meaning: Meaning): List<String> =
    buildList {
        meaning.detections?.forEach { add(title(it.label, it.index, it.score)) }
        for (classes in meaning.classes.values) classes.mapTo(this) { title(it) }
        for ((name, tensor) in meaning.tensors) add("$name ${tensor.type.contractName}${tensor.shape}: ${values(tensor)}")
    }

private fun title(found: ScoredClass): String = title(found.label, found.index, found.score.toDouble())

/** A class and its score; scores between 0 and 1 as a percentage. */
fun title(label: String?, index: Int, score: Double): String {
    val number =
        if (score in 0.0..1.0) {
            String.format(Locale.getDefault(), "%.1f %%", 100 * score)
        } else {
            String.format(Locale.getDefault(), "%.3f", score)
        }
    return "${label ?: "#$index"}  $number"
}

private fun values(tensor: Tensor): String {
    val shown = minOf(tensor.size, MOST_VALUES)
    val first = (0 until shown).joinToString { String.format(Locale.getDefault(), "%.4g", tensor.real(it)) }
    return if (tensor.size > shown) "$first, ..." else first
}

private const val MOST_VALUES = 8
