internal import Linux
internal import Synchronization

/// CPU time that other threads have spent on the jobs of one isolate. Any thread.
public final class CryptoUsage: Sendable {
    private struct Running {
        var job: Int
        /// Of the thread that does it, which lives as long as the process.
        var clock: ThreadClock
        var begin: UInt64

        /// Nanoseconds.
        var used: Double { max(0, Double(clock.nanoseconds) - Double(begin)) }
    }

    private struct State {
        var ended = 0.0
        /// No more than there are threads.
        var running: [Running] = []
    }

    /// How many there are at once.
    public static let threadsMax = CryptoThreads.threadsMax

    private let state = Mutex(State())

    public init() {}

    /// Of all jobs so far, and of the one that has run the longest of those that still do. Nanoseconds.
    public var now: (total: Double, longest: Double) {
        state.withLock { state in
            var (total, longest) = (state.ended, 0.0)
            for running in state.running {
                let used = running.used
                total += used
                longest = max(longest, used)
            }
            return (total, longest)
        }
    }

    /// Does what takes long, on the calling thread, and returns what it took. Nanoseconds.
    func measure(job: Int, _ body: () -> Void) -> Double {
        let clock = ThreadClock()
        let running = Running(job: job, clock: clock, begin: clock.nanoseconds)
        state.withLock { $0.running.append(running) }
        body()
        let used = running.used
        state.withLock { state in
            state.running.removeAll { $0.job == job }
            state.ended += used
        }
        return used
    }
}
