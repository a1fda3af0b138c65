/// How long to wait before the next try, and which answers are worth one.
///
/// OTLP/HTTP, "Failures" and "OTLP/HTTP Throttling" <https://opentelemetry.io/docs/specs/otlp/#failures-1>.
public struct RetryPolicy: Sendable, Hashable {
    /// Nanoseconds.
    public var firstDelay: UInt64 = 200_000_000
    /// Nanoseconds. Low, because an exporter sends one probe at a time while its backend is away.
    public var delayMax: UInt64 = 5_000_000_000
    /// Nanoseconds, for as long as no connection comes about: that it does again is to be noticed within a second, and asking costs a packet.
    public var unreachableDelayMax: UInt64 = 1_000_000_000
    /// The longest `Retry-After` that is honoured, nanoseconds: a backend must not be able to silence us for good.
    public var retryAfterMax: UInt64 = 300_000_000_000

    public init() {}

    /// Nanoseconds to wait after the `attempt`th failure in a row (from 1): the doubled delay, of which the upper
    /// half is left to chance. `random` is any 64 random bits.
    public func delay(attempt: Int, random: UInt64) -> UInt64 {
        precondition(attempt > 0, "attempt \(attempt)")
        let doubled = firstDelay.multipliedReportingOverflow(by: 1 << UInt64(min(attempt - 1, 62)))
        let whole = doubled.overflow ? delayMax : min(doubled.partialValue, delayMax)
        let half = whole / 2
        return half + (half == 0 ? 0 : random.multipliedFullWidth(by: whole - half + 1).high)
    }

    /// What a status means for the export.
    public enum Verdict: Hashable, Sendable {
        case accepted
        /// Try again, not before this many nanoseconds have passed when the backend says so.
        case retry(after: UInt64?)
        case refused
        case tooLarge
    }

    /// Judges a response. `retryAfter` is the header's text; `unixSeconds` the present, for a date in it.
    ///
    /// 401, 403, 407, 408, 500 and those that no specification of HTTP/1.1 knows are tried again, too, which OTLP forbids: backends of every protocol answer 500
    /// while their storage is away or they are being started, a token that has run out is replaced, and who was told that their data is kept would lose it.
    public func verdict(status: Int, retryAfter: String?, unixSeconds: Int64) -> Verdict {
        switch status {
        case 200..<300: .accepted
        case 413: .tooLarge
        case 429, 502, 503, 504:
            .retry(after: retryAfter.flatMap { retryAfterNanoseconds($0, unixSeconds: unixSeconds) })
        case 401, 403, 407, 408, 500, 506...599: .retry(after: nil)
        default: .refused
        }
    }

    /// `Retry-After` in both its forms (RFC 9110, section 10.2.3), at most `retryAfterMax`; nil when it is neither.
    func retryAfterNanoseconds(_ text: String, unixSeconds: Int64) -> UInt64? {
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) } && !text.isEmpty
        let seconds: Int64
        if digits {
            seconds = Int64(text) ?? .max
        } else if let date = HTTPDate.parse(text) {
            seconds = max(0, date - unixSeconds)
        } else {
            return nil
        }
        return min(UInt64(min(seconds, 1 << 30)) * 1_000_000_000, retryAfterMax)
    }
}
