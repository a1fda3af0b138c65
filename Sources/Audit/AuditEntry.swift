// A line of the log: JSON with fixed first and last members, so that chain and digest can be checked without trusting the rest.
//
//     {"seq":7,"prev":"<64 hex>","time":"…","kind":"violation",…,"hash":"<64 hex>"}\n
//
// `hash` is SHA-256 of the domain and of all bytes before `,"hash"`; `prev` is the hash of the line before. docs/specs/audit-log.md.

public import Signing
internal import Telemetry
internal import Wire

/// An event with its place in the chain.
public struct AuditEntry: Hashable, Sendable {
    /// From 1, without a gap.
    public var number: UInt64
    /// The hash of the entry before; zero before the first.
    public var previous: Digest
    public var hash: Digest
    public var event: AuditEvent

    /// No log has as many: a larger number is nobody's who goes on counting.
    static let numberMax: UInt64 = 1 << 62
    /// Bytes of a line with its end.
    public static let lineBytesMax = 65_536
    /// What is kept of each text of an event, bytes. JSON makes up to six of one.
    static let textBytesMax = 1_024
    static let nameBytesMax = 256
    /// Attributes are left out where a line has as many bytes.
    private static let attributesFrom = 48_000

    private static let domain = Array("sidelight audit entry v1\n".utf8)
    /// How every line begins.
    static let lineStart = "{\"seq\":"
    private static let hashName = Array(",\"hash\":\"".utf8)
    /// `,"hash":"…"}`.
    private static let tailBytes = hashName.count + 2 * Digest.bytesCount + 2

    // MARK: Writing

    /// The line of the event as the next of the chain, with its end, and its hash.
    static func line(_ event: AuditEvent, number: UInt64, previous: Digest) -> (bytes: [UInt8], hash: Digest) {
        var json = JSONWriter(capacity: 512)
        json.beginObject()
        json.name("seq")
        json.integer(number)
        json.field("prev", previous.hex)
        json.field("time", UnixTime.text(event.time, fractionDigits: 9))
        json.field("kind", event.kind.rawValue)
        for (name, text) in [
            ("actor", event.actor), ("action", event.action), ("target", event.target), ("outcome", event.outcome),
            ("reason", event.reason),
        ] where !text.isEmpty {
            json.field(name, cut(text, textBytesMax))
        }
        if let trace = event.traceID { json.field("traceId", trace.hex) }
        if let span = event.spanID { json.field("spanId", span.hex) }
        if !event.attributes.isEmpty {
            json.name("attributes")
            json.object { json in
                for attribute in event.attributes where json.bytes.count < attributesFrom {
                    json.name(cut(attribute.key, nameBytesMax))
                    put(attribute.value, &json)
                }
            }
        }
        let hash = Digest(of: domain + json.bytes)
        return (json.bytes + hashName + Array(hash.hex.utf8) + Array("\"}\n".utf8), hash)
    }

    private static func put(_ value: AttributeValue, _ json: inout JSONWriter) {
        switch value {
        case .string(let text): json.string(cut(text, textBytesMax))
        case .bool(let value): json.bool(value)
        case .int(let value): json.integer(value)
        case .double(let value): json.double(value)
        default: json.string(cut("\(value)", textBytesMax))
        }
    }

    /// At most so many bytes of it, whole characters of Unicode.
    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytesMax)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }

    // MARK: Reading

    /// What is wrong with a line.
    enum LineProblem: Error {
        /// No entry at all.
        case unreadable
        /// One whose content is not what its hash says, with what it says.
        case edited(AuditEntry)
    }

    /// A line without its end.
    init(line: ArraySlice<UInt8>) throws(LineProblem) {
        guard line.count < Self.lineBytesMax, line.count > Self.tailBytes else { throw .unreadable }
        let body = line.dropLast(Self.tailBytes)
        let tail = line.suffix(Self.tailBytes)
        guard tail.starts(with: Self.hashName), tail.suffix(2) == [UInt8(ascii: "\""), UInt8(ascii: "}")],
            let hash = Digest(
                hex: String(decoding: tail.dropFirst(Self.hashName.count).dropLast(2), as: UTF8.self)),
            let json = try? JSONValue(parsing: Array(line)), let entry = AuditEntry(json, hash: hash)
        else { throw .unreadable }
        self = entry
        guard Digest(of: Self.domain + body) == hash else { throw .edited(entry) }
    }

    private init?(_ json: JSONValue, hash: Digest) {
        guard case .number(let digits) = json["seq"], let number = UInt64(digits),
            (1...Self.numberMax).contains(number),
            let previous = json["prev"]?.string.flatMap({ Digest(hex: $0) }),
            let time = json["time"]?.string.flatMap({ UnixTime.nanoseconds(parsing: $0) }),
            let kind = json["kind"]?.string.flatMap({ AuditEvent.Kind(rawValue: $0) })
        else { return nil }
        self.number = number
        self.previous = previous
        self.hash = hash
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        event = AuditEvent(
            kind, time: time, actor: text("actor"), action: text("action"), target: text("target"),
            outcome: text("outcome"), reason: text("reason"), traceID: TraceID(hex: text("traceId")),
            spanID: SpanID(hex: text("spanId")))
        if case .object(let members) = json["attributes"] {
            event.attributes = members.sorted { $0.key < $1.key }.compactMap { name, value in
                Self.attribute(value).map { Attribute(name, $0) }
            }
        }
    }

    private static func attribute(_ value: JSONValue) -> AttributeValue? {
        switch value {
        case .string(let text): .string(text)
        case .bool(let value): .bool(value)
        case .number(let digits): Int64(digits).map(AttributeValue.int) ?? Double(digits).map(AttributeValue.double)
        default: nil
        }
    }
}
