/// A string in a JSON text, as it stands between its quotes: escapes are still escapes. Points into the text.
struct JSONString {
    let bytes: UnsafeRawBufferPointer
    /// Where it begins in the text.
    let offset: Int

    /// True when a backslash is in it.
    var hasEscapes: Bool {
        guard let base = bytes.baseAddress else { return false }
        let count = bytes.count
        guard count >= 8 else { return bytes.contains(UInt8(ascii: "\\")) }
        var position = 0
        while position &+ 8 <= count {
            if Self.hasBackslash(base.loadUnaligned(fromByteOffset: position, as: UInt64.self)) { return true }
            position &+= 8
        }
        return Self.hasBackslash(base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }

    @inline(__always)
    private static func hasBackslash(_ word: UInt64) -> Bool {
        let zeroWhereBackslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
        return (zeroWhereBackslash &- 0x0101_0101_0101_0101) & ~zeroWhereBackslash & 0x8080_8080_8080_8080 != 0
    }

    /// Throws when an escape is none.
    func checkEscapes() throws(DecodeError) {
        if hasEscapes { try forEachPiece { _ in } }
    }

    /// Writes the text as a length-delimited field.
    @inline(__always)
    func put(_ field: UInt32, into writer: inout ProtobufWriter) throws(DecodeError) {
        if hasEscapes { return try putUnescaped(field, into: &writer) }
        writer.putBytes(field, bytes)
    }

    private func putUnescaped(_ field: UInt32, into writer: inout ProtobufWriter) throws(DecodeError) {
        let mark = writer.begin(field, lengthBytes: Protobuf.varintSize(UInt64(bytes.count)))
        try append(to: &writer)
        writer.end(mark)
    }

    /// Appends the text alone. It is never longer than its JSON form.
    func append(to writer: inout ProtobufWriter) throws(DecodeError) {
        writer.ensureCapacity(bytes.count)
        guard hasEscapes else { return writer.storeBytes(bytes) }
        try forEachPiece { writer.storeBytes($0) }
    }

    /// The text; for what is rare.
    func text() throws(DecodeError) -> String {
        guard hasEscapes else { return String(decoding: bytes, as: UTF8.self) }
        var output: [UInt8] = []
        try forEachPiece { output.append(contentsOf: $0) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes the text to `place`, which has room for the JSON form; returns its length.
    func unescape(into place: UnsafeMutableRawBufferPointer) throws(DecodeError) -> Int {
        var count = 0
        try forEachPiece { piece in
            UnsafeMutableRawBufferPointer(rebasing: place[count...]).copyMemory(from: piece)
            count += piece.count
        }
        return count
    }

    func equals(_ word: StaticString) -> Bool {
        bytes.count == word.utf8CodeUnitCount
            && bytes.elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: bytes.count))
    }

    // MARK: escapes

    /// Calls `body` with the pieces of the unescaped text, in order.
    private func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) throws(DecodeError) {
        var position = 0
        while position < bytes.count {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\\") { position += 1 }
            if position > start { body(UnsafeRawBufferPointer(rebasing: bytes[start..<position])) }
            guard position < bytes.count else { return }
            let scalar = try escape(&position)
            var encoded: UInt32 = 0
            var length = 0
            for unit in UTF8.encode(scalar).unsafelyUnwrapped {
                encoded |= UInt32(unit) << UInt32(8 * length)
                length += 1
            }
            withUnsafeBytes(of: encoded.littleEndian) { body(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
        }
    }

    /// The character of the escape here. Half a surrogate pair becomes U+FFFD: what cuts strings to a length, as SDKs do, leaves
    /// such halves, and the rest of the text is worth keeping.
    private func escape(_ position: inout Int) throws(DecodeError) -> Unicode.Scalar {
        let start = position
        guard position + 1 < bytes.count else { throw .badJSON(at: offset + start) }
        position += 2
        switch bytes[start + 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw .badJSON(at: offset + start)
        }
        let unit = try fourHexDigits(&position)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return "\u{FFFD}" }
        var after = position + 2
        let low = try fourHexDigits(&after)
        guard (0xDC00...0xDFFF).contains(low) else { return "\u{FFFD}" }
        position = after
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
    }

    private func fourHexDigits(_ position: inout Int) throws(DecodeError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw .badJSON(at: offset + position) }
        var value: UInt32 = 0
        for index in position..<position + 4 {
            guard let nibble = Hex.nibble(bytes[index]) else { throw .badJSON(at: offset + index) }
            value = value << 4 | UInt32(nibble)
        }
        position += 4
        return value
    }
}
