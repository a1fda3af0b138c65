public import Telemetry

extension OTLP {
    /// Writes the fields of a `Span` message.
    public static func encode(span: SpanData, into writer: inout ProtobufWriter) {
        put(SpanField.traceID, span.context.traceID, into: &writer)
        put(SpanField.spanID, span.context.spanID, into: &writer)
        putText(SpanField.traceState, span.context.traceState, into: &writer)
        if span.parentSpanID.isValid { put(SpanField.parentSpanID, span.parentSpanID, into: &writer) }
        putText(SpanField.name, span.name, into: &writer)
        putCount(SpanField.kind, UInt32(span.kind.rawValue), into: &writer)
        putTime(SpanField.startTime, span.startTime, into: &writer)
        putTime(SpanField.endTime, span.endTime, into: &writer)
        encode(attributes: span.attributes, field: SpanField.attributes, into: &writer)
        putCount(SpanField.droppedAttributesCount, span.droppedAttributesCount, into: &writer)
        for event in span.events { encode(event: event, into: &writer) }
        putCount(SpanField.droppedEventsCount, span.droppedEventsCount, into: &writer)
        for link in span.links { encode(link: link, into: &writer) }
        putCount(SpanField.droppedLinksCount, span.droppedLinksCount, into: &writer)
        encode(status: span.status, into: &writer)
        let flags = flags(span.context.traceFlags, isRemote: span.parentIsRemote)
        if flags != 0 { writer.putFixed32(SpanField.flags, flags) }
    }

    private static func encode(event: SpanData.Event, into writer: inout ProtobufWriter) {
        let message = writer.begin(SpanField.events)
        putTime(EventField.time, event.time, into: &writer)
        putText(EventField.name, event.name, into: &writer)
        encode(attributes: event.attributes, field: EventField.attributes, into: &writer)
        putCount(EventField.droppedAttributesCount, event.droppedAttributesCount, into: &writer)
        writer.end(message)
    }

    private static func encode(link: SpanData.Link, into writer: inout ProtobufWriter) {
        let message = writer.begin(SpanField.links)
        put(LinkField.traceID, link.context.traceID, into: &writer)
        put(LinkField.spanID, link.context.spanID, into: &writer)
        putText(LinkField.traceState, link.context.traceState, into: &writer)
        encode(attributes: link.attributes, field: LinkField.attributes, into: &writer)
        putCount(LinkField.droppedAttributesCount, link.droppedAttributesCount, into: &writer)
        writer.putFixed32(LinkField.flags, flags(link.context.traceFlags, isRemote: link.context.isRemote))
        writer.end(message)
    }

    private static func encode(status: SpanStatus, into writer: inout ProtobufWriter) {
        guard status.code != .unset || !status.message.isEmpty else { return }
        let message = writer.begin(SpanField.status)
        putText(StatusField.message, status.message, into: &writer)
        putCount(StatusField.code, UInt32(status.code.rawValue), into: &writer)
        writer.end(message)
    }

    /// `Span.flags` and `Link.flags`.
    static func flags(_ traceFlags: UInt8, isRemote: Bool?) -> UInt32 {
        let remote = isRemote.map { SpanFlags.isRemoteKnown | ($0 ? SpanFlags.isRemote : 0) } ?? 0
        return UInt32(traceFlags) | remote
    }

    // MARK: decode

    /// Decodes a `Span` message. A kind or status code this version does not know becomes unspecified or unset.
    public static func decodeSpan(_ bytes: [UInt8]) throws(DecodeError) -> SpanData {
        try decoding(bytes) { (reader) throws(DecodeError) in try decodeSpan(reader) }
    }

