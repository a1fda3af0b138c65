// The inverse of Zipkin.swift, for all three of Zipkin's formats: <https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>.

import Telemetry

/// A service's or a host's name and address, as texts.
struct ZipkinHost {
    var serviceName = ForeignText.none
    var ipv4 = ForeignText.none
    var ipv6 = ForeignText.none
    var port: UInt16 = 0

    var address: ForeignText { ipv4.count > 0 ? ipv4 : ipv6 }
}

/// A span of Zipkin while it is read. `finish` makes a span for OTLP of it.
struct ZipkinSpan: ~Copyable {
    var foreign = ForeignSpan()
    let arena = TextArena()
    /// Microseconds; nil when it is not said.
    var timestamp: UInt64?
    var duration: UInt64?
    var local = ZipkinHost()
    var remote = ZipkinHost()
    var isDebug = false
    var isShared = false

    private static let linkTag: StaticString = "otlp.link."

    mutating func reset() {
        foreign.reset()
        arena.reset()
        timestamp = nil
        duration = nil
        local = ZipkinHost()
        remote = ZipkinHost()
        isDebug = false
        isShared = false
    }

    mutating func addTag(_ key: ForeignText, _ value: ForeignText) {
        if key.starts(with: Self.linkTag), addLink(value) { return }
        foreign.tags.append(ForeignTag(key, .string(value)))
    }

    /// An event. Its attributes are in its text, `"name":{…}`, if it has some.
    mutating func addAnnotation(microseconds: UInt64, _ value: ForeignText, at offset: Int) throws(DecodeError) {
        var event = ForeignEvent(
            time: try ForeignSpan.nanoseconds(microseconds, at: offset), name: value, attributes: 0..<0,
            droppedAttributes: 0)
        if value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "}") { takeAttributes(of: &event) }
        foreign.events.append(event)
    }

    /// Leaves the event as it is where the text is something else.
    private mutating func takeAttributes(of event: inout ForeignEvent) {
        let start = foreign.encoded.count
        do throws(DecodeError) {
            let (name, dropped) = try JSONTokens.withTokens(of: event.name, level: 1) { (tokens) throws(DecodeError) in
                let name = try arena.text(tokens.name())
                let dropped = try JSONAttributes.put(
                    &tokens, OTLP.EventField.attributes, countName: NonOTLP.droppedAttributes, into: &foreign.encoded)
                try tokens.end()
                return (name, dropped)
            }
            event.name = name
            event.droppedAttributes = dropped
            event.attributes = start..<foreign.encoded.count
        } catch {
            foreign.encoded.truncate(to: start)
        }
    }

    /// `trace id|span id|trace state|attributes as JSON|how many were dropped`. False when the text is something else.
    private mutating func addLink(_ text: ForeignText) -> Bool {
        let bar = UInt8(ascii: "|")
        guard text.count > 52, text[32] == bar, text[49] == bar, let base = text.baseAddress,
            let high = Hex.word(base), let low = Hex.word(base + 16), let id = Hex.word(base + 33),
            let lastBar = text.lastIndex(of: bar), lastBar > 50,
            let dropped = text.rest(after: lastBar + 1).decimal.flatMap({ UInt32(exactly: $0) })
        else { return false }
        var link = ForeignLink(
            traceID: TraceID(high: high, low: low), spanID: SpanID(id), droppedAttributes: dropped)
        // A trace state may hold a bar and a brace.
        var tries = 0
        for index in 50..<lastBar where text[index] == bar && text[index + 1] == UInt8(ascii: "{") {
            tries += 1
            if tries > 4 { return false }
            let start = foreign.encoded.count
            do throws(DecodeError) {
                let json = ForeignText(rebasing: text[(index + 1)..<lastBar])
                try JSONTokens.withTokens(of: json, level: 1) { (tokens) throws(DecodeError) in
                    _ = try JSONAttributes.put(
                        &tokens, OTLP.LinkField.attributes, countName: nil, into: &foreign.encoded)
                    try tokens.end()
                }
                link.traceState = ForeignText(rebasing: text[50..<index])
                link.attributes = start..<foreign.encoded.count
                foreign.links.append(link)
                return true
            } catch {
                foreign.encoded.truncate(to: start)
            }
        }
        return false
    }

    /// What was gathered becomes what the span says. A span without a time begins with its first annotation.
    mutating func finish(at offset: Int) throws(DecodeError) {
        try foreign.setTimes(
            startMicroseconds: timestamp ?? foreign.events.map { $0.time / 1000 }.min() ?? 0,
            durationMicroseconds: duration ?? 0, at: offset)
        // What is reported was sampled.
        foreign.traceFlags = 1
        foreign.serviceName = local.serviceName
        if local.address.count > 0 {
            foreign.resourceTags.append(ForeignTag("network.local.address", .string(local.address)))
        }
        if local.port != 0 { foreign.resourceTags.append(ForeignTag("network.local.port", .int(Int64(local.port)))) }
        addRemote()
        if isDebug { foreign.tags.append(ForeignTag("zipkin.debug", .bool(true))) }
        if isShared { foreign.tags.append(ForeignTag("zipkin.shared", .bool(true))) }
    }

    /// An encoder made the endpoint of the tags, if one of those names the other side.
    private mutating func addRemote() {
        guard remote.serviceName.count > 0 || remote.address.count > 0, !foreign.tags.contains(where: Self.namesPeer)
        else { return }
        if remote.serviceName.count > 0 { foreign.tags.append(ForeignTag("peer.service", .string(remote.serviceName))) }
        if remote.address.count > 0 { foreign.tags.append(ForeignTag("network.peer.address", .string(remote.address))) }
        if remote.port != 0 { foreign.tags.append(ForeignTag("network.peer.port", .int(Int64(remote.port)))) }
    }

    private static func namesPeer(_ tag: ForeignTag) -> Bool {
        guard let text = tag.value.string, text.count > 0 else { return false }
        for name in ZipkinEndpoint.peerNames where tag.key.equals(name) { return true }
        return false
    }

    // MARK: ids

    /// At most 32 digits, as Zipkin takes them.
    static func traceID(_ digits: ForeignText, at offset: Int) throws(DecodeError) -> TraceID {
        guard (1...32).contains(digits.count) else { throw .badIDLength(at: offset) }
        guard digits.count > 16 else { return TraceID(high: 0, low: try word(digits, at: offset)) }
        let split = digits.count - 16
        return TraceID(
            high: try word(ForeignText(rebasing: digits[..<split]), at: offset),
            low: try word(digits.rest(after: split), at: offset))
    }

    static func spanID(_ digits: ForeignText, at offset: Int) throws(DecodeError) -> SpanID {
        guard (1...16).contains(digits.count) else { throw .badIDLength(at: offset) }
        return SpanID(try word(digits, at: offset))
    }

    private static func word(_ digits: ForeignText, at offset: Int) throws(DecodeError) -> UInt64 {
        guard let word = Hex.word(digits) else { throw .badIDDigits(at: offset) }
        return word
    }
}

