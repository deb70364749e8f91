package edge.core

/** Sorting by score without objects. */
internal object Ranking {
    /**
     * The places 0 until [count], highest score first. Equal scores keep their order; 0.0 and -0.0 are equal,
     * as they are in NumPy and are not for Kotlin's own sorting. No score is NaN.
     */
    fun descending(scores: DoubleArray, count: Int): IntArray {
        var from = IntArray(count) { it }
        var to = IntArray(count)
        var run = 1
        while (run < count) {
            for (start in 0 until count step 2 * run) {
                merge(scores, from, to, start, minOf(start + run, count), minOf(start + 2 * run, count))
            }
            val merged = to
            to = from
            from = merged
            run *= 2
        }
        return from
    }

    private fun merge(scores: DoubleArray, from: IntArray, to: IntArray, start: Int, middle: Int, end: Int) {
        var left = start
        var right = middle
        for (place in start until end) {
            val takesRight = left >= middle || (right < end && scores[from[right]] > scores[from[left]])
            to[place] = from[if (takesRight) right++ else left++]
        }
    }
}
