import CHTTP2
import Glibc

/// A client of HTTP/2 that writes its frames by hand, so that it can write wrong ones; only HPACK of what comes is the library's.
final class HTTP2Client {
    struct Frame {
        var type: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]

        var endsStream: Bool { flags & 1 != 0 }
    }

    struct Answer {
        var status = 0
        /// All of both HEADERS frames.
        var fields: [String: String] = [:]
        var body: [UInt8] = []
        var reset: UInt32?

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let client: TestClient
    private var inflater: OpaquePointer?
    private(set) var goAway: UInt32?
    var answers: [UInt32: Answer] = [:]
    private var finished: Set<UInt32> = []

    init(_ server: TestServer, receiveBufferBytes: Int32? = nil) throws {
        client = try TestClient(server, receiveBufferBytes: receiveBufferBytes)
        nghttp2_hd_inflate_new(&inflater)
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        send(4, 0, 0, [])
    }

    deinit { nghttp2_hd_inflate_del(inflater) }

    // MARK: sending

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [
            UInt8(count >> 16), UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count), type, flags,
        ]
            + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> $0) } + payload
    }

    @discardableResult
    func send(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> Bool {
        client.send(Self.frame(type, flags, stream, payload))
    }

    /// Literal fields without indexing, RFC 7541 section 6.2.2, of names and values below 127 bytes (or a longer value).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value -> [UInt8] in
            var bytes: [UInt8] = [0, UInt8(name.utf8.count)] + Array(name.utf8)
            var count = value.utf8.count
            if count < 127 {
                bytes.append(UInt8(count))
            } else {
                bytes.append(127)
                count -= 127
                while count >= 128 {
                    bytes.append(UInt8(count & 127) | 128)
                    count >>= 7
                }
                bytes.append(UInt8(count))
            }
            return bytes + Array(value.utf8)
        }
    }

    static func head(_ method: String, _ path: String, _ fields: [(String, String)] = []) -> [UInt8] {
        block([(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")] + fields)
    }

    /// A whole request; its body in frames of at most 16 KiB.
    func request(
        _ stream: UInt32, _ method: String, _ path: String, _ fields: [(String, String)] = [], body: [UInt8] = []
    ) {
        var bytes = Self.frame(1, body.isEmpty ? 5 : 4, stream, Self.head(method, path, fields))
        var position = 0
        while position < body.count {
            let end = min(position + 16_384, body.count)
            bytes += Self.frame(0, end == body.count ? 1 : 0, stream, Array(body[position..<end]))
            position = end
        }
        client.send(bytes)
    }

    func windowUpdate(_ stream: UInt32, _ more: UInt32) {
        send(8, 0, stream, [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: more >> $0) })
    }

    // MARK: receiving

    /// Takes the server's settings: until then its windows are those of RFC 9113.
    func settle() {
        while let frame = next() {
            take(frame)
            if frame.type == 4, frame.flags & 1 == 0 { return }
        }
    }

    func next() -> Frame? {
        let head = client.read(9)
        guard head.count == 9 else { return nil }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let stream = head[5...8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        return Frame(type: head[3], flags: head[4], stream: stream, payload: client.read(length))
    }

    /// Reads frames until the stream's answer is over; nil when the connection is.
    func answer(_ stream: UInt32) -> Answer? {
        while !finished.contains(stream) {
            guard let frame = next() else { return nil }
            take(frame)
        }
        return answers[stream]
    }

    /// Reads to the end of the connection: the code of GOAWAY.
    func end() -> UInt32? {
        while let frame = next() { take(frame) }
        return goAway
    }

    func take(_ frame: Frame) {
        switch frame.type {
        case 0: answers[frame.stream, default: Answer()].body += frame.payload
        case 1: inflate(frame)
        case 3:
            answers[frame.stream, default: Answer()].reset = frame.payload.reduce(0) { $0 << 8 | UInt32($1) }
            finished.insert(frame.stream)
        case 4 where frame.flags & 1 == 0: send(4, 1, 0, [])
        case 6 where frame.flags & 1 == 0: send(6, 1, 0, frame.payload)
        case 7: goAway = frame.payload[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        default: break
        }
        if frame.type <= 1, frame.endsStream { finished.insert(frame.stream) }
    }

    private func inflate(_ frame: Frame) {
        var answer = answers[frame.stream] ?? Answer()
        var payload = frame.payload[...]
        while true {
            var field = nghttp2_nv()
            var flags: Int32 = 0
            let count = payload.withUnsafeBufferPointer {
                nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1)
            }
            guard count >= 0 else { fatalError("HPACK: \(count)") }
            payload = payload.dropFirst(count)
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
                let value = String(
                    decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
                answer.fields[name] = value
                if name == ":status" { answer.status = Int(value) ?? 0 }
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        answers[frame.stream] = answer
    }
}
