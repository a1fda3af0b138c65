// Response heads and chunk framing, RFC 9112 sections 4, 6 and 7.1.

/// Why a response's head cannot be written: the program's fault, and never bytes on the wire.
/// `rawValue` is fit for a metric label.
public enum HTTP1ResponseError: String, Error, Sendable, CaseIterable {
    /// Not three digits from 100 on.
    case status
    /// A character that may not stand in a reason phrase.
    case reason
    case fieldName = "field_name"
    case fieldValue = "field_value"
    /// A header line without colon or without CRLF.
    case line
    /// The program's own content-length of a response without content is no number.
    case contentLength = "content_length"
    /// The head would be longer than the room given.
    case room
}

/// The head of one response.
public struct HTTP1ResponseHead {
    public var status: Int
    /// Text behind the status in place of the registry's; Latin-1. Empty: the registry's.
    public var reason: UnsafeRawBufferPointer
    /// `name: value CRLF …`, Latin-1. Lines about framing, connection and date are left out: those are the server's.
    public var fields: UnsafeRawBufferPointer
    public var framing: HTTP1Framing.Response
    /// Of the request: a response is always written as HTTP/1.1, but a client of 1.0 is told that the connection goes on.
    public var version: HTTP1Version

    public init(
        status: Int, reason: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        fields: UnsafeRawBufferPointer, framing: HTTP1Framing.Response, version: HTTP1Version
    ) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.framing = framing
        self.version = version
    }

    /// Room that is always enough. A line `a:b` grows by one space.
    public var bytesMax: Int {
        // Status line with the longest phrase, date, content-length or transfer-encoding, connection, empty line.
        fields.count + fields.count / 4 + reason.count + 64 + HTTP1Date.lineBytes + 48 + 32
    }

    /// Writes the head and returns how many bytes it has.
    /// - Parameters:
    ///   - date: a line of `HTTP1Date`; empty for a server without clock.
    ///   - room: nothing in it counts when this throws.
    public func write(
        date: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(HTTP1ResponseError) -> Int {
        var out = HTTP1Output(room)
        try writeStatusLine(&out)
        let ownLength = try writeFields(&out)
        guard out.append(date) else { throw .room }
        try writeFraming(&out, ownLength)
        return out.count
    }

    /// `HTTP/1.1 SP status SP reason CRLF`.
    private func writeStatusLine(_ out: inout HTTP1Output) throws(HTTP1ResponseError) {
        guard (100...999).contains(status) else { throw .status }
        guard out.append("HTTP/1.1 ") else { throw .room }
        guard out.appendDecimal(status), out.append(HTTP1Syntax.space) else { throw .room }
        if reason.isEmpty {
            guard out.append(HTTP1ResponseHead.phrase(status)) else { throw .room }
        } else {
            for byte in reason where !HTTP1Syntax.isValue(byte) { throw .reason }
            guard out.append(reason) else { throw .room }
        }
        guard out.append("\r\n") else { throw .room }
    }

    /// The program's lines but for the server's own; returns the content-length among them.
    private func writeFields(_ out: inout HTTP1Output) throws(HTTP1ResponseError) -> Int? {
        guard let base = fields.baseAddress, let room = out.base else {
            if fields.isEmpty { return nil }
            throw .room
        }
        var length: Int?
        var position = 0
        while position < fields.count {
            // A line grows by less than the slack of the parser's writer plus one space.
            guard out.left > fields.count &- position &+ 8 else { throw .room }
            let start = out.count
            var index = position
            var end = start
            while index < fields.count {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                if HTTP1Syntax.token[Int(byte)] == 0 { break }
                room.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
                index &+= 1
                end &+= 1
            }
            guard index > position else { throw .fieldName }
            guard index < fields.count else { throw .line }
            guard base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.colon else { throw .fieldName }
            let nameLength = index &- position
            room.storeBytes(of: HTTP1Syntax.colon, toByteOffset: end, as: UInt8.self)
            room.storeBytes(of: HTTP1Syntax.space, toByteOffset: end &+ 1, as: UInt8.self)
            index &+= 1
            end &+= 2
            while index < fields.count, HTTP1Syntax.isWhiteSpace(base.load(fromByteOffset: index, as: UInt8.self)) {
                index &+= 1
            }
            let valueStart = end
            HTTP1RequestParser.copyValue(base, &index, fields.count, room, &end)
            guard fields.count &- index >= 2 else { throw .line }
            guard base.loadUnaligned(fromByteOffset: index, as: UInt16.self).littleEndian == 0x0A0D else {
                throw .fieldValue
            }
            room.storeBytes(of: 0x0A0D as UInt16, toByteOffset: end, as: UInt16.self)
            position = index &+ 2
            switch HTTP1ResponseHead.owner(UnsafeRawBufferPointer(start: room + start, count: nameLength)) {
            case .program: out.count = end &+ 2
            case .server: break
            case .contentLength:
                guard case .omitted = framing.body else { break }
                guard
                    let own = HTTP1Framing.contentLength(
                        UnsafeRawBufferPointer(start: room + valueStart, count: end &- valueStart))
                else { throw .contentLength }
                length = own
            }
        }
        return length
    }

    private func writeFraming(_ out: inout HTTP1Output, _ ownLength: Int?) throws(HTTP1ResponseError) {
        var isGood = true
        switch framing.body {
        case .none, .untilClose: break
        case .omitted(let length):
            if let length = ownLength ?? length { isGood = out.appendLength(length) }
        case .length(let length): isGood = out.appendLength(length)
        case .chunked: isGood = out.append("transfer-encoding: chunked\r\n")
        }
        if !framing.keepAlive {
            isGood = isGood && out.append("connection: close\r\n")
        } else if version == .http10 {
            isGood = isGood && out.append("connection: keep-alive\r\n")
        }
        guard isGood, out.append("\r\n") else { throw .room }
    }

    private enum Owner { case program, server, contentLength }

    /// Whose a field of a response is.
    @inline(__always)
    private static func owner(_ name: UnsafeRawBufferPointer) -> Owner {
        switch name.count {
        case 4: HTTP1Syntax.equalInAnyCase(name, "date") ? .server : .program
        case 7:
            HTTP1Syntax.equalInAnyCase(name, "upgrade") || HTTP1Syntax.equalInAnyCase(name, "trailer")
                ? .server : .program
        case 10:
            HTTP1Syntax.equalInAnyCase(name, "connection") || HTTP1Syntax.equalInAnyCase(name, "keep-alive")
                ? .server : .program
        case 14: HTTP1Syntax.equalInAnyCase(name, "content-length") ? .contentLength : .program
        case 16: HTTP1Syntax.equalInAnyCase(name, "proxy-connection") ? .server : .program
        case 17: HTTP1Syntax.equalInAnyCase(name, "transfer-encoding") ? .server : .program
        default: .program
        }
    }
}

