/// So many at once, and so many a second.
public struct TokenBucket: Sendable {
    private let burst: Int
    private let perSecond: Int
    private var tokens: Int
    private var filled: UInt64

    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    public init(burst: Int, perSecond: Int, now: UInt64) {
        self.burst = burst
        self.perSecond = perSecond
        tokens = burst
        filled = now
    }

    /// False: there is none left.
    public mutating func take(now: UInt64) -> Bool {
        if tokens > 0 {
            tokens -= 1
            return true
        }
        // Only when empty: a look at the clock's distance costs a division.
        let elapsed = min(now &- filled, 1_000_000_000 * 60)
        tokens = min(burst, Int(elapsed) / 1_000_000 * perSecond / 1_000)
        guard tokens > 0 else { return false }
        filled = now
        tokens -= 1
        return true
    }
}
