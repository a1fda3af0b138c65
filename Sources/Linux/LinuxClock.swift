internal import CLinux
internal import Glibc
public import System

/// The machine's clocks.
public struct LinuxClock: SystemClock {
    public init() {}

    public func monotonicNanoseconds() -> UInt64 { sl_clock_nanoseconds(CLOCK_MONOTONIC) }
    public func unixNanoseconds() -> UInt64 { sl_clock_nanoseconds(CLOCK_REALTIME) }

    /// CPU time of this process so far, all threads, nanoseconds.
    public func processNanoseconds() -> UInt64 { sl_clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }
}
