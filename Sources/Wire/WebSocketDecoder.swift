// Frames of a WebSocket on their way in: https://www.rfc-editor.org/rfc/rfc6455
//
//     header ──whole──► payload ──whole──► header
//       │ wrong            │ wrong, too much       │ close
//       └──► over ◄────────┴───────────────────────┘
//
// Bytes come as they come; no more of them is kept than belongs to the message that is being read. Text is checked as it comes, so what is no
// UTF-8 is found before the message is whole.

public struct WebSocketDecoder: ~Copyable {
    public enum Event: Equatable, Sendable {
        /// A message of valid UTF-8.
        case text([UInt8])
        case binary([UInt8])
        /// A message as it was compressed: to be inflated, and of a text checked with `isText`.
        case deflated(isText: Bool, [UInt8])
        case ping([UInt8])
        case pong([UInt8])
        /// Nothing comes after it. `WebSocketCloseCode.noStatus` when the peer gave none.
        case close(code: UInt16, reason: [UInt8])
        /// The peer broke the rules; the connection is to be ended with this code. Nothing comes after it.
        case failure(code: UInt16, reason: String)
    }

    private enum State { case header, payload, over }

    /// The peer is a client, whose frames are masked; else a server, whose are not.
    private let expectsMask: Bool
    /// Of a message, as it comes, bytes.
    private let messageBytesMax: Int
    /// permessage-deflate was agreed on.
    private let allowsDeflate: Bool

    private var state = State.header
    private var header: (UInt64, UInt64) = (0, 0)
    private var headerCount = 0

    // The frame.
    private var opcode = WebSocketOpcode.continuation
    private var isFinal = false
    private var mask: UInt32 = 0
    private var length = 0
    private var done = 0

    /// Of the message whose pieces are being read; nil: none is.
    private var kind: WebSocketOpcode?
    private var isDeflated = false
    private var message: [UInt8] = []
    private var control: [UInt8] = []
    private var utf8 = UTF8Validator()

    public init(expectsMask: Bool, messageBytesMax: Int, allowsDeflate: Bool = false) {
        self.expectsMask = expectsMask
        self.messageBytesMax = messageBytesMax
        self.allowsDeflate = allowsDeflate
    }

