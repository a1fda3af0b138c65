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

/// CPU time of one thread. Any thread may read it.
public struct ThreadClock: Sendable {
    private let id: clockid_t

    /// Of the calling thread.
    public init() {
        var id = clockid_t()
        let code = pthread_getcpuclockid(pthread_self(), &id)
        precondition(code == 0, "this thread has no CPU clock: \(code)")
        self.id = id
    }

    /// So far; 0 once the thread has ended.
    public var nanoseconds: UInt64 { sl_clock_nanoseconds(id) }
    public var milliseconds: Double { Double(nanoseconds) / 1e6 }
}
