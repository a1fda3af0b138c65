/// How much of a core the word index may cost: indexing takes several times what storing does, and must not make a writer late that has much to store.
struct IndexBudget {
    /// What may be saved up for a burst. Nanoseconds of CPU time.
    static let savedMax: Int64 = 500_000_000

    private let share: Double
    private var saved = Self.savedMax
    /// CLOCK_MONOTONIC, nanoseconds.
    private var last: UInt64?

    /// - Parameter share: the part of a core.
    init(share: Double) { self.share = share }

    /// Whether something may be indexed now.
    mutating func hasRoom(_ now: UInt64) -> Bool {
        let earned = min(Double(now - (last ?? now)) * share, Double(Self.savedMax))
        last = now
        saved = min(Self.savedMax, saved + Int64(earned))
        return saved > 0
    }

    /// So much CPU time was spent.
    mutating func take(_ nanoseconds: UInt64) { saved -= Int64(nanoseconds) }
}