/// JSON's values as attributes.
enum JSONAttributes {
    /// Writes the members of the object ahead as `KeyValue`s in `field`. A member with the name `countName` that is a count is returned instead.
    static func put(
        _ tokens: inout JSONTokens, _ field: UInt32, countName: String?, into writer: inout ProtobufWriter,
        depth: Int = 0
    ) throws(DecodeError) -> UInt32 {
        var count: UInt32 = 0
        guard try tokens.enterObject() else { return 0 }
        repeat {
            let start = writer.count
            let keyValue = writer.begin(field)
            let key = try tokens.name()
            if let countName, count == 0, key.bytes.elementsEqual(countName.utf8) {
                let position = tokens.position
                if case .unsigned(let number)? = try? tokens.number(), let number = UInt32(exactly: number) {
                    count = number
                    writer.truncate(to: start)
                    continue
                }
                tokens.position = position
            }
            try key.put(OTLP.KeyValueField.key, into: &writer)
            try put(&tokens, value: OTLP.KeyValueField.value, into: &writer, depth: depth)
            writer.end(keyValue)
        } while try tokens.nextMember()
        return count
    }

    private static func put(
        _ tokens: inout JSONTokens, value field: UInt32, into writer: inout ProtobufWriter, depth: Int
    ) throws(DecodeError) {
        guard depth < OTLP.valueDepthMax else { throw .nestedTooDeep(at: tokens.offset) }
        let anyValue = writer.begin(field)
        switch tokens.next {
        case UInt8(ascii: "\""): try tokens.string().put(OTLP.AnyValueField.string, into: &writer)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): writer.putVarint(OTLP.AnyValueField.bool, try tokens.bool() ? 1 : 0)
        case UInt8(ascii: "n"): _ = try tokens.takeNull()
        case UInt8(ascii: "{"):
            let map = writer.begin(OTLP.AnyValueField.map)
            _ = try put(&tokens, OTLP.AnyValueField.elements, countName: nil, into: &writer, depth: depth + 1)
            writer.end(map)
        case UInt8(ascii: "["):
            let array = writer.begin(OTLP.AnyValueField.array)
            if try tokens.enterArray() {
                repeat {
                    try put(&tokens, value: OTLP.AnyValueField.elements, into: &writer, depth: depth + 1)
                } while try tokens.nextElement()
            }
            writer.end(array)
        default: try put(tokens.number(), at: tokens.offset, into: &writer)
        }
        writer.end(anyValue)
    }

    private static func put(_ number: JSONNumber, at offset: Int, into writer: inout ProtobufWriter) throws(DecodeError)
    {
        if case .real = number {
        } else if let integer = number.int64 {
            return writer.putVarint(OTLP.AnyValueField.int, UInt64(bitPattern: integer))
        }
        guard let double = number.double else { throw .outOfRange(at: offset) }
        writer.putDouble(OTLP.AnyValueField.double, double)
    }
}
