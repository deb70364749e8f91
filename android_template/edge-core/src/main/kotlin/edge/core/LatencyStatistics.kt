package edge.core

import kotlin.math.ceil

/** How long the last [capacity] calls took. Safe to read while another thread adds. */
class LatencyStatistics(private val capacity: Int = 256) {
    private val times = LongArray(capacity)
    private var next = 0

    /** How many calls the percentiles speak of. */
    @get:Synchronized
    var count: Int = 0
        private set

    init {
        require(capacity > 0) { "capacity is $capacity" }
    }

    /** Takes the time of one call. */
    @Synchronized
    fun add(nanoseconds: Long) {
        times[next] = nanoseconds
        next = (next + 1) % capacity
        count = minOf(count + 1, capacity)
    }

    /**
     * The time in milliseconds that [percent] of the calls did not exceed (nearest rank); NaN before the first.
     *
     * @param percent above 0, at most 100.
     */
    @Synchronized
    fun percentile(percent: Double): Double {
        require(percent > 0 && percent <= 100) { "$percent percent" }
        if (count == 0) return Double.NaN
        val sorted = times.copyOf(count)
        sorted.sort()
        return sorted[ceil(percent / 100 * count).toInt().coerceIn(1, count) - 1] / 1e6
    }

    @Synchronized
    fun clear() {
        count = 0
        next = 0
    }
}
