/// Runs things later. Implemented by `CurlTransport` (on its one thread) and, in tests, by a hand-driven world.
///
/// There is no way to cancel: an action finds out by itself that it is no longer wanted. Whoever schedules keeps the
/// number of outstanding actions small.
public protocol TimerScheduler: Sendable {
    /// Calls `action` once, at or soon after `deadline` (CLOCK_MONOTONIC, nanoseconds; the past means as soon as
    /// possible), on a thread of the scheduler's choosing; it must not block. Never calls it before this function
    /// returns. An action that is not due when the scheduler shuts down is never called. Any thread may call this.
    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void)
}
