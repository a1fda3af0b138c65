import Glibc

/// Opens once and lets wait until then, with a deadline on CLOCK_MONOTONIC (which Dispatch and semaphores do not
/// offer).
final class Latch: @unchecked Sendable {
    // @unchecked: `isOpen` is touched only under the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isOpen = false

    init() {
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

    func open() {
        pthread_mutex_lock(mutex)
        isOpen = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Whether it was open before `deadline` (nanoseconds of CLOCK_MONOTONIC).
    @discardableResult
    func wait(until deadline: UInt64) -> Bool {
        let seconds = min(deadline / 1_000_000_000, UInt64(Int32.max))
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isOpen {
            if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { return isOpen }
        }
        return true
    }
}
