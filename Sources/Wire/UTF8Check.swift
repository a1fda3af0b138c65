import CSimdJSON

/// Whether bytes from outside are text.
enum UTF8Check {
    /// Short ASCII, which most names and values are, costs a few comparisons.
    @inline(__always)
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
        var position = 0
        while position &+ 8 <= bytes.count {
            if base.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
                return isValidSlowly(base, bytes.count)
            }
            position &+= 8
        }
        while position < bytes.count {
            if bytes[position] >= 0x80 { return isValidSlowly(base, bytes.count) }
            position &+= 1
        }
        return true
    }

    @inline(never)
    private static func isValidSlowly(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        sl_utf8_is_valid(base.assumingMemoryBound(to: UInt8.self), count)
    }

    /// The offset of the first sequence that is not UTF-8, Unicode 15.0 table 3-7; the count when there is none.
    static func firstBad(in bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        func continues(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index < bytes.count && range.contains(bytes[index])
        }
        while offset < bytes.count {
            let lead = bytes[offset]
            let length: Int
            switch lead {
            case 0...0x7F: length = 1
            case 0xC2...0xDF: length = continues(offset + 1) ? 2 : 0
            case 0xE0...0xEF:
                let second: ClosedRange<UInt8> = lead == 0xE0 ? 0xA0...0xBF : lead == 0xED ? 0x80...0x9F : 0x80...0xBF
                length = continues(offset + 1, second) && continues(offset + 2) ? 3 : 0
            case 0xF0...0xF4:
                let second: ClosedRange<UInt8> = lead == 0xF0 ? 0x90...0xBF : lead == 0xF4 ? 0x80...0x8F : 0x80...0xBF
                length = continues(offset + 1, second) && continues(offset + 2) && continues(offset + 3) ? 4 : 0
            default: length = 0
            }
            guard length > 0 else { return offset }
            offset += length
        }
        return offset
    }
}
