/// Values that must not be said, in the forms that text of a program has them in. Where one is found its bytes become asterisks: as many, so that
/// whatever holds the text stays what it is.
public struct SecretMask: Sendable {
    /// Shorter values are not looked for: they are in too much that is none of them. Bytes.
    public static let valueBytesMin = 8

    private let patterns: [Pattern]

    /// Nil: there is nothing to look for.
    public init?(_ values: [[UInt8]]) {
        var patterns: Set<Pattern> = []
        for value in values where value.count >= Self.valueBytesMin {
            for form in [value, Self.escaped(value), Self.percentEncoded(value)] { patterns.insert(Pattern(form)) }
            patterns.formUnion(Pattern.base64(value))
        }
        guard !patterns.isEmpty else { return nil }
        // What holds another comes first.
        self.patterns = patterns.sorted { $0.bytes.count > $1.bytes.count }
    }

    public func apply(_ bytes: UnsafeMutableRawBufferPointer) {
        for pattern in patterns { pattern.mask(bytes) }
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
}
