internal import CLinux
internal import Glibc

/// An eventfd: a counter that a poller sees as readable while it is not 0. Any thread, and across processes.
public final class EventDescriptor: Sendable {
    public let fileDescriptor: Int32

    public init() throws(SystemCallError) {
        fileDescriptor = sl_eventfd()
        guard fileDescriptor >= 0 else { throw SystemCallError("eventfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// Makes it readable.
    public func signal() {
        var one: UInt64 = 1
        // Full (2^64 - 2 signals nobody took) means readable already: nothing to do about a failure here.
        _ = retryingInterrupted { write(fileDescriptor, &one, 8) }
    }

    /// Takes every signal so far; not readable afterwards. Never blocks: a worker that shares it may have made it blocking, and emptied it
    /// just now.
    public func clear() {
        var count: UInt64 = 0
        _ = retryingInterrupted { sl_read_now(fileDescriptor, &count, 8) }
    }
}
