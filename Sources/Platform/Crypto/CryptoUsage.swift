internal import Glibc
internal import Synchronization

/// CPU time that other threads have spent on the jobs of one isolate. Any thread.
public final class CryptoUsage: Sendable {
    private struct Running {
        var job: Int
        /// Of the thread that does it, which lives as long as the process.
        var clock: clockid_t
        var begin: Double
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
                let used = max(0, Self.nanoseconds(running.clock) - running.begin)
                total += used
                longest = max(longest, used)
            }
            return (total, longest)
        }
    }

    /// Does what takes long, on the calling thread, and returns what it took. Nanoseconds.
    func measure(job: Int, _ body: () -> Void) -> Double {
        var clock = clockid_t()
        pthread_getcpuclockid(pthread_self(), &clock)
        let begin = Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID)
        state.withLock { $0.running.append(Running(job: job, clock: clock, begin: begin)) }
        body()
        let used = max(0, Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID) - begin)
        state.withLock { state in
            state.running.removeAll { $0.job == job }
            state.ended += used
        }
        return used
    }

    private static func nanoseconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
