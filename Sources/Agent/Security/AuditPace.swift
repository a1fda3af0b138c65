internal import System
internal import Telemetry

/// How much of one kind is put on record. Old entries go when there are too many, so whoever is refused again and again must not be able to have them go.
struct AuditPace {
    private var bucket: TokenBucket
    private var skipped: Int64 = 0

    /// - Parameters:
    ///   - burst: At once.
    ///   - now: CLOCK_MONOTONIC, nanoseconds.
    init(burst: Int, perSecond: Int, now: UInt64) {
        bucket = TokenBucket(burst: burst, perSecond: perSecond, now: now)
    }

    /// What an entry has to say besides: how many before it were left out. Nil: it is itself.
    mutating func take(now: UInt64) -> Attributes? {
        guard bucket.take(now: now) else {
            skipped += 1
            return nil
        }
        defer { skipped = 0 }
        return skipped > 0 ? [Attribute("sidelight.audit.skipped", .int(skipped))] : []
    }
}
