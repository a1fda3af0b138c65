internal import Engine
internal import Glibc
internal import Wire

/// The frames of one WebSocket on their way in, and what of them JavaScript has not taken.
final class SocketFrames {
    var decoder: WebSocketDecoder
    var events: [WebSocketDecoder.Event] = []
    /// The first not taken.
    var next = 0
    var content: WebSocketDecoder.Event?

    private let messageBytesMax: Int

    init(isClient: Bool, messageBytesMax: Int, allowsDeflate: Bool) {
        decoder = WebSocketDecoder(
            expectsMask: !isClient, messageBytesMax: messageBytesMax, allowsDeflate: allowsDeflate)
        self.messageBytesMax = messageBytesMax
    }

    func take(_ bytes: UnsafeRawBufferPointer) { decoder.take(bytes, into: &events) }

    /// Messages are inflated one by one: many small ones that came at once may be large.
    func takeNext(_ platform: OpHost) -> WebSocketDecoder.Event? {
        guard next < events.count else {
            events.removeAll(keepingCapacity: true)
            next = 0
            return nil
        }
        next += 1
        guard case .deflated(let isText, let bytes) = events[next - 1] else { return events[next - 1] }
        return inflated(bytes, isText, platform.messageDeflate)
    }

    private func inflated(_ bytes: [UInt8], _ isText: Bool, _ deflate: MessageDeflate) -> WebSocketDecoder.Event {
        do {
            let content = try deflate.inflated(bytes, bytesMax: messageBytesMax)
            guard isText else { return .binary(content) }
            guard content.withUnsafeBytes(WebSocketDecoder.isText) else {
                return failure(WebSocketCloseCode.badText, "a text that is not UTF-8")
            }
            return .text(content)
        } catch {
            return switch error {
            case .tooLong: failure(WebSocketCloseCode.tooBig, "a message of more than \(messageBytesMax) bytes")
            case .invalid: failure(WebSocketCloseCode.badText, "a message that is not deflated")
            }
        }
    }

    /// Nothing comes after it.
    private func failure(_ code: UInt16, _ reason: String) -> WebSocketDecoder.Event {
        next = events.count
        return .failure(code: code, reason: reason)
    }
}

