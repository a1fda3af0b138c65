/// Runs things later. Implemented by `CurlTransport` (on its one thread) and, in tests, by a hand-driven world.
///
/// Whoever schedules keeps the number of outstanding actions small: by an owner, or since an action finds out by itself that it is no longer wanted.
public protocol TimerScheduler: Sendable {
    /// Calls `action` once, at or soon after `deadline` (CLOCK_MONOTONIC, nanoseconds; the past means as soon as
    /// possible), on a thread of the scheduler's choosing; it must not block. Never calls it before this function
    /// returns. An action that is not due when the scheduler shuts down is never called. Any thread may call this.
    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void)

    /// The same in place of what waits of this owner. It may still be called if it is due already.
    func schedule(at deadline: UInt64, for owner: ObjectIdentifier, _ action: @escaping @Sendable () -> Void)

    /// Nothing of this owner is called any more, but what is due already.
    func cancel(_ owner: ObjectIdentifier)
}

extension TimerScheduler {
    public func schedule(at deadline: UInt64, for owner: ObjectIdentifier, _ action: @escaping @Sendable () -> Void) {
        schedule(at: deadline, action)
    }

    public func cancel(_ owner: ObjectIdentifier) {}
}
