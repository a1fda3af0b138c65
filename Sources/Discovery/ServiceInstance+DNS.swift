extension ServiceInstance {
    /// Of a name in DNS-SD, and of one string of a TXT record. Bytes. RFC 6763, sections 4.1.1 and 6.1.
    static let labelBytesMax = 63
    static let textBytesMax = 255
    /// Of all strings; more does not fit into one packet with the rest. RFC 6763, section 6.2.
    static let textsBytesMax = 1_300

    /// The name of this instance in DNS-SD: its id, as far as it fits.
    public var dnsLabel: String { String(decoding: id.utf8.prefix(Self.labelBytesMax), as: UTF8.self) }

    /// The strings of its TXT record: `txtvers`, service, id, tags, and what is in `meta`; what does not fit is left out. RFC 6763, section 6.
    public var dnsTexts: [[UInt8]] {
        var fields: [(String, String)] = [("txtvers", "1"), ("service", name), ("id", id)]
        if !tags.isEmpty { fields.append(("tags", tags.joined(separator: ","))) }
        fields += meta.sorted { $0.key < $1.key }.filter { Self.isDNSKey($0.key) }
        var texts: [[UInt8]] = []
        var bytes = 0
        for (key, value) in fields {
            let text = Array("\(key)=\(value)".utf8)
            guard text.count <= Self.textBytesMax, bytes + text.count + 1 <= Self.textsBytesMax else { continue }
            bytes += text.count + 1
            texts.append(text)
        }
        return texts
    }

    /// Printable ASCII without "=", and none of those that are there already. RFC 6763, section 6.4.
    private static func isDNSKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
            && !["txtvers", "service", "id", "tags"].contains(key)
    }
}
