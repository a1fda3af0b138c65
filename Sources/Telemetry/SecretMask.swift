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
            var forms = Set(Self.written(value) + Self.percentEncoded(value))
            // Names of hosts and headers.
            forms.insert(value.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
            // util.inspect puts each line on one of its own.
            for line in value.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
            where line.count >= Self.valueBytesMin {
                forms.formUnion(Self.written(Array(line)))
            }
            patterns.formUnion(forms.map(Pattern.init))
            patterns.formUnion(Pattern.base64(value))
        }
        guard !patterns.isEmpty else { return nil }
        self.patterns = Array(patterns)
    }

    public func apply(_ bytes: UnsafeMutableRawBufferPointer) {
        // All are found first: one may begin in the midst of another.
        var places: [Range<Int>] = []
        for pattern in patterns { pattern.find(in: UnsafeRawBufferPointer(bytes), &places) }
        for place in places { for index in place { bytes[index] = UInt8(ascii: "*") } }
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

    /// As it is, as JSON has it, and as util.inspect has it, in quotes that are not in it and in those that are.
    private static func written(_ value: [UInt8]) -> [[UInt8]] {
        let hex = Array("0123456789abcdef".utf8), upperHex = Array("0123456789ABCDEF".utf8)
        let json = value.flatMap { byte -> [UInt8] in
            if let short = short(byte) { return short }
            switch byte {
            case 0x22: return [0x5C, byte]
            case 0x00..<0x20: return Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: return [byte]
            }
        }
        let inspected = value.flatMap { byte -> [UInt8] in
            if let short = short(byte) { return short }
            switch byte {
            case 0x00..<0x20, 0x7F: return Array("\\x".utf8) + [upperHex[Int(byte >> 4)], upperHex[Int(byte & 15)]]
            default: return [byte]
            }
        }
        return [value, json, inspected, inspected.flatMap { $0 == 0x27 ? [0x5C, $0] : [$0] }]
    }

    /// What has a letter for it, and the backslash.
    private static func short(_ byte: UInt8) -> [UInt8]? {
        switch byte {
        case 0x08: [0x5C, 0x62]
        case 0x09: [0x5C, 0x74]
        case 0x0A: [0x5C, 0x6E]
        case 0x0C: [0x5C, 0x66]
        case 0x0D: [0x5C, 0x72]
        case 0x5C: [0x5C, byte]
        default: nil
        }
    }

    /// As encodeURIComponent, encodeURI and URLSearchParams have it, and as a URL has it in its path, its query and its fragment.
    private static func percentEncoded(_ value: [UInt8]) -> [[UInt8]] {
        let digits = Array("0123456789ABCDEF".utf8)
        func encoded(_ isKept: (UInt8) -> Bool) -> [UInt8] {
            value.flatMap { byte in isKept(byte) ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
        func keeping(_ marks: String) -> [UInt8] {
            let marks = Array(marks.utf8)
            return encoded { isAlphanumeric($0) || marks.contains($0) }
        }
        func encoding(_ marks: String) -> [UInt8] {
            let marks = Array(marks.utf8)
            return encoded { (0x21...0x7E).contains($0) && !marks.contains($0) }
        }
        return [
            keeping("-_.!~*'()"), keeping("-_.!~*'();/?:@&=+$,#"), keeping("*-._ ").map { $0 == 0x20 ? 0x2B : $0 },
            encoding("\"#<>?`{}"), encoding("\"#<>'"), encoding("\"<>`"),
        ]
    }
}
