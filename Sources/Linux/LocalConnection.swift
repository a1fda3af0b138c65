internal import CLinux
internal import Glibc

/// One end of a blocking stream between processes of one machine and user. Reading and writing may be done by two threads.
public final class LocalConnection: Sendable {
    public let fileDescriptor: Int32

    /// Takes over the descriptor.
    public init(owning descriptor: Int32) { fileDescriptor = descriptor }

    deinit { close(fileDescriptor) }

    /// Two connected ends.
    public static func pair() throws(SystemCallError) -> (LocalConnection, LocalConnection) {
        var ends: [Int32] = [-1, -1]
        guard sl_socketpair(&ends) == 0 else { throw SystemCallError("socketpair", errno: errno) }
        return (LocalConnection(owning: ends[0]), LocalConnection(owning: ends[1]))
    }

    /// Two connected ends that keep the bounds of what is sent: what one `send` took is what one `receive` gives, as far as it has room for it.
    public static func packetPair() throws(SystemCallError) -> (LocalConnection, LocalConnection) {
        var ends: [Int32] = [-1, -1]
        guard sl_packet_pair(&ends) == 0 else { throw SystemCallError("socketpair", errno: errno) }
        return (LocalConnection(owning: ends[0]), LocalConnection(owning: ends[1]))
    }

    /// To a socket in the file system. `milliseconds`: how long connecting, `send` and `receive` may block, each.
    public static func connect(path: String, milliseconds: Int32) throws(SystemCallError) -> LocalConnection {
        let descriptor = sl_connect_unix(path, milliseconds)
        guard descriptor >= 0 else { throw SystemCallError("connecting to \(path)", errno: errno) }
        return LocalConnection(owning: descriptor)
    }

    /// Nil: nobody of our user was there after all.
    public static func accept(_ socket: ListeningSocket) -> LocalConnection? {
        let descriptor = sl_accept_same_user(socket.fileDescriptor)
        return descriptor < 0 ? nil : LocalConnection(owning: descriptor)
    }

    /// How long `send` and `receive` may block before they fail.
    public func setTimeouts(milliseconds: Int32) { _ = sl_set_timeouts(fileDescriptor, milliseconds) }

    /// All bytes; false when the other end is gone or takes nothing.
    public func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            guard let count = retryingInterrupted({ sl_send(fileDescriptor, part.baseAddress!, part.count) }) else {
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    public func send(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { send($0) } }

    /// What is there, at most `max` bytes; empty at the end of the stream, nil when it failed or took too long.
    public func receive(max: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max)
        let count = bytes.withUnsafeMutableBytes { buffer in
            retryingInterrupted { read(fileDescriptor, buffer.baseAddress!, max) }
        }
        guard let count else { return nil }
        bytes.removeLast(max - count)
        return bytes
    }

    /// Exactly so many bytes; nil when the stream ends before, fails or takes too long.
    public func receive(exactly count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            guard let piece = receive(max: count - bytes.count), !piece.isEmpty else { return nil }
            bytes += piece
        }
        return bytes
    }

    /// Up to a line feed, which is left out, and what follows it as well; nil when there is none within `max` bytes, or before `deadline`
    /// (CLOCK_MONOTONIC, nanoseconds). What is there already is taken whatever the time.
    public func receiveLine(max: Int, until deadline: UInt64) -> [UInt8]? {
        var line: [UInt8] = []
        while line.count < max {
            let now = sl_clock_nanoseconds(CLOCK_MONOTONIC)
            var poller = Poller([fileDescriptor])
            guard (try? poller.wait(nanoseconds: now < deadline ? deadline - now : 0)) != nil else { return nil }
            switch receiveNow(max: Swift.min(max - line.count, 16 << 10)) {
            case .nothing where now < deadline: continue
            case .nothing: return nil
            case .over: return nil
            case .bytes(let bytes):
                guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
                    line += bytes
                    continue
                }
                return line + bytes[..<end]
            }
        }
        return nil
    }

    // MARK: without waiting

    public enum Received: Hashable, Sendable {
        case bytes([UInt8])
        /// There may be something later.
        case nothing
        /// The end of the stream, or it failed.
        case over
    }

    /// What is there now, at most `max` bytes.
    public func receiveNow(max: Int) -> Received {
        var bytes = [UInt8](repeating: 0, count: max)
        let count = bytes.withUnsafeMutableBytes { buffer in
            retryingInterrupted { sl_receive_now(fileDescriptor, buffer.baseAddress!, max) }
        }
        guard let count else { return errno == EAGAIN ? .nothing : .over }
        guard count > 0 else { return .over }
        bytes.removeLast(max - count)
        return .bytes(bytes)
    }

    /// All bytes at once; false when there is no room for them, or nobody to take them. Then the stream is of no more use.
    public func sendNow(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            retryingInterrupted { sl_send_now(fileDescriptor, bytes.baseAddress!, bytes.count) } == bytes.count
        }
    }

    /// What the other end sends from now on fails there.
    public func stopReceiving() { sl_stop_receiving(fileDescriptor) }
}
