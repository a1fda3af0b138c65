/// RFC 4648, section 4.
enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func append(_ raw: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + (raw.count + 2) / 3 * 4)
        var index = 0
        while index < raw.count {
            let left = raw.count - index
            let group =
                UInt32(raw[index]) << 16 | (left > 1 ? UInt32(raw[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(raw[index + 2]) : 0)
            output.append(alphabet[Int(group >> 18 & 63)])
            output.append(alphabet[Int(group >> 12 & 63)])
            output.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            output.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }

    static func text(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        bytes.withUnsafeBytes { append($0, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes what the digits stand for: of the alphabet of section 4 or 5, with or without padding, as protobuf's JSON form lets pass.
    /// False when they are no base64, and then what was written is of no use.
    static func decode(_ digits: UnsafeRawBufferPointer, into writer: inout ProtobufWriter) -> Bool {
        var count = digits.count
        if count % 4 == 0 {
            for _ in 0..<2 where count > 0 && digits[count - 1] == UInt8(ascii: "=") { count -= 1 }
        }
        guard count % 4 != 1 else { return false }
        writer.ensureCapacity(count / 4 * 3 + 3)
        var group: UInt32 = 0
        var bits = 0
        for index in 0..<count {
            guard let value = value(of: digits[index]) else { return false }
            group = group << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                writer.storeByte(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        return true
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
