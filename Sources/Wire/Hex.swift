/// Hex digits of either case.
enum Hex {
    @inline(__always)
    static func nibble(_ digit: UInt8) -> UInt8? {
        let decimal = digit &- UInt8(ascii: "0")
        if decimal <= 9 { return decimal }
        let letter = (digit | 0x20) &- UInt8(ascii: "a")
        return letter <= 5 ? letter &+ 10 : nil
    }

    /// The number that 16 digits are; nil when one of them is none.
    @inline(__always)
    static func word(_ digits: UnsafeRawPointer) -> UInt64? {
        let bytes = digits.loadUnaligned(as: SIMD16<UInt8>.self)
        let decimals = bytes &- 0x30
        let letters = (bytes | 0x20) &- 0x61
        let isDecimal = decimals .<= 9
        guard all(isDecimal .| (letters .<= 5)) else { return nil }
        let nibbles = (letters &+ 10).replacing(with: decimals, where: isDecimal)
        let pairs = nibbles.evenHalf &<< 4 | nibbles.oddHalf
        return UInt64(bigEndian: unsafeBitCast(pairs, to: UInt64.self))
    }

    /// The number that at most 16 digits are; nil when there are none or one of them is none.
    static func word(_ digits: UnsafeRawBufferPointer) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let nibble = nibble(digit) else { return nil }
            value = value << 4 | UInt64(nibble)
        }
        return value
    }
}
