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

    public func remove(_ descriptor: Int32) { sl_epoll_forget(fileDescriptor, descriptor) }
}
