internal import CLinux
internal import Glibc

/// Descriptors that are one to who waits for them: it is readable while one of them is. epoll(7).
public final class ReadySet: Sendable {
    public let fileDescriptor: Int32

    public init() throws(SystemCallError) {
        fileDescriptor = sl_epoll()
        guard fileDescriptor >= 0 else { throw SystemCallError("epoll_create1", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// Must be taken out again before it is closed.
    public func add(_ descriptor: Int32) throws(SystemCallError) {
        guard sl_epoll_set(fileDescriptor, descriptor, true, UInt32(SL_READABLE), 0) == 0 else {
            throw SystemCallError("epoll_ctl", errno: errno)
        }
    }

    /// With a mark that `wait` gives back.
    public func add(_ descriptor: Int32, mark: UInt64) throws(SystemCallError) {
        guard sl_epoll_set(fileDescriptor, descriptor, true, UInt32(SL_READABLE), mark) == 0 else {
            throw SystemCallError("epoll_ctl", errno: errno)
        }
    }

    /// The marks of those that are readable now, or hung up or in error; not all where there are many.
    public func ready(_ body: (UInt64) -> Void) {
        withUnsafeTemporaryAllocation(of: sl_ready.self, capacity: Int(SL_READY_MAX)) { ready in
            let count = sl_epoll_wait(fileDescriptor, ready.baseAddress!, Int32(SL_READY_MAX), 0)
            for index in 0..<max(0, Int(count)) { body(ready[index].mark) }
        }
    }

    public func remove(_ descriptor: Int32) { sl_epoll_forget(fileDescriptor, descriptor) }
}
