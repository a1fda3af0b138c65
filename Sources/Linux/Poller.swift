internal import CLinux
internal import Glibc

/// Waits for the first of a fixed set of descriptors to become readable. One thread.
public struct Poller: ~Copyable {
    private var entries: [pollfd]

    /// Negative descriptors are never ready.
    public init(_ descriptors: [Int32]) {
        entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }

    /// Sleeps until one is readable, hung up or in error, or the time is over; may come back early when a signal interrupts.
    /// - Parameter nanoseconds: rounded up to whole milliseconds. Nil waits without end.
    public mutating func wait(nanoseconds: UInt64?) throws(SystemCallError) {
        for index in entries.indices { entries[index].revents = 0 }
        let milliseconds = nanoseconds.map { Int32(clamping: ($0 / 1_000_000) + ($0 % 1_000_000 == 0 ? 0 : 1)) } ?? -1
        if poll(&entries, nfds_t(entries.count), milliseconds) < 0, errno != EINTR {
            throw SystemCallError("poll", errno: errno)
        }
    }

    /// Whether the descriptor at this place was ready after the last `wait`.
    public func isReady(_ index: Int) -> Bool { entries[index].revents != 0 }

    /// Looks at this descriptor no more.
    public mutating func ignore(_ index: Int) { entries[index].fd = -1 }
}
