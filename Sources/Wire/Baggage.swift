// <https://www.w3.org/TR/baggage/>.

/// Names and values that travel with a request. Immutable in spirit: copies are cheap and changes make a new header.
public struct Baggage: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var key: String
        /// Percent-decoded.
        public var value: String
        /// What stood behind the first `;`, as it stood; "" for nothing.
        public var metadata: String

        public init(key: String, value: String, metadata: String = "") {
            self.key = key
            self.value = value
            self.metadata = metadata
        }
    }

    public static let headerName = "baggage"

    /// Section 3.3.2: what every platform passes on at least, and what this one passes on at most.
    public static let entriesMax = 64
    public static let bytesMax = 8192

    public private(set) var entries: [Entry] = []

    public init() {}

    /// Reads all `baggage` headers. Malformed members and those beyond the limits are left out; of equal keys the last counts.
    public init(parsing headers: [String]) {
        var bytes = 0
        for header in headers {
            for part in Array(header.utf8).split(separator: UInt8(ascii: ",")) {
                bytes += part.count + 1
                guard bytes <= Self.bytesMax else { return }
                if let entry = Self.entry(part) { set(entry) }
            }
        }
    }

    public subscript(key: String) -> String? { entries.first { $0.key == key }?.value }

    /// Adds or replaces the entry; false when the key is not a token or there are 64 others.
    @discardableResult
    public mutating func set(_ entry: Entry) -> Bool {
        if let index = entries.firstIndex(where: { $0.key == entry.key }) {
            entries[index] = entry
            return true
        }
        guard entries.count < Self.entriesMax, HTTPText.isToken(ArraySlice(entry.key.utf8)) else { return false }
        entries.append(entry)
        return true
    }

    public mutating func remove(_ key: String) { entries.removeAll { $0.key == key } }

    /// The header's value, of as many entries as fit 8192 bytes; nil when there is none.
    public var header: String? {
        var text: [UInt8] = []
        for entry in entries {
            var member = Array(entry.key.utf8) + [UInt8(ascii: "=")] + Self.percentEncoded(entry.value)
            if !entry.metadata.isEmpty { member += [UInt8(ascii: ";")] + Array(entry.metadata.utf8) }
            guard text.count + member.count + 1 <= Self.bytesMax else { continue }
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += member
        }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// `list-member`, section 3.3.1.1.
    private static func entry(_ member: ArraySlice<UInt8>) -> Entry? {
        let parts = member.split(separator: UInt8(ascii: ";"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let equals = parts[0].firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = HTTPText.trimmed(parts[0][..<equals])
        let value = HTTPText.trimmed(parts[0][(equals + 1)...])
        guard HTTPText.isToken(key), value.allSatisfy(isBaggageOctet) else { return nil }
        let metadata = parts.count > 1 ? HTTPText.trimmed(parts[1]) : []
        // Without this a value could carry the end of a header line out again.
        guard metadata.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else { return nil }
        return Entry(
            key: String(decoding: key, as: UTF8.self), value: percentDecoded(value),
            metadata: String(decoding: metadata, as: UTF8.self))
    }

    private static func isBaggageOctet(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }

    private static func percentEncoded(_ value: String) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return value.utf8.flatMap { byte in
            isBaggageOctet(byte) && byte != UInt8(ascii: "%")
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// A `%` without two hex digits stands for itself; what is not UTF-8 becomes U+FFFD (section 3.3.1.1.2).
    private static func percentDecoded(_ value: ArraySlice<UInt8>) -> String {
        var decoded: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, !digits.contains(UInt8(ascii: "+")),
                !digits.contains(UInt8(ascii: "-")),
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                decoded.append(code)
                rest.removeFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
