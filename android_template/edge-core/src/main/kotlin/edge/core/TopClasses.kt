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
        val floor = if (threshold != 0.0) threshold else Double.NEGATIVE_INFINITY
        return scores.indices
            .sortedWith { one, other -> byScore(scores[one], scores[other]) }
            .take(topK)
            .filter { scores[it].toDouble() >= floor }
            .map { ScoredClass(it, labels.getOrNull(it), scores[it]) }
    }

    /** Higher first, NaN last; sorting is stable. 0.0 and -0.0 are equal here, as they are in NumPy. */
    private fun byScore(one: Float, other: Float): Int =
        when {
            one.isNaN() || other.isNaN() -> one.isNaN().compareTo(other.isNaN())
            one > other -> -1
            one < other -> 1
            else -> 0
        }
}
