/// So many tokens a second, with a burst of one second's worth.
final class TokenBucket {
    private let perSecond: Double
    private let capacity: Double
    private var tokens: Double
    private var last: UInt64?

    init(perSecond: Double) {
        self.perSecond = max(perSecond, 0)
        // Below one a second it takes longer than a second to save up for one.
        capacity = perSecond > 0 ? max(perSecond, 1) : 0
        tokens = capacity
    }

    /// - Parameter now: nanoseconds; a time before the last one counts as the last.
    func take(now: UInt64) -> Bool {
        if let last, now > last { tokens = min(capacity, tokens + Double(now - last) * 1e-9 * perSecond) }
        last = max(last ?? now, now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
