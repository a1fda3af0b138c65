import Glibc

/// A state behind a mutex, with a condition to wait on: `Synchronization.Mutex` has none. Deadlines are of CLOCK_MONOTONIC, which Dispatch and
/// semaphores do not offer. Any thread.
public final class Monitor<State>: @unchecked Sendable {
    // @unchecked: `state` is touched only with the mutex held.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Wakes all who wait.
    public func wake() { pthread_cond_broadcast(condition) }

    /// What a waiter wants next.
    public enum Wait<Result> {
        case done(Result)
        case untilWoken
        /// CLOCK_MONOTONIC, nanoseconds.
        case until(UInt64)
    }

    /// Calls `body`, sleeping in between, until it is done.
    public func wait<Result>(_ body: (inout State) -> Wait<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .done(let result): return result
            case .untilWoken: pthread_cond_wait(condition, mutex)
            case .until(let time): _ = sleep(until: time)
            }
        }
    }

    /// False: the time is over. With the mutex held.
    private func sleep(until time: UInt64) -> Bool {
        let seconds = min(time / 1_000_000_000, UInt64(Int32.max))
        var limit = timespec(tv_sec: Int(seconds), tv_nsec: Int(time % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &limit) != ETIMEDOUT
    }
}

/// Opens once, and lets wait until then.
extension Monitor where State == Bool {
    /// Closed.
    public convenience init() { self.init(false) }

    public func open() {
        withLock { $0 = true }
        wake()
    }

    /// Whether it was open before `deadline` (CLOCK_MONOTONIC, nanoseconds).
    @discardableResult
    public func wait(until deadline: UInt64) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !state {
            if !sleep(until: deadline) { return state }
        }
        return true
    }
}

/// Starts a thread that nobody joins; false when the system has none left, and errno says why.
public func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failure = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard failure == 0 else {
        box.release()
        errno = failure
        return false
    }
    pthread_detach(thread)
    return true
}
