internal import CLinux

/// Values that must not be said, in the forms that text of a program has them in. Where one is found its bytes become asterisks: as many, so that
/// whatever holds the text stays what it is.
public struct SecretMask: Sendable {
    /// Shorter values are not looked for: they are in too much that is none of them. Bytes.
    public static let valueBytesMin = 8

    private let patterns: [[UInt8]]

    /// Nil: there is nothing to look for.
    public init?(_ values: [[UInt8]]) {
        var patterns: Set<[UInt8]> = []
        for value in values where value.count >= Self.valueBytesMin {
            patterns.formUnion([value, Self.escaped(value), Self.percentEncoded(value)])
            patterns.formUnion(Self.base64(value))
        }
        guard !patterns.isEmpty else { return nil }
        // What holds another comes first.
        self.patterns = patterns.sorted { $0.count > $1.count }
    }

    public func apply(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        for pattern in patterns { sl_mask(start, bytes.count, pattern, pattern.count) }
    }

    public func applied(to bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var copy = Array(bytes)
        copy.withUnsafeMutableBytes(apply)
        return copy
    }

    public func applied(to text: String) -> String {
        var copy = Array(text.utf8)
        copy.withUnsafeMutableBytes(apply)
        return String(decoding: copy, as: UTF8.self)
    }

    // MARK: forms

    /// As JSON has it.
    private static func escaped(_ value: [UInt8]) -> [UInt8] {
        value.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x22, 0x5C: [0x5C, byte]
            case 0x0A: [0x5C, 0x6E]
            case 0x0D: [0x5C, 0x72]
            case 0x09: [0x5C, 0x74]
            default: [byte]
            }
        }
    }

    /// As encodeURIComponent has it.
    private static func percentEncoded(_ value: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return value.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x21, 0x27...0x2A, 0x2D, 0x2E, 0x5F, 0x7E: [byte]
            default: [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// What it is in base64 wherever in a longer text it stands, as in a header of Basic authentication: three forms, without the digits at both ends that
    /// neighbours have a part in.
    private static func base64(_ value: [UInt8]) -> [[UInt8]] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return (0..<3).map { before in
            let bytes = [UInt8](repeating: 0, count: before) + value
            var text: [UInt8] = []
            for index in stride(from: 0, to: bytes.count - 2, by: 3) {
                let word = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                for shift in [18, 12, 6, 0] as [UInt32] { text.append(digits[Int(word >> shift & 63)]) }
            }
            // 8 bits of a byte before reach into two digits, 16 into three.
            return Array(text.dropFirst([0, 2, 3][before]))
        }.filter { $0.count >= valueBytesMin }
    }
}
