internal import CLinux
internal import Glibc

/// The socket of the service manager that started this process: sd_notify(3), without its library. Any thread.
public final class NotifySocket: Sendable {
    private let fileDescriptor: Int32
    private let address: [UInt8]

    /// - Parameter path: Of a socket in the file system, or "@NAME" of one in the abstract namespace. Nil: it is neither.
    public init?(path: String) {
        let name = Array(path.utf8)
        guard let first = name.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            (2..<Self.nameBytesMax).contains(name.count)
        else { return nil }
        fileDescriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fileDescriptor >= 0 else { return nil }
        // The address ends where the name does; an abstract one begins with a zero in place of the "@".
        address = first == UInt8(ascii: "@") ? [0] + name.dropFirst() : name
    }

    deinit { close(fileDescriptor) }

    /// `sun_path`.
    private static let nameBytesMax = 108

    /// One datagram, without waiting. False: nobody took it.
    @discardableResult
    public func send(_ text: String) -> Bool {
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: address) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let bytes = Array(text.utf8)
        let sent = withUnsafePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                retryingInterrupted {
                    sendto(
                        fileDescriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
                        place, length)
                }
            }
        }
        return sent == bytes.count
    }

    /// What a service manager wants to hear from this process.
    public struct Wish: Sendable {
        public let socket: NotifySocket
        /// How often it has to hear that all is well; nil: it does not watch. Nanoseconds.
        public let watchdogNanoseconds: UInt64?
    }

    /// Reads it from the environment, and takes it out of there: it is not for this process's children. Before there are threads. Nil: nobody asks.
    public static func takeWish() -> Wish? {
        let wish = wish(of: Machine.environment, pid: Machine.processID)
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) }
        return wish
    }

    static func wish(of environment: [String: String], pid: Int32) -> Wish? {
        guard let socket = environment["NOTIFY_SOCKET"].flatMap({ NotifySocket(path: $0) }) else { return nil }
        var watchdog = environment["WATCHDOG_USEC"].flatMap { UInt64($0) }
        // Longer than a day is as good as never, and may not overflow.
        if let time = watchdog, !(1...86_400_000_000).contains(time) { watchdog = nil }
        if let owner = environment["WATCHDOG_PID"], owner != "\(pid)" { watchdog = nil }
        return Wish(socket: socket, watchdogNanoseconds: watchdog.map { $0 * 1_000 })
    }
}