    /// Decodes a `Span` message.
    public static func decodeSpan(_ reader: consuming ProtobufReader) throws(DecodeError) -> SpanData {
        var span = SpanData(
            context: SpanContext(traceID: .invalid, spanID: .invalid, traceFlags: 0), name: "", kind: .unspecified,
            startTime: 0, endTime: 0)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (SpanField.traceID, .lengthDelimited): span.context.traceID = try traceID(&reader)
            case (SpanField.spanID, .lengthDelimited): span.context.spanID = try spanID(&reader)
            case (SpanField.traceState, .lengthDelimited): span.context.traceState = try reader.string()
            case (SpanField.parentSpanID, .lengthDelimited): span.parentSpanID = try spanID(&reader)
            case (SpanField.name, .lengthDelimited): span.name = try reader.string()
            case (SpanField.kind, .varint): span.kind = try kind(reader.varint32())
            case (SpanField.startTime, .fixed64): span.startTime = try reader.fixed64()
            case (SpanField.endTime, .fixed64): span.endTime = try reader.fixed64()
            case (SpanField.attributes, .lengthDelimited): span.attributes.append(try decodeAttribute(reader.message()))
            case (SpanField.droppedAttributesCount, .varint): span.droppedAttributesCount = try reader.varint32()
            case (SpanField.events, .lengthDelimited): span.events.append(try decodeEvent(reader.message()))
            case (SpanField.droppedEventsCount, .varint): span.droppedEventsCount = try reader.varint32()
            case (SpanField.links, .lengthDelimited): span.links.append(try decodeLink(reader.message()))
            case (SpanField.droppedLinksCount, .varint): span.droppedLinksCount = try reader.varint32()
            case (SpanField.status, .lengthDelimited): try decodeStatus(reader.message(), into: &span.status)
            case (SpanField.flags, .fixed32):
                let flags = try reader.fixed32()
                span.context.traceFlags = UInt8(truncatingIfNeeded: flags & SpanFlags.traceFlagsMask)
                span.parentIsRemote = flags & SpanFlags.isRemoteKnown == 0 ? nil : flags & SpanFlags.isRemote != 0
            default: try reader.skip(field)
            }
        }
        return span
    }

    private static func decodeEvent(_ reader: consuming ProtobufReader) throws(DecodeError) -> SpanData.Event {
        var event = SpanData.Event(time: 0, name: "")
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (EventField.time, .fixed64): event.time = try reader.fixed64()
            case (EventField.name, .lengthDelimited): event.name = try reader.string()
            case (EventField.attributes, .lengthDelimited):
                event.attributes.append(try decodeAttribute(reader.message()))
            case (EventField.droppedAttributesCount, .varint): event.droppedAttributesCount = try reader.varint32()
            default: try reader.skip(field)
            }
        }
        return event
    }

    private static func decodeLink(_ reader: consuming ProtobufReader) throws(DecodeError) -> SpanData.Link {
        var link = SpanData.Link(context: SpanContext(traceID: .invalid, spanID: .invalid, traceFlags: 0))
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (LinkField.traceID, .lengthDelimited): link.context.traceID = try traceID(&reader)
            case (LinkField.spanID, .lengthDelimited): link.context.spanID = try spanID(&reader)
            case (LinkField.traceState, .lengthDelimited): link.context.traceState = try reader.string()
            case (LinkField.attributes, .lengthDelimited): link.attributes.append(try decodeAttribute(reader.message()))
            case (LinkField.droppedAttributesCount, .varint): link.droppedAttributesCount = try reader.varint32()
            case (LinkField.flags, .fixed32):
                let flags = try reader.fixed32()
                link.context.traceFlags = UInt8(truncatingIfNeeded: flags & SpanFlags.traceFlagsMask)
                link.context.isRemote = flags & SpanFlags.isRemote != 0
            default: try reader.skip(field)
            }
        }
        return link
    }

    private static func decodeStatus(
        _ reader: consuming ProtobufReader, into status: inout SpanStatus
    ) throws(DecodeError) {
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (StatusField.message, .lengthDelimited): status.message = try reader.string()
            case (StatusField.code, .varint): status.code = try statusCode(reader.varint32())
            default: try reader.skip(field)
            }
        }
    }

    static func kind(_ number: UInt32) -> SpanKind {
        UInt8(exactly: number).flatMap(SpanKind.init(rawValue:)) ?? .unspecified
    }

    static func statusCode(_ number: UInt32) -> SpanStatus.Code {
        UInt8(exactly: number).flatMap(SpanStatus.Code.init(rawValue:)) ?? .unset
    }
}
