/// When something that fails again and again is spoken of: at the first failure in a row, and when it works again after one that was told of, but not more often
/// than every few minutes. Pure.
public struct FailureNotices: Sendable {
    /// Between two failures that are told of.
    private static let quietNanoseconds: UInt64 = 300_000_000_000

    private var toldAt: UInt64?
    private var isTold = false

    public init() {}

    /// It has failed: whether to say so.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    public mutating func tellsFailure(now: UInt64) -> Bool {
        guard !isTold, toldAt.map({ now &- $0 >= Self.quietNanoseconds }) ?? true else { return false }
        (isTold, toldAt) = (true, now)
        return true
    }

    /// It works: whether to say so.
    public mutating func tellsSuccess() -> Bool {
        defer { isTold = false }
        return isTold
    }
}
