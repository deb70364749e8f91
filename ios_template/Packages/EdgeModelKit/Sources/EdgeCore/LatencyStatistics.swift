/// How long the last calls took.
public struct LatencyStatistics: Sendable {
    private var times: [Duration] = []
    private var next = 0
    private let capacity: Int

    /// - Parameter capacity: how many calls are remembered, at least 1.
    public init(capacity: Int = 256) {
        precondition(capacity > 0, "capacity is \(capacity)")
        self.capacity = capacity
    }

    /// How many calls the percentiles speak of.
    public var count: Int { times.count }

    /// Takes the time of one call.
    public mutating func add(_ time: Duration) {
        if times.count < capacity { times.append(time) } else { times[next] = time }
        next = (next + 1) % capacity
    }

    /// The time in milliseconds that `percent` of the calls did not exceed (nearest rank); NaN before the first.
    ///
    /// - Parameter percent: above 0, at most 100.
    public func percentile(_ percent: Double) -> Double {
        precondition(percent > 0 && percent <= 100, "\(percent) percent")
        if times.isEmpty { return .nan }
        let rank = Int((percent / 100 * Double(count)).rounded(.up))
        return times.sorted()[min(max(rank, 1), count) - 1] / .milliseconds(1)
    }

    public mutating func clear() {
        times = []
        next = 0
    }
}
