// <https://www.w3.org/TR/trace-context-2/> (level 2), read strictly: only lowercase hex, version ff refused, later versions
// read as far as this one goes.

public import Telemetry

/// The headers `traceparent` and `tracestate`.
public enum W3CTraceContext {
    public static let traceParentName = "traceparent"
    public static let traceStateName = "tracestate"

    /// Section 3.3.1.1.
    public static let traceStateMembersMax = 32

    /// Bit 0 sampled, bit 1 random trace id; a participant does not pass on others.
    static let knownFlags: UInt8 = 0b11

    // MARK: extract

    /// The remote context that the headers' values name; nil when there is not exactly one valid `traceparent`.
    /// An invalid `tracestate` is dropped as a whole and the rest is kept (section 4.3).
    public static func extract(traceParent: [String], traceState: [String]) -> SpanContext? {
        guard traceParent.count == 1, var context = parse(traceParent: traceParent[0]) else { return nil }
        context.traceState = parse(traceState: traceState) ?? ""
        return context
    }

    /// Section 3.2. White space around the value is the header's and is passed over.
    public static func parse(traceParent: String) -> SpanContext? {
        var text = traceParent
        guard let parent = text.withUTF8({ TraceParent(UnsafeRawBufferPointer($0)) }) else { return nil }
        return SpanContext(
            traceID: parent.traceID, spanID: parent.spanID, traceFlags: parent.traceFlags, isRemote: true)
    }

    /// The members of all `tracestate` headers as one text without optional white space and empty members; nil when one is
    /// malformed or there are more than 32. Of members with the same key the first is kept.
    public static func parse(traceState headers: [String]) -> String? {
        var members: [ArraySlice<UInt8>] = []
        var keys: Set<[UInt8]> = []
        for header in headers {
            for part in Array(header.utf8).split(separator: comma, omittingEmptySubsequences: true) {
                let member = HTTPText.trimmed(part)
                if member.isEmpty { continue }
                guard let equals = member.firstIndex(of: UInt8(ascii: "=")), isKey(member[..<equals]),
                    isValue(member[(equals + 1)...])
                else { return nil }
                if keys.insert(Array(member[..<equals])).inserted { members.append(member) }
            }
        }
        guard members.count <= traceStateMembersMax else { return nil }
        return String(decoding: Array(members.joined(separator: [comma])), as: UTF8.self)
    }

    // MARK: inject

    /// The value of `traceparent`, version 00; nil for a context without ids.
    public static func format(_ context: SpanContext) -> String? {
        guard context.traceID.isValid, context.spanID.isValid else { return nil }
        let flags = context.traceFlags & knownFlags
        return "00-\(context.traceID.hex)-\(context.spanID.hex)-0\(flags)"
    }

    /// The trace state with the member set and moved to the front, the last one dropped if there would be more than 32 (section
    /// 3.3.1.1). The key and value must follow the grammar: else the state is returned unchanged.
    public static func setting(_ key: String, to value: String, in traceState: String) -> String {
        guard isKey(ArraySlice(key.utf8)), isValue(ArraySlice(value.utf8)) else { return traceState }
        let others = traceState.split(separator: ",").filter { !$0.hasPrefix(key + "=") }
        return (["\(key)=\(value)"] + others.prefix(traceStateMembersMax - 1).map(String.init)).joined(separator: ",")
    }

    // MARK: grammar

    private static let comma = UInt8(ascii: ",")

    /// `key`, section 3.3.1.3.1: a lowercase letter or digit, then up to 255 of those and `_-*/@`.
    private static func isKey(_ key: ArraySlice<UInt8>) -> Bool {
        guard let first = key.first, key.count <= 256, isLowercaseOrDigit(first) else { return false }
        return key.allSatisfy { isLowercaseOrDigit($0) || "_-*/@".utf8.contains($0) }
    }

    private static func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// `value`, section 3.3.1.3.2: up to 256 printable characters without `,` and `=`, the last not a space.
    private static func isValue(_ value: ArraySlice<UInt8>) -> Bool {
        guard let last = value.last, value.count <= 256, last != 0x20 else { return false }
        return value.allSatisfy { (0x20...0x7E).contains($0) && $0 != comma && $0 != UInt8(ascii: "=") }
    }
}

/// What the grammars of HTTP headers share, RFC 9110 section 5.6.
enum HTTPText {
    /// Without the optional white space (spaces and tabs) at both ends; indexed from 0.
    static func trimmed(_ text: some BidirectionalCollection<UInt8>) -> ArraySlice<UInt8> {
        var slice = ArraySlice(Array(text))
        while let first = slice.first, first == 0x20 || first == 0x09 { slice.removeFirst() }
        while let last = slice.last, last == 0x20 || last == 0x09 { slice.removeLast() }
        return ArraySlice(Array(slice))
    }

    /// `token`.
    static func isToken(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty
            && text.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
