/// The clocks of this machine, as a seam for tests.
public protocol SystemClock: Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    func monotonicNanoseconds() -> UInt64
    /// CLOCK_REALTIME, nanoseconds since the Unix epoch.
    func unixNanoseconds() -> UInt64
}
