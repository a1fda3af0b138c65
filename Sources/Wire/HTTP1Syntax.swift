// Characters of HTTP, RFC 9110 section 5.6 and RFC 3986. Tables are string literals: they lie in the binary's constants and
// are reached without the check that a lazily made global costs. Eight bytes are looked at in one word where it pays.

enum HTTP1Syntax {
    static let tab = UInt8(ascii: "\t")
    static let lf = UInt8(ascii: "\n")
    static let cr = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")

    /// For each byte: itself in lower case where it may stand in a token, else 0.
    @inline(__always)
    static var token: UnsafePointer<UInt8> {
        let table: StaticString = """
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0!\0#$%&'\0\0*+\0-.\0\
            0123456789\0\0\0\0\0\0\
            \0abcdefghijklmno\
            pqrstuvwxyz\0\0\0^_\
            `abcdefghijklmno\
            pqrstuvwxyz\0|\0~\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0
            """
        return table.utf8Start
    }

    // MARK: words

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The high bit of the lowest byte of `word` that is under `limit` (at most 0x80) is set, and of none below it.
    @inline(__always)
    private static func bytes(of word: UInt64, under limit: UInt8) -> UInt64 {
        (word &- ones &* UInt64(limit)) & ~word & highs
    }

    @inline(__always)
    private static func bytes(of word: UInt64, equalTo byte: UInt8) -> UInt64 {
        bytes(of: word ^ (ones &* UInt64(byte)), under: 1)
    }

    /// The lowest set high bit marks the first byte that is a control character (a tab too) or DEL.
    @inline(__always)
    static func controls(in word: UInt64) -> UInt64 { bytes(of: word, under: 0x20) | bytes(of: word, equalTo: 0x7F) }

    /// The lowest set high bit marks the first byte that may not stand in a target.
    @inline(__always)
    static func targetEnds(in word: UInt64) -> UInt64 {
        bytes(of: word, under: 0x21) | bytes(of: word, equalTo: 0x7F) | bytes(of: word, equalTo: UInt8(ascii: "#"))
            | (word & highs)
    }

    // MARK: single bytes

    /// `field-vchar`, space and tab: RFC 9110 section 5.5, with obs-text.
    @inline(__always)
    static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == tab }

    /// Printable, no space, no fragment. More than RFC 3986 allows, as browsers send `|`, `^` and braces as they are.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    @inline(__always)
    static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hex digit of either case; over 15 for another byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 0xFF
    }

    /// `unreserved` and `sub-delims` of RFC 3986, two bits sets of 64.
    @inline(__always)
    private static func isRegName(_ byte: UInt8) -> Bool {
        // !$&'()*+,-. 0-9 ;=
        let low: UInt64 = 0x2BFF_7FD2_0000_0000
        // A-Z _ a-z ~
        let high: UInt64 = 0x47FF_FFFE_87FF_FFFE
        return byte < 64 ? low >> UInt64(byte) & 1 != 0 : byte < 128 && high >> UInt64(byte &- 64) & 1 != 0
    }

    // MARK: text

    /// Whether the bytes at `text`, of which as many as the literal's are there, are the literal's; 2 to 24 of them.
    @inline(__always)
    static func equal(_ text: UnsafeRawPointer, _ literal: StaticString) -> Bool {
        let other = UnsafeRawPointer(literal.utf8Start)
        let count = literal.utf8CodeUnitCount
        @inline(__always)
        func same<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Word.Type) -> Bool {
            text.loadUnaligned(fromByteOffset: offset, as: Word.self)
                == other.loadUnaligned(fromByteOffset: offset, as: Word.self)
        }
        if count > 16 {
            return same(0, UInt64.self) && same(8, UInt64.self) && same(count &- 8, UInt64.self)
        }
        if count >= 8 { return same(0, UInt64.self) && same(count &- 8, UInt64.self) }
        if count >= 4 { return same(0, UInt32.self) && same(count &- 4, UInt32.self) }
        return same(0, UInt16.self) && same(count &- 2, UInt16.self)
    }

    /// Whether the text is the lower-case literal in any case. Only for text without control characters.
    @inline(__always)
    static func equalInAnyCase(_ text: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard text.count == count else { return false }
        for index in 0..<count where text[index] | 0x20 != literal.utf8Start[index] { return false }
        return true
    }

    /// `uri-host [ ":" port ]`, RFC 9110 section 7.2, with a host that is not empty (section 4.2.1).
    static func isAuthority(_ text: UnsafeRawBufferPointer, needsPort: Bool = false) -> Bool {
        var index = 0
        if text.first == UInt8(ascii: "[") {
            index = 1
            while index < text.count, isIPv6(text[index]) { index &+= 1 }
            // `::` is the shortest address.
            guard index >= 3, index < text.count, text[index] == UInt8(ascii: "]") else { return false }
            index &+= 1
        } else {
            while index < text.count, isRegName(text[index]) || text[index] == UInt8(ascii: "%") {
                if text[index] == UInt8(ascii: "%") {
                    guard text.count &- index > 2, hexValue(text[index &+ 1]) < 16, hexValue(text[index &+ 2]) < 16
                    else { return false }
                    index &+= 2
                }
                index &+= 1
            }
            guard index > 0 else { return false }
        }
        guard index < text.count else { return !needsPort }
        guard text[index] == colon else { return false }
        return isPort(UnsafeRawBufferPointer(rebasing: text[(index &+ 1)...]), mayBeEmpty: !needsPort)
    }

    @inline(__always)
    private static func isIPv6(_ byte: UInt8) -> Bool {
        hexValue(byte) < 16 || byte == colon || byte == UInt8(ascii: ".")
    }

    private static func isPort(_ digits: UnsafeRawBufferPointer, mayBeEmpty: Bool) -> Bool {
        guard digits.count <= 5, mayBeEmpty || !digits.isEmpty else { return false }
        var port = 0
        for digit in digits {
            guard isDigit(digit) else { return false }
            port = port &* 10 &+ Int(digit &- 0x30)
        }
        return port <= 65_535
    }
}
