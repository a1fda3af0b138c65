extension IPAddress {
    /// A host of a URL: what the WHATWG URL standard makes of it. <https://url.spec.whatwg.org/#host-parsing>
    public enum Host: Hashable, Sendable {
        case address(IPAddress)
        case name
        /// A number that is no address (`1.2.3.256`), a broken literal (`[::1`).
        case invalid
    }

    /// Reads a host; IPv6 in brackets or without. `0x7f.1`, `0177.0.0.1` and `2130706433` are 127.0.0.1.
    public static func host(_ text: String) -> Host {
        let bytes = text.utf8
        if bytes.first == UInt8(ascii: "[") {
            guard bytes.last == UInt8(ascii: "]") else { return .invalid }
            return v6(text.utf8.dropFirst().dropLast()).map { .address($0) } ?? .invalid
        }
        if bytes.contains(UInt8(ascii: ":")) { return v6(bytes[...]).map { .address($0) } ?? .invalid }
        return v4Host(bytes[...])
    }

    /// An address as people write it: four decimal numbers, or IPv6 without brackets. Other forms are nil, and so is a zone.
    public init?(_ text: String) {
        let bytes = text.utf8[...]
        let address = bytes.contains(UInt8(ascii: ":")) ? Self.v6(bytes) : Self.dotted(bytes)
        guard let address else { return nil }
        self = address
    }

    // MARK: IPv4

    /// <https://url.spec.whatwg.org/#concept-ipv4-parser>
    private static func v4Host(_ text: Substring.UTF8View) -> Host {
        var text = text
        if text.last == UInt8(ascii: ".") { text = text.dropLast() }
        guard let last = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last,
            !last.isEmpty, last.allSatisfy({ isDigit($0) }) || number(last) != nil
        else { return .name }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 4 else { return .invalid }
        var value: UInt64 = 0
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty, let number = number(part) else { return .invalid }
            let isLast = index == parts.count - 1
            let bits = isLast ? UInt64(8 * (5 - parts.count)) : 8
            guard number < 1 << bits else { return .invalid }
            value = value << bits | number
        }
        return .address(IPAddress(v4: UInt32(truncatingIfNeeded: value)))
    }

    /// Decimal, octal behind a 0, hexadecimal behind 0x; capped far beyond what an address can hold.
    private static func number(_ text: Substring.UTF8View) -> UInt64? {
        var digits = text
        var radix: UInt64 = 10
        if digits.count >= 2, digits.first == UInt8(ascii: "0") {
            let second = digits[digits.index(after: digits.startIndex)]
            (digits, radix) = second | 0x20 == UInt8(ascii: "x") ? (digits.dropFirst(2), 16) : (digits.dropFirst(), 8)
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = hexDigit(byte), digit < radix else { return nil }
            value = min(value * radix + digit, 1 << 40)
        }
        return value
    }

    /// Four decimal numbers and nothing else.
    private static func dotted(_ text: Substring.UTF8View) -> IPAddress? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ isDigit($0) }),
                part.count == 1 || part.first != UInt8(ascii: "0"), let number = number(part), number < 256
            else { return nil }
            value = value << 8 | UInt32(number)
        }
        return IPAddress(v4: value)
    }

    // MARK: IPv6

    /// <https://url.spec.whatwg.org/#concept-ipv6-parser>
    private static func v6(_ text: Substring.UTF8View) -> IPAddress? {
        guard text.count <= 45 else { return nil }
        var pieces: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.first == UInt8(ascii: ":") {
            guard rest.dropFirst().first == UInt8(ascii: ":") else { return nil }
            rest = rest.dropFirst(2)
            gap = 0
        }
        while !rest.isEmpty {
            if rest.first == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = pieces.count
                rest = rest.dropFirst()
                continue
            }
            let piece = rest.prefix { $0 != UInt8(ascii: ":") }
            if piece.contains(UInt8(ascii: ".")) {
                guard piece.endIndex == rest.endIndex, pieces.count <= 6, let four = dotted(piece) else { return nil }
                pieces += [UInt16(truncatingIfNeeded: four.low >> 16), UInt16(truncatingIfNeeded: four.low)]
                break
            }
            guard (1...4).contains(piece.count), pieces.count < 8 else { return nil }
            var value: UInt16 = 0
            for byte in piece {
                guard let digit = hexDigit(byte) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            pieces.append(value)
            rest = rest[piece.endIndex...]
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            // A colon with nothing behind it.
            if rest.isEmpty { return nil }
        }
        return address(pieces, gap: gap)
    }

    private static func address(_ pieces: [UInt16], gap: Int?) -> IPAddress? {
        guard gap == nil ? pieces.count == 8 : pieces.count < 8 else { return nil }
        var all = pieces
        if let gap { all.insert(contentsOf: Array(repeating: 0, count: 8 - pieces.count), at: gap) }
        let halves = all.map(UInt64.init)
        return IPAddress(
            v6High: halves[0] << 48 | halves[1] << 32 | halves[2] << 16 | halves[3],
            low: halves[4] << 48 | halves[5] << 32 | halves[6] << 16 | halves[7])
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// IPv6 as RFC 5952 writes it, without brackets.
    public var description: String {
        if isV4 {
            let bytes = [24, 16, 8, 0].map { (shift: UInt64) -> String in String(low >> shift & 255) }
            return bytes.joined(separator: ".")
        }
        let shifts: [UInt64] = [48, 32, 16, 0]
        let pieces: [UInt64] = shifts.map { high >> $0 & 0xFFFF } + shifts.map { low >> $0 & 0xFFFF }
        var best = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || pieces[index] != 0 {
            if index - start > max(best.count, 1) { best = start..<index }
            start = index + 1
        }
        let texts = pieces.map { String($0, radix: 16) }
        guard !best.isEmpty else { return texts.joined(separator: ":") }
        return texts[..<best.lowerBound].joined(separator: ":") + "::"
            + texts[best.upperBound...].joined(separator: ":")
    }
}
