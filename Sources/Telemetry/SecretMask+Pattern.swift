internal import CLinux

// Base64 (RFC 4648, sections 4 and 5) makes four digits of three bytes. Where a value stands in the text that is encoded, and how long it is, decides which digits
// it has at both ends in common with its neighbours: those cannot be looked for, but are known in part, so they are looked at once the others are found.

extension SecretMask {
    /// What is looked for, and what right before and after it belongs to it.
    struct Pattern: Hashable, Sendable {
        let bytes: [UInt8]
        /// Nil: nothing.
        private var before: Share?
        private var after: Share?

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        /// A digit of which some bits are the value's.
        private struct Share: Hashable {
            var mask: UInt8
            var bits: UInt8

            func isIn(_ byte: UInt8) -> Bool { digitValue(byte).map { $0 & mask == bits } ?? false }
        }

        /// Adds each place of it to `places`; they may overlap.
        func find(in text: UnsafeRawBufferPointer, _ places: inout [Range<Int>]) {
            guard let start = text.baseAddress else { return }
            var next = 0
            while let found = sl_find(start + next, text.count - next, bytes, bytes.count) {
                var first = start.distance(to: UnsafeRawPointer(found))
                next = first + 1
                var end = first + bytes.count
                if let before, first > 0, before.isIn(text[first - 1]) { first -= 1 }
                if let after, end < text.count, after.isIn(text[end]) {
                    end += 1
                    // It is the last digit, if padding follows.
                    while end < text.count, text[end] == UInt8(ascii: "=") { end += 1 }
                }
                places.append(first..<end)
            }
        }

        // MARK: base64

        /// What a value is in base64 wherever in a longer text it stands, as in a header of Basic authentication, in both alphabets.
        static func base64(_ value: [UInt8]) -> [Pattern] {
            (0..<3).flatMap { before in
                [Array("+/".utf8), Array("-_".utf8)].map { base64(value, after: before, $0) }
            }
        }

        /// - Parameters:
        ///   - before: Bytes of something else that its first group has.
        ///   - last: The alphabet's last two digits.
        private static func base64(_ value: [UInt8], after before: Int, _ last: [UInt8]) -> Pattern {
            let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8) + last
            let bytes = [UInt8](repeating: 0, count: before) + value
            // 8 bits of a byte before reach into two digits, 16 into three.
            let known = [0, 2, 3][before]..<(bytes.count * 8 / 6)
            var pattern = Pattern(
                known.map { index in
                    let bit = index * 6
                    let next = bit / 8 + 1 < bytes.count ? bytes[bit / 8 + 1] : 0
                    let word = UInt16(bytes[bit / 8]) << 8 | UInt16(next)
                    return digits[Int(word >> UInt16(10 - bit % 8) & 63)]
                })
            switch before {
            case 1: pattern.before = Share(mask: 0x0F, bits: value[0] >> 4)
            case 2: pattern.before = Share(mask: 0x03, bits: value[0] >> 6)
            default: break
            }
            switch bytes.count % 3 {
            case 1: pattern.after = Share(mask: 0x30, bits: value[value.count - 1] << 4 & 0x30)
            case 2: pattern.after = Share(mask: 0x3C, bits: value[value.count - 1] << 2 & 0x3C)
            default: break
            }
            return pattern
        }

        /// Of either alphabet; nil: it is no digit.
        private static func digitValue(_ byte: UInt8) -> UInt8? {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
            default: nil
            }
        }
    }
}
