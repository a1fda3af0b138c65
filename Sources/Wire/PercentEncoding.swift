/// Text in the query of a URL.
public enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// All but RFC 3986's unreserved characters in percent.
    public static func encoded(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A name or value of `application/x-www-form-urlencoded` (URL Standard, section 5.1). A "%" without two digits stays; bytes that are not UTF-8 become U+FFFD.
    public static func formDecoded(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(Hex.nibble),
                let low = rest.dropFirst().first.flatMap(Hex.nibble)
            {
                out.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