extension PlatformOps {
    /// socketOpen(isClient, messageBytesMax, allowsDeflate): the frames that come to one side; a number, or 0: too many. socketClose(number).
    /// socketTake(number, bytes): more of them. socketNext(number): the kind of the next event: 1 text, 2 binary, 8 close, 9 ping, 10 pong, -1 the peer broke the
    /// rules; 0: none. socketContent(number): its content: a string of a text, a reason or a failure, else a Uint8Array. socketCode(number): of a close or a failure.
    /// socketFrame(kind, content, isMasked, windowBits): a frame; compressed with such a window, when that makes it shorter; 0: not. socketCloseFrame(code, reason, isMasked): one that closes; code 0: without one.
    /// socketKey(): for a handshake. socketAccept(key): the answer to it, or "" when it is no key.
    /// socketOffer(): the extensions a client asks for. socketAgrees(answer): whether a server's answer is one to it. socketAnswer(windowBits): a server's.
    /// socketWindow(offers): the window bits of the offer that a server takes; 0: none.
    static let webSocket = [
        Op("socketOpen") {
            let call = OpCall($0, $1)
            let platform = call.platform
            guard platform.sockets.count < OpHost.socketsMax else { return call.returns(0) }
            platform.lastSocket += 1
            platform.sockets[platform.lastSocket] = SocketFrames(
                isClient: call.bool(0), messageBytesMax: max(0, call.integer(1)), allowsDeflate: call.bool(2))
            call.returns(Double(platform.lastSocket))
        },
        Op("socketClose") {
            let call = OpCall($0, $1)
            call.platform.sockets[call.integer(0)] = nil
        },
        Op("socketTake") {
            let call = OpCall($0, $1)
            guard let bytes = call.bytes(1) else { return }
            call.platform.sockets[call.integer(0)]?.take(UnsafeRawBufferPointer(bytes))
        },
        Op("socketNext") {
            let call = OpCall($0, $1)
            let socket = call.platform.sockets[call.integer(0)]
            let event = socket?.takeNext(call.platform)
            socket?.content = event
            call.returns(kind(event))
        },
        Op("socketContent") {
            let call = OpCall($0, $1)
            let socket = call.platform.sockets[call.integer(0)]
            defer { socket?.content = nil }
            switch socket?.content {
            case .text(let bytes), .close(_, let bytes): bytes.withUnsafeBytes { call.returns(utf8: $0) }
            case .binary(let bytes), .deflated(_, let bytes), .ping(let bytes), .pong(let bytes):
                call.returns(bytes.withUnsafeBytes(call.realm.makeUint8Array))
            case .failure(_, let reason): call.returns(reason)
            case nil: call.returns("")
            }
        },
        Op("socketCode") {
            let call = OpCall($0, $1)
            switch call.platform.sockets[call.integer(0)]?.content {
            case .close(let code, _), .failure(let code, _): call.returns(Double(code))
            default: call.returns(0)
            }
        },
        Op("socketFrame") {
            let call = OpCall($0, $1)
            guard let opcode = WebSocketOpcode(rawValue: UInt8(clamping: call.integer(0))) else { return }
            let mask = call.bool(2) ? arc4random() : nil
            func frame(_ payload: UnsafeRawBufferPointer) {
                let short = shorter(payload, windowBits: call.integer(3), call.platform)
                let bytes =
                    short?.withUnsafeBytes { WebSocketFrame.frame(opcode, $0, mask: mask, isDeflated: true) }
                    ?? WebSocketFrame.frame(opcode, payload, mask: mask)
                call.returns(bytes.withUnsafeBytes(call.realm.makeUint8Array))
            }
            if call.isString(1) {
                call.withUTF8(1, frame)
            } else {
                frame(UnsafeRawBufferPointer(call.bytes(1) ?? noRoom))
            }
        },
        Op("socketCloseFrame") {
            let call = OpCall($0, $1)
            let code = UInt16(clamping: call.integer(0))
            let payload = call.withUTF8(1) { WebSocketFrame.closePayload(code == 0 ? nil : code, $0) }
            let bytes = payload.withUnsafeBytes {
                WebSocketFrame.frame(.close, $0, mask: call.bool(2) ? arc4random() : nil)
            }
            call.returns(bytes.withUnsafeBytes(call.realm.makeUint8Array))
        },
        Op("socketKey") {
            OpCall($0, $1).returns(
                WebSocketHandshake.key((0..<16).map { _ in UInt8(truncatingIfNeeded: arc4random()) }))
        },
        Op("socketAccept") {
            let call = OpCall($0, $1)
            let key = call.string(0)
            call.returns(WebSocketHandshake.isKey(key) ? WebSocketHandshake.accept(key) : "")
        },
        Op("socketOffer") { OpCall($0, $1).returns(WebSocketDeflate.offer) },
        Op("socketAgrees") {
            let call = OpCall($0, $1)
            call.returns(WebSocketDeflate.accepts(answer: call.string(0)))
        },
        Op("socketWindow") {
            let call = OpCall($0, $1)
            call.returns(Double(WebSocketDeflate(offers: call.string(0))?.serverWindowBits ?? 0))
        },
        Op("socketAnswer") {
            let call = OpCall($0, $1)
            call.returns(WebSocketDeflate(serverWindowBits: call.integer(0))?.answer ?? "")
        },
    ]

    /// Shorter messages are sent as they are. Bytes.
    private static let deflatedBytesMin = 128

    private static func shorter(_ payload: UnsafeRawBufferPointer, windowBits: Int, _ platform: OpHost) -> [UInt8]? {
        guard (9...15).contains(windowBits), payload.count >= deflatedBytesMin else { return nil }
        return platform.messageDeflate.deflated(payload, windowBits: windowBits)
    }

    private static var noRoom: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    private static func kind(_ event: WebSocketDecoder.Event?) -> Double {
        switch event {
        case nil: 0
        case .text: 1
        case .binary, .deflated: 2
        case .close: 8
        case .ping: 9
        case .pong: 10
        case .failure: -1
        }
    }
}