/// Bytes written one behind the other into room that somebody else owns.
struct HTTP1Output {
    let base: UnsafeMutableRawPointer?
    let capacity: Int
    var count = 0

    init(_ room: UnsafeMutableRawBufferPointer) {
        base = room.baseAddress
        capacity = room.count
    }

    var left: Int { capacity &- count }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= left else { return false }
        guard let source = bytes.baseAddress, let base else { return bytes.isEmpty }
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
        return true
    }

    @inline(__always)
    mutating func append(_ literal: StaticString) -> Bool {
        append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) -> Bool {
        guard left > 0, let base else { return false }
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
        return true
    }

    /// A number that is not negative.
    mutating func appendDecimal(_ number: Int) -> Bool {
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits &+= 1
            rest /= 10
        }
        guard digits <= left, let base else { return false }
        rest = number
        var offset = count &+ digits
        repeat {
            offset &-= 1
            base.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: offset, as: UInt8.self)
            rest /= 10
        } while rest > 0
        count &+= digits
        return true
    }

    mutating func appendLength(_ length: Int) -> Bool {
        precondition(length >= 0, "content of \(length) bytes")
        return append("content-length: ") && appendDecimal(length) && append("\r\n")
    }
}

/// Frames of `transfer-encoding: chunked`, RFC 9112 section 7.1.
public enum HTTP1Chunk {
    /// Room for any size line.
    public static let sizeLineBytesMax = 18
    /// Behind each chunk's bytes.
    public static let end: StaticString = "\r\n"
    /// Behind the last chunk: no trailers.
    public static let last: StaticString = "0\r\n\r\n"

    /// Writes `size CRLF` and returns its bytes. Traps for a size under 1, which would end the message, and without room for
    /// `sizeLineBytesMax`.
    public static func writeSizeLine(_ size: Int, into room: UnsafeMutableRawBufferPointer) -> Int {
        precondition(size > 0, "chunk of \(size) bytes")
        precondition(room.count >= sizeLineBytesMax, "no room for a chunk's size")
        let digits = (67 - size.leadingZeroBitCount) / 4
        var rest = size
        for offset in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            room[offset] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest >>= 4
        }
        room[digits] = HTTP1Syntax.cr
        room[digits + 1] = HTTP1Syntax.lf
        return digits + 2
    }
}
