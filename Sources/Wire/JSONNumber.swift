import CSimdJSON

/// A number of JSON, no digit of an integer lost.
enum JSONNumber {
    case unsigned(UInt64)
    /// The magnitude. Of 0 for "-0".
    case negative(UInt64)
    /// With a fraction or an exponent, or an integer of more than 64 bits. Infinite when it is too large.
    case real(Double)

    /// Nil when the bytes are not a number as RFC 8259, section 6, has it.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        let isNegative = bytes.count > 0 && bytes[0] == UInt8(ascii: "-")
        if isNegative { position = 1 }
        let first = position
        var magnitude: UInt64 = 0
        var isTooLong = false
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            if _fastPath(position &- first < 19) {
                magnitude = magnitude &* 10 &+ UInt64(digit)
            } else {
                let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
                magnitude = sum
                isTooLong = isTooLong || overflow || carry
            }
            position &+= 1
        }
        guard position > first, position == first + 1 || bytes[first] != UInt8(ascii: "0") else { return nil }
        if _fastPath(position == bytes.count && !isTooLong) {
            self = isNegative ? .negative(magnitude) : .unsigned(magnitude)
            return
        }
        guard Self.isTail(bytes, position), let base = bytes.baseAddress else { return nil }
        self = .real(sl_json_double(base.assumingMemoryBound(to: CChar.self), bytes.count))
    }

    /// Whether a fraction and an exponent, each if any, are all that follows.
    private static func isTail(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        var position = start
        func digits() -> Bool {
            let first = position
            while position < bytes.count, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
            return position > first
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits() else { return false }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits() else { return false }
        }
        return position == bytes.count
    }

    /// Nil when it is not an integer of 64 bits, as `1.5`; `1.0` and `1e3` are.
    var int64: Int64? {
        switch self {
        case .unsigned(let magnitude): Int64(exactly: magnitude)
        case .negative(let magnitude): magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        case .real(let value): Int64(exactly: value)
        }
    }

    var uint64: UInt64? {
        switch self {
        case .unsigned(let magnitude): magnitude
        case .negative(let magnitude): magnitude == 0 ? 0 : nil
        case .real(let value): UInt64(exactly: value)
        }
    }

    /// Nil when it is too large for a double.
    var double: Double? {
        switch self {
        case .unsigned(let magnitude): Double(magnitude)
        case .negative(let magnitude): -Double(magnitude)
        case .real(let value): value.isFinite ? value : nil
        }
    }
}
