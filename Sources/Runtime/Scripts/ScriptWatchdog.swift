internal import Engine
internal import Glibc
internal import Linux

/// Stops a script that uses more CPU time for a batch than it may: a thread that sleeps while no batch is run, and else until the time can be used up. It waits by
/// futex alone, which a confined process may.
final class ScriptWatchdog: @unchecked Sendable {
    // @unchecked: what changes is read and written under `lock`.

    private let isolate: IsolateHandle
    private let limit: UInt64
    /// Of the thread that runs the script.
    private let clock: ThreadClock
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private var isRunning = false
    private var isIdle = false
    private var isStopped = false
    private var startedAt: UInt64 = 0

    /// How long a stopped script is waited for before it is stopped again, nanoseconds: it may have caught the end of an earlier run.
    private static let pauseNanoseconds: UInt64 = 10_000_000

    /// Starts the thread, which lives as long as the process. Call on the isolate's thread.
    /// - Parameter cpuNanoseconds: of one run.
    init(_ isolate: IsolateHandle, cpuNanoseconds: UInt64) {
        self.isolate = isolate
        limit = cpuNanoseconds
        clock = ThreadClock()
        lock.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in Unmanaged<ScriptWatchdog>.fromOpaque(context!).takeRetainedValue().watch() },
            Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for the watchdog: \(code)")
        pthread_detach(thread)
    }

    /// A run begins.
    func begin() {
        pthread_mutex_lock(lock)
        startedAt = nanoseconds
        isRunning = true
        isStopped = false
        if isIdle {
            isIdle = false
            pthread_cond_signal(changed)
        }
        pthread_mutex_unlock(lock)
    }

    /// It is over. Whether it was stopped: the isolate is terminated then.
    func end() -> Bool {
        pthread_mutex_lock(lock)
        isRunning = false
        let isStopped = isStopped
        pthread_mutex_unlock(lock)
        return isStopped
    }

    /// CPU time of the script's thread.
    private var nanoseconds: UInt64 { clock.nanoseconds }

    private func watch() -> Never {
        pthread_mutex_lock(lock)
        while true {
            guard isRunning else {
                isIdle = true
                pthread_cond_wait(changed, lock)
                continue
            }
            let used = nanoseconds &- startedAt
            if used >= limit {
                isStopped = true
                isolate.terminate()
            }
            var until = timespec()
            clock_gettime(CLOCK_MONOTONIC, &until)
            let wait = UInt64(until.tv_nsec) + (used >= limit ? Self.pauseNanoseconds : max(limit - used, 100_000))
            until.tv_sec += Int(wait / 1_000_000_000)
            until.tv_nsec = Int(wait % 1_000_000_000)
            pthread_cond_timedwait(changed, lock, &until)
        }
    }
}
