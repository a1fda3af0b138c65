import Foundation
import Glibc
import Server
import Synchronization
import System

/// The machine's clock.
struct MachineClock: SystemClock {
    func monotonicNanoseconds() -> UInt64 { clock(CLOCK_MONOTONIC) }
    func unixNanoseconds() -> UInt64 { clock(CLOCK_REALTIME) }

    private func clock(_ id: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(id, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}

/// What a test does with requests.
final class ClosureHandler: RequestHandler {
    private let body: @Sendable (borrowing ServedRequest, Responder) -> Void
    private let atTurnEnd: @Sendable () -> Void

    init(
        turnEnded: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (borrowing ServedRequest, Responder) -> Void
    ) {
        self.body = body
        atTurnEnd = turnEnded
    }

    func handle(_ request: borrowing ServedRequest, _ responder: Responder) { body(request, responder) }
    func turnEnded() { atTurnEnd() }

    /// Says what it saw: `METHOD path?query body`.
    static let echo = ClosureHandler { request, responder in
        let text = "\(request.methodText) \(request.path)?\(request.query) "
        responder.respond(
            200, ResponseFields(["content-type": "text/plain"]), body: Array(text.utf8) + request.body)
    }
}

/// A server on a port of loopback, on a thread of its own.
final class TestServer: Sendable {
    let server: Server
    let port: UInt16
    let budget: MemoryBudget
    let listening: Int32
    private let hasEnded = DispatchSemaphore(value: 0)

    init(
        _ handler: any RequestHandler, _ limits: ServerLimits = ServerLimits(), budgetBytes: Int = 64 << 20,
        companion: (any ServerCompanion)? = nil, bodyBytesMax: Int? = nil, door: Door = Door()
    ) throws {
        (listening, port) = try Self.listen()
        budget = MemoryBudget(bytesMax: budgetBytes)
        server = try Server(
            [Server.Listener(fileDescriptor: listening, handler: handler, bodyBytesMax: bodyBytesMax, door: door)],
            companion: companion, limits: limits, budget: budget, clock: MachineClock())
        let hasEnded = hasEnded
        let server = server
        let thread = Thread {
            do { try server.run() } catch { fatalError("\(error)") }
            hasEnded.signal()
        }
        thread.start()
    }

    static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard Glibc.bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 512) == 0 else {
                    return Int32(-1)
                }
                return getsockname(descriptor, address, &length)
            }
        }
        guard descriptor >= 0, code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// Ends it and waits until its thread has.
    func stop(graceMilliseconds: Int = 0) {
        server.stop(graceMilliseconds: graceMilliseconds)
        hasEnded.wait()
        hasEnded.signal()
        close(listening)
    }

    /// Goes over to other listeners and waits until that is done.
    func change(_ listeners: [Server.Listener]) -> ServerError? {
        let isDone = DispatchSemaphore(value: 0)
        let failure = Mutex<ServerError?>(nil)
        server.change {
            listeners
        } done: { error in
            failure.withLock { $0 = error }
            isDone.signal()
        }
        isDone.wait()
        return failure.withLock { $0 }
    }

    /// Waits until the condition holds; false after 20 s.
    func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<20_000 {
            if condition() { return true }
            usleep(1_000)
        }
        return false
    }
}

/// A client that sends what it is told, and waits at most 20 s for an answer.
final class TestClient {
    let descriptor: Int32
    private var received: [UInt8] = []

    convenience init(_ server: TestServer, receiveBufferBytes: Int32? = nil) throws {
        try self.init(port: server.port, receiveBufferBytes: receiveBufferBytes)
    }

    init(port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    deinit { close(descriptor) }

    /// False: the server takes no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The connection is reset, not closed in good order.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        shutdown(descriptor, Int32(SHUT_RD))
    }

    /// One more read; false at the end, on a reset and after 20 s.
    private func more() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }

    /// So many bytes; fewer at the end.
    func read(_ count: Int) -> [UInt8] {
        while received.count < count, more() {}
        let bytes = Array(received.prefix(count))
        received.removeFirst(bytes.count)
        return bytes
    }

    /// All up to the end of the connection.
    func readAll() -> String {
        while more() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// Up to and with this text.
    func read(until end: String) -> String {
        let wanted = Array(end.utf8)
        while true {
            if let range = received.firstRange(of: wanted) {
                let text = String(decoding: received[..<range.upperBound], as: UTF8.self)
                received.removeFirst(range.upperBound)
                return text
            }
            guard more() else { return String(decoding: received, as: UTF8.self) + "<end>" }
        }
    }

    struct Answer: Equatable {
        var status: Int
        var head: String
        var body: String
    }

    /// One whole response with a content-length.
    func answer(hasBody: Bool = true) -> Answer {
        let head = read(until: "\r\n\r\n")
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var length = 0
        for line in head.split(separator: "\r\n") where line.hasPrefix("content-length: ") {
            length = Int(line.dropFirst(16)) ?? 0
        }
        let body = hasBody && length > 0 ? String(decoding: read(length), as: UTF8.self) : ""
        return Answer(status: status, head: head, body: body)
    }
}