    /// Whether the whole of a message is UTF-8.
    public static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.take(bytes) && validator.isComplete
    }

    /// Whether nothing more will come.
    public var isOver: Bool { state == .over }

    /// Takes all the bytes; adds what they complete. After the end they are dropped.
    public mutating func take(_ bytes: UnsafeRawBufferPointer, into events: inout [Event]) {
        var at = 0
        while state != .over {
            switch state {
            case .header:
                guard at < bytes.count else { return }
                at += readHeader(UnsafeRawBufferPointer(rebasing: bytes[at...]), &events)
            case .payload:
                let count = min(length - done, bytes.count - at)
                guard count > 0 || length == done else { return }
                readPayload(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)]), &events)
                at += count
            case .over: return
            }
        }
    }

    private mutating func fail(_ code: UInt16, _ reason: String, _ events: inout [Event]) {
        state = .over
        message = []
        control = []
        events.append(.failure(code: code, reason: reason))
    }

    // MARK: Headers

    /// How many bytes were taken.
    private mutating func readHeader(_ bytes: UnsafeRawBufferPointer, _ events: inout [Event]) -> Int {
        var taken = 0
        while taken < bytes.count {
            let byte = bytes[taken]
            withUnsafeMutableBytes(of: &header) { $0[headerCount] = byte }
            headerCount += 1
            taken += 1
            if headerCount == 1 {
                if let problem = firstByteProblem(byte) {
                    fail(WebSocketCloseCode.protocolError, problem, &events)
                    return taken
                }
            } else if headerCount == 2, let problem = secondByteProblem(byte) {
                fail(WebSocketCloseCode.protocolError, problem, &events)
                return taken
            }
            if headerCount >= 2, headerCount == headerLength {
                begin(&events)
                return taken
            }
        }
        return taken
    }

    private var headerLength: Int {
        withUnsafeBytes(of: header) { bytes in
            let extended = bytes[1] & 0x7F == 126 ? 2 : bytes[1] & 0x7F == 127 ? 8 : 0
            return 2 + extended + (bytes[1] & 0x80 == 0 ? 0 : 4)
        }
    }

    private func firstByteProblem(_ byte: UInt8) -> String? {
        // RFC 7692 section 6: the first bit, in the first frame of a message.
        let startsMessage = byte & 0x0F == 1 || byte & 0x0F == 2
        guard byte & (allowsDeflate && startsMessage ? 0x30 : 0x70) == 0 else { return "a reserved bit is set" }
        guard let opcode = WebSocketOpcode(rawValue: byte & 0x0F) else { return "an unknown opcode" }
        if opcode.isControl { return byte & 0x80 == 0 ? "a control frame in pieces" : nil }
        if opcode == .continuation { return kind == nil ? "a continuation of nothing" : nil }
        return kind == nil ? nil : "a new message within another"
    }

    private func secondByteProblem(_ byte: UInt8) -> String? {
        guard (byte & 0x80 != 0) == expectsMask else {
            return expectsMask ? "a frame that is not masked" : "a frame that is masked"
        }
        let isControl = withUnsafeBytes(of: header) { $0[0] & 0x08 != 0 }
        return isControl && byte & 0x7F > 125 ? "a control frame of more than 125 bytes" : nil
    }

    /// The header is whole.
    private mutating func begin(_ events: inout [Event]) {
        let (first, size, key, isShortest) = withUnsafeBytes(of: header) { bytes in
            let short = Int(bytes[1] & 0x7F)
            var size = UInt64(short)
            var end = 2
            var isShortest = true
            if short == 126 {
                size = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
                end = 4
                isShortest = size > 125
            } else if short == 127 {
                size = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
                end = 10
                isShortest = size > 0xFFFF
            }
            let key = expectsMask ? bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self) : 0
            return (bytes[0], size, key, isShortest)
        }
        header = (0, 0)
        headerCount = 0
        guard isShortest else {
            return fail(WebSocketCloseCode.protocolError, "a length that is not in its shortest form", &events)
        }
        opcode = WebSocketOpcode(rawValue: first & 0x0F)!
        isFinal = first & 0x80 != 0
        if !opcode.isControl {
            guard size <= UInt64(messageBytesMax - message.count) else {
                return fail(WebSocketCloseCode.tooBig, "a message of more than \(messageBytesMax) bytes", &events)
            }
            if opcode != .continuation {
                kind = opcode
                isDeflated = first & 0x40 != 0
                utf8 = UTF8Validator()
            }
        }
        length = Int(size)
        done = 0
        mask = key
        state = .payload
    }

    // MARK: Payload

    private mutating func readPayload(_ bytes: UnsafeRawBufferPointer, _ events: inout [Event]) {
        if opcode.isControl {
            Self.append(bytes, to: &control, mask: expectsMask ? mask : nil, offset: done)
        } else {
            let from = message.count
            Self.append(bytes, to: &message, mask: expectsMask ? mask : nil, offset: done)
            if kind == .text, !isDeflated {
                let isValid = message.withUnsafeBytes { utf8.take(UnsafeRawBufferPointer(rebasing: $0[from...])) }
                guard isValid else { return fail(WebSocketCloseCode.badText, "a text that is not UTF-8", &events) }
            }
        }
        done += bytes.count
        if done == length { end(&events) }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to target: inout [UInt8], mask: UInt32?, offset: Int) {
        guard !bytes.isEmpty else { return }
        let from = target.count
        target.append(contentsOf: bytes)
        guard let mask else { return }
        target.withUnsafeMutableBytes {
            WebSocketFrame.mask(UnsafeMutableRawBufferPointer(rebasing: $0[from...]), with: mask, offset: offset)
        }
    }

    /// The frame is whole.
    private mutating func end(_ events: inout [Event]) {
        state = .header
        if opcode.isControl {
            let payload = control
            control = []
            switch opcode {
            case .ping: events.append(.ping(payload))
            case .pong: events.append(.pong(payload))
            default: close(payload, &events)
            }
            return
        }
        guard isFinal else { return }
        if isDeflated {
            events.append(.deflated(isText: kind == .text, message))
        } else if kind == .binary {
            events.append(.binary(message))
        } else if utf8.isComplete {
            events.append(.text(message))
        } else {
            return fail(WebSocketCloseCode.badText, "a text that ends within a character", &events)
        }
        message = []
        kind = nil
    }

    /// Section 5.5.1.
    private mutating func close(_ payload: [UInt8], _ events: inout [Event]) {
        guard !payload.isEmpty else {
            state = .over
            return events.append(.close(code: WebSocketCloseCode.noStatus, reason: []))
        }
        guard payload.count >= 2 else {
            return fail(WebSocketCloseCode.protocolError, "a close frame of one byte", &events)
        }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard WebSocketCloseCode.isSendable(code) else {
            return fail(WebSocketCloseCode.protocolError, "a close code that must not be sent: \(code)", &events)
        }
        var validator = UTF8Validator()
        let isText = payload.withUnsafeBytes { validator.take(UnsafeRawBufferPointer(rebasing: $0[2...])) }
        guard isText, validator.isComplete else {
            return fail(WebSocketCloseCode.badText, "a reason that is not UTF-8", &events)
        }
        state = .over
        events.append(.close(code: code, reason: Array(payload[2...])))
    }
}

/// UTF-8 that comes in pieces: Unicode, table 3-7. No overlong forms, no surrogates, nothing over U+10FFFF.
struct UTF8Validator {
    private var needed = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether it ends between two characters.
    var isComplete: Bool { needed == 0 }

    /// False: it is none. Then nothing more is to be asked.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < bytes.count {
            if needed == 0 {
                // Eight characters of ASCII at once.
                while at + 8 <= bytes.count,
                    bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    at += 8
                }
                guard at < bytes.count else { return true }
                guard lead(bytes[at]) else { return false }
            } else {
                guard bytes[at] >= lowest, bytes[at] <= highest else { return false }
                (lowest, highest) = (0x80, 0xBF)
                needed -= 1
            }
            at += 1
        }
        return true
    }

    private mutating func lead(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: needed = 1
        case 0xE0...0xEF:
            needed = 2
            if byte == 0xE0 { lowest = 0xA0 }
            if byte == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            needed = 3
            if byte == 0xF0 { lowest = 0x90 }
            if byte == 0xF4 { highest = 0x8F }
        default: return false
        }
        return true
    }
}
