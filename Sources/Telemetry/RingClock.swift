/// Turns ring times into Unix time. The agent makes a new one from its own readings of both clocks before it reads a ring, so
/// a stepped wall clock moves later spans and never bends one. Record-format.md section 1.
public struct RingClock: Sendable {
    /// Unix time of ring time 0, nanoseconds.
    public let unixAtRingZero: Int64

    /// - Parameters:
    ///   - monotonicBase: CLOCK_MONOTONIC at ring time 0, nanoseconds (`RingMapping.monotonicBase`).
    ///   - monotonic: CLOCK_MONOTONIC now.
    ///   - unix: CLOCK_REALTIME now.
    public init(monotonicBase: Double, monotonic: UInt64, unix: UInt64) {
        unixAtRingZero = Int64(clamping: unix) - (Int64(clamping: monotonic) - Int64(monotonicBase))
    }

    /// How far two readings may differ without the wall clock having been stepped: the two clocks are not read at one instant. Nanoseconds.
    static let stepMinimum: UInt64 = 1_000_000

    /// `next` when it tells of a step, else this one, so that spans of one run keep their order to the nanosecond.
    public func stepped(to next: RingClock) -> RingClock {
        (next.unixAtRingZero - unixAtRingZero).magnitude >= Self.stepMinimum ? next : self
    }

    public init(unixAtRingZero: Int64) { self.unixAtRingZero = unixAtRingZero }

    /// Nanoseconds since the Unix epoch, or nil when the ring time is not finite or leads out of range.
    @inline(__always)
    public func unixNanoseconds(_ ringTime: Double) -> UInt64? {
        // Comparisons are false for NaN.
        guard ringTime > -4e18, ringTime < 4e18 else { return nil }
        let (sum, overflow) = unixAtRingZero.addingReportingOverflow(Int64(ringTime))
        return overflow || sum < 0 ? nil : UInt64(bitPattern: sum)
    }
}
