package edge.core

/** A class and how sure the model is of it. */
data class ScoredClass(
    val index: Int,
    val label: String?,
    val score: Float,
)

/** The best classes of one row of scores. */
object TopClasses {
    /**
     * The best classes, best first; equal scores keep their order, NaN is never a class.
     *
     * @param threshold classes below it are left out; 0.0 leaves out none.
     * @param labels names by index; may be shorter than the scores.
     */
    fun best(scores: FloatArray, topK: Int, threshold: Double, labels: List<String>): List<ScoredClass> {
        val kept = DoubleArray(scores.size)
        val places = IntArray(scores.size)
        var count = 0
        for (index in scores.indices) {
            val score = scores[index].toDouble()
            if (score.isNaN() || (threshold != 0.0 && score < threshold)) continue
            kept[count] = score
            places[count++] = index
        }
        val order = Ranking.descending(kept, count)
        return List(minOf(topK, count)) { rank ->
            val index = places[order[rank]]
            ScoredClass(index, labels.getOrNull(index), scores[index])
        }
    }
}
