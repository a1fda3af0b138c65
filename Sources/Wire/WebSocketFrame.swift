/// What a frame is: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
public enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    /// Of at most 125 bytes, never in pieces, allowed between the pieces of a message.
    public var isControl: Bool { rawValue >= 8 }
}

/// Numbers of RFC 6455 section 7.4.1 that this implementation says or looks for.
public enum WebSocketCloseCode {
    public static let normal: UInt16 = 1000
    public static let goingAway: UInt16 = 1001
    public static let protocolError: UInt16 = 1002
    public static let noStatus: UInt16 = 1005
    public static let abnormal: UInt16 = 1006
    public static let badText: UInt16 = 1007
    public static let tooBig: UInt16 = 1009

    /// Whether a peer may say it: section 7.4.2, and what IANA has registered since.
    public static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// Frames on their way out.
public enum WebSocketFrame {
    public static let headerBytesMax = 14
    public static let controlBytesMax = 125

    /// Writes the header of a whole message's frame at the front of `room`, which has `headerBytesMax` bytes; how many it has.
    /// - Parameters:
    ///   - mask: of a client's frame; nil: of a server's.
    ///   - isDeflated: the payload is compressed, which was agreed on (RFC 7692).
    public static func writeHeader(
        _ opcode: WebSocketOpcode, length: Int, mask: UInt32?, isDeflated: Bool = false,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        room[0] = 0x80 | (isDeflated ? 0x40 : 0) | opcode.rawValue
        var count = 2
        switch length {
        case 0...125: room[1] = maskBit | UInt8(length)
        case 126...0xFFFF:
            room[1] = maskBit | 126
            room.storeBytes(of: UInt16(length).bigEndian, toByteOffset: 2, as: UInt16.self)
            count = 4
        default:
            room[1] = maskBit | 127
            room.storeBytes(of: UInt64(length).bigEndian, toByteOffset: 2, as: UInt64.self)
            count = 10
        }
        if let mask {
            room.storeBytes(of: mask, toByteOffset: count, as: UInt32.self)
            count += 4
        }
        return count
    }

    /// Masks or unmasks in place, eight bytes a step: section 5.3.
    /// - Parameters:
    ///   - mask: as it lies in memory.
    ///   - offset: of the first byte within the frame's payload.
    public static func mask(_ bytes: UnsafeMutableRawBufferPointer, with mask: UInt32, offset: Int = 0) {
        // The key as the first byte here sees it.
        let turn = UInt32(offset & 3) * 8
        let little = UInt32(littleEndian: mask)
        let key = turn == 0 ? little : little >> turn | little << (32 - turn)
        let wide = UInt64(key) | UInt64(key) << 32
        var at = 0
        while at + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            bytes.storeBytes(of: (word ^ wide).littleEndian, toByteOffset: at, as: UInt64.self)
            at += 8
        }
        while at < bytes.count {
            bytes[at] ^= UInt8(truncatingIfNeeded: key >> (UInt32(at & 3) * 8))
            at += 1
        }
    }

    /// A whole frame.
    public static func frame(
        _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, mask key: UInt32?, isDeflated: Bool = false
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: headerBytesMax + payload.count) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(buffer)
            let header = writeHeader(
                opcode, length: payload.count, mask: key, isDeflated: isDeflated, into: room)
            let body = UnsafeMutableRawBufferPointer(rebasing: room[header..<(header + payload.count)])
            body.copyMemory(from: payload)
            if let key { mask(body, with: key) }
            count = header + payload.count
        }
    }

    /// What a close frame says. Nil code: nothing. A reason that is too long is cut at a character.
    public static func closePayload(_ code: UInt16?, _ reason: UnsafeRawBufferPointer) -> [UInt8] {
        guard let code else { return [] }
        var length = min(reason.count, controlBytesMax - 2)
        if length < reason.count { while length > 0, reason[length] & 0xC0 == 0x80 { length -= 1 } }
        return [UInt8(code >> 8), UInt8(code & 0xFF)] + reason[..<length]
    }
}
