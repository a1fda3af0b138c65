import Glibc
import Synchronization

/// An HTTP/1.1 server on 127.0.0.1 that does to a request what its path says. One thread a connection.
final class MisbehavingServer: Sendable {
    struct Seen: Sendable {
        var method: String
        var path: String
        var headers: [String: String]
        var body: [UInt8]
        /// Counts accepted connections from 1.
        var connection: Int
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())
    /// Connections on `/hold` wait for a byte on this pipe (or for its end).
    private let hold: (read: Int32, write: Int32)

    private struct State {
        var seen: [Seen] = []
        var connections = 0
        var open: Set<Int32> = []
        var waiters: [(count: Int, write: Int32)] = []
        var sentBytes = 0
        var isStopped = false
    }

    init() {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        precondition(bound, "no port on 127.0.0.1")
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        hold = (ends[0], ends[1])
        startThread { [self] in acceptAll() }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    var seen: [Seen] { state.withLock { $0.seen } }

    var hasOpenConnections: Bool { state.withLock { !$0.open.isEmpty } }

    /// Of `/bytes`, so far.
    var sentBytes: Int { state.withLock { $0.sentBytes } }

    /// Blocks until `count` requests have arrived in all.
    func waitForRequests(_ count: Int) {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        let isThere = state.withLock { state in
            if state.seen.count >= count { return true }
            state.waiters.append((count, ends[1]))
            return false
        }
        var byte: UInt8 = 0
        if !isThere { _ = read(ends[0], &byte, 1) }
        close(ends[0])
        close(ends[1])
    }

    /// Lets everything that waits on `/hold` go on, now and later.
    func release() { shutdownHold() }

    /// Ends the listener and all connections.
    func stop() {
        // The accepting thread closes it: closed here, its number could be another server's before that thread looks again.
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { Glibc.shutdown(listener, Int32(SHUT_RDWR)) }
        shutdownHold()
        state.withLock { state in
            for connection in state.open { Glibc.shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private let isReleased = Mutex(false)

    private func shutdownHold() {
        isReleased.withLock { isReleased in
            if !isReleased { close(hold.write) }
            isReleased = true
        }
    }

    private func acceptAll() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                close(listener)
                return
            }
            let number = state.withLock { state in
                state.connections += 1
                state.open.insert(connection)
                return state.connections
            }
            startThread { [self] in
                while serveOne(connection, number) {}
                state.withLock { state in
                    state.open.remove(connection)
                    close(connection)
                }
            }
        }
    }

    /// False when the connection is to be closed.
    private func serveOne(_ connection: Int32, _ number: Int) -> Bool {
        guard let request = readRequest(connection, number) else { return false }
        state.withLock { state in
            state.seen.append(request)
            for waiter in state.waiters where waiter.count == state.seen.count {
                var byte: UInt8 = 1
                _ = write(waiter.write, &byte, 1)
            }
        }
        let path = request.path.split(separator: "?").first.map(String.init) ?? request.path
        switch path {
        case "/echo": return answer(connection, 200, body: request.body)
        case "/throttle": return answer(connection, 429, ["Retry-After: 7"], body: Array("slow down".utf8))
        case "/down": return answer(connection, 503, body: [])
        case "/huge": return answer(connection, 200, body: [UInt8](repeating: 0x61, count: 3 << 20))
        case "/redirect": return answer(connection, 302, ["Location: /echo"], body: Array("gone".utf8))
        case "/loop": return answer(connection, 302, ["Location: /loop"], body: [])
        case "/gzip": return answer(connection, 200, ["Content-Encoding: gzip"], body: request.body)
        case "/chunked":
            return send(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Two: a \r\nx-two: b\r\n\r\n")
                && send(connection, "5\r\nhello\r\n") && send(connection, "7\r\n, world\r\n0\r\n\r\n")
        case "/garbage":
            _ = send(connection, "\u{1}\u{2}SSH-2.0-OpenSSH_9.2\r\nnot HTTP at all\r\n")
            return false
        case "/headers-without-end":
            var goesOn = send(connection, "HTTP/1.1 200 OK\r\n")
            while goesOn { goesOn = send(connection, "X-Again: \(String(repeating: "x", count: 8_000))\r\n") }
            return false
        case "/close": return false
        case "/reset-mid-body":
            _ = send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
            var abort = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
            return false
        case "/answer-then-close":
            _ = answer(connection, 200, body: Array("last".utf8))
            return false
        case "/hold":
            var byte: UInt8 = 0
            _ = read(hold.read, &byte, 1)
            return answer(connection, 200, body: Array("held".utf8))
        default: return misbehave(connection, path, request)
        }
    }

    private func misbehave(_ connection: Int32, _ path: String, _ request: Seen) -> Bool {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        switch path {
        case "/bytes":
            let count = request.path.split(separator: "?").last.flatMap { Int($0) } ?? 0
            return send(connection, "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
                && sendCounting(connection, count)
        case "/head-then-hold":
            guard send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n") else { return false }
            var byte: UInt8 = 0
            _ = read(hold.read, &byte, 1)
            return send(connection, "held")
        case "/endless":
            let piece = String(repeating: "x", count: 16_384)
            var goesOn = send(connection, chunked)
            while goesOn { goesOn = send(connection, "4000\r\n\(piece)\r\n") }
            return false
        case "/silent":
            var byte: UInt8 = 0
            _ = recv(connection, &byte, 1, 0)
            return false
        case "/short-body":
            _ = send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
            return false
        case "/long-body":
            _ = send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345HTTP/1.1 500 Evil\r\nX: 1\r\n\r\n")
            return true
        case "/bad-chunk":
            _ = send(connection, chunked + "5\r\nhello\r\nnonsense\r\n")
            return false
        case "/bad-status":
            _ = send(connection, "HTTP/1.1 banana\r\n\r\n")
            return false
        case "/two-lengths":
            _ = send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: x\r\n\r\nhello")
            return false
        case "/interim":
            return send(connection, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + chunked)
                && send(connection, "5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n")
        case "/interim-for-ever":
            var goesOn = true
            while goesOn { goesOn = send(connection, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") }
            return false
        default: return answer(connection, 404, body: Array("no such path".utf8))
        }
    }

    private func answer(_ connection: Int32, _ status: Int, _ headers: [String] = [], body: [UInt8]) -> Bool {
        let head =
            "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n"
        return sendAll(connection, Array(head.utf8) + body)
    }

    private func send(_ connection: Int32, _ text: String) -> Bool { sendAll(connection, Array(text.utf8)) }

    /// Bytes that say where they are: their position modulo 251.
    private func sendCounting(_ connection: Int32, _ count: Int) -> Bool {
        var position = 0
        while position < count {
            let piece = (position..<min(position + 65_536, count)).map { UInt8($0 % 251) }
            guard sendAll(connection, piece) else { return false }
            position += piece.count
            state.withLock { $0.sentBytes += piece.count }
        }
        return true
    }

    private func sendAll(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func readRequest(_ connection: Int32, _ number: Int) -> Seen? {
        var bytes: [UInt8] = []
        var headEnd: Int?
        var length = 0
        var request = Seen(method: "", path: "", headers: [:], body: [], connection: number)
        while true {
            if headEnd == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
                headEnd = end
                var lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")[...]
                let first = lines.removeFirst().split(separator: " ")
                request.method = String(first[0])
                request.path = String(first[1])
                for line in lines {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    request.headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                }
                length = Int(request.headers["content-length"] ?? "0") ?? 0
                if request.path == "/early" {
                    _ = answer(connection, 413, body: [])
                    return nil
                }
            }
            if let headEnd, request.headers["transfer-encoding"] == "chunked" {
                if let body = Self.decodeChunks(bytes[headEnd...]) {
                    request.body = body
                    return request
                }
                length = Int.max - headEnd
            }
            if let headEnd, bytes.count >= headEnd + length {
                request.body = Array(bytes[headEnd..<headEnd + length])
                return request
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes.append(contentsOf: chunk[..<count])
            if bytes[0] == 0x16 { return nil }  // a TLS handshake
        }
    }

    /// Nil when the last chunk is not there yet.
    private static func decodeChunks(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = bytes
        var body: [UInt8] = []
        while let lineEnd = rest.firstRange(of: [0x0D, 0x0A]) {
            let line = String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self)
            guard let count = Int(line, radix: 16), rest.endIndex - lineEnd.upperBound >= count + 2 else { return nil }
            if count == 0 { return body }
            body += rest[lineEnd.upperBound..<lineEnd.upperBound + count]
            rest = rest[(lineEnd.upperBound + count + 2)...]
        }
        return nil
    }

    private func startThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { box in
                Unmanaged<Box>.fromOpaque(box!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }
}
