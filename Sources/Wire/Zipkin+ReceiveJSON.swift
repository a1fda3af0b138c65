import Telemetry

extension Zipkin {
    /// The spans of a list in Zipkin's v2 JSON (`POST /api/v2/spans`), <https://zipkin.io/zipkin-api/#/default/post_spans>. Throws when the text
    /// is not JSON or not a list, or a limit is exceeded; a span that is bad in itself is left out and counted.
    public static func batches(
        fromV2JSON bytes: [UInt8], limits: OTLP.ReceiveLimits = OTLP.ReceiveLimits()
    ) throws(DecodeError) -> OTLP.Received {
        try receiveJSON(bytes, limits) { (tokens, span, gatherer, offset) throws(DecodeError) in
            try span.readV2(&tokens)
            try span.finish(at: offset)
            try gatherer.add(&span.foreign, at: offset)
        }
    }

    static func receiveJSON(
        _ bytes: [UInt8], _ limits: OTLP.ReceiveLimits,
        _ take: (inout JSONTokens, inout ZipkinSpan, inout SpanGatherer, Int) throws(DecodeError) -> Void
    ) throws(DecodeError) -> OTLP.Received {
        guard bytes.count <= limits.requestBytesMax else { throw .tooLarge(at: limits.requestBytesMax) }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            try JSONTokens.withTokens(of: UnsafeRawBufferPointer(bytes)) { (tokens) throws(DecodeError) in
                var gatherer = SpanGatherer(.zipkin, limits: limits)
                var span = ZipkinSpan()
                if try tokens.enterArray() {
                    repeat {
                        let position = tokens.position
                        let offset = tokens.offset
                        try gatherer.begin(at: offset)
                        span.reset()
                        do throws(DecodeError) {
                            try take(&tokens, &span, &gatherer, offset)
                        } catch {
                            try gatherer.reject(error)
                            tokens.position = position
                            try tokens.skipValue()
                        }
                    } while try tokens.nextElement()
                }
                try tokens.end()
                return gatherer.finish()
            }
        }
    }
}

extension ZipkinSpan {
    private enum Member: String, CaseIterable {
        case traceId, id, parentId, name, kind, timestamp, duration, localEndpoint, remoteEndpoint, annotations, tags,
            debug, shared
    }
    private enum AnnotationMember: String, CaseIterable { case timestamp, value }
    private enum HostMember: String, CaseIterable { case serviceName, ipv4, ipv6, port }

    private static let members = JSONNameTable<Member>()
    private static let annotationMembers = JSONNameTable<AnnotationMember>()
    private static let hostMembers = JSONNameTable<HostMember>()

    fileprivate mutating func readV2(_ tokens: inout JSONTokens) throws(DecodeError) {
        var state = JSONObjectState()
        while let member = try Self.members.next(&tokens, &state) {
            switch member {
            case .traceId: foreign.traceID = try readTraceID(&tokens)
            case .id: foreign.spanID = try readSpanID(&tokens)
            case .parentId: foreign.parentSpanID = try readSpanID(&tokens)
            case .name: foreign.name = try arena.text(tokens.string())
            case .kind: foreign.kind = Self.kind(try tokens.string())
            case .timestamp: timestamp = try Self.uint64(&tokens)
            case .duration: duration = try Self.uint64(&tokens)
            case .localEndpoint: local = try readHost(&tokens)
            case .remoteEndpoint: remote = try readHost(&tokens)
            case .annotations:
                guard try tokens.enterArray() else { continue }
                repeat { try readAnnotation(&tokens) } while try tokens.nextElement()
            case .tags:
                guard try tokens.enterObject() else { continue }
                repeat {
                    let key = try arena.text(tokens.name())
                    if try !tokens.takeNull() { addTag(key, try arena.text(tokens.scalar())) }
                } while try tokens.nextMember()
            case .debug: isDebug = try tokens.bool()
            case .shared: isShared = try tokens.bool()
            }
        }
    }

    func readTraceID(_ tokens: inout JSONTokens) throws(DecodeError) -> TraceID {
        let digits = try tokens.string()
        return try Self.traceID(digits.bytes, at: digits.offset)
    }

    func readSpanID(_ tokens: inout JSONTokens) throws(DecodeError) -> SpanID {
        let digits = try tokens.string()
        return try Self.spanID(digits.bytes, at: digits.offset)
    }

    /// A kind that this version does not know counts as none.
    private static func kind(_ name: JSONString) -> SpanKind {
        if name.equals("CLIENT") { return .client }
        if name.equals("SERVER") { return .server }
        if name.equals("PRODUCER") { return .producer }
        return name.equals("CONSUMER") ? .consumer : .unspecified
    }

    static func uint64(_ tokens: inout JSONTokens) throws(DecodeError) -> UInt64 {
        let offset = tokens.offset
        guard let value = try tokens.quotedOrPlainNumber().uint64 else { throw .outOfRange(at: offset) }
        return value
    }

    func readHost(_ tokens: inout JSONTokens) throws(DecodeError) -> ZipkinHost {
        var host = ZipkinHost()
        var state = JSONObjectState()
        while let member = try Self.hostMembers.next(&tokens, &state) {
            switch member {
            case .serviceName: host.serviceName = try arena.text(tokens.string())
            case .ipv4: host.ipv4 = try arena.text(tokens.string())
            case .ipv6: host.ipv6 = try arena.text(tokens.string())
            case .port:
                let offset = tokens.offset
                // Clients in Java write the upper half of the ports as negative numbers.
                guard let number = try tokens.quotedOrPlainNumber().int64, (-0x8000...0xFFFF).contains(number) else {
                    throw .outOfRange(at: offset)
                }
                host.port = UInt16(truncatingIfNeeded: number)
            }
        }
        return host
    }

    private mutating func readAnnotation(_ tokens: inout JSONTokens) throws(DecodeError) {
        var state = JSONObjectState()
        let offset = tokens.offset
        var time: UInt64 = 0
        var value = ForeignText.none
        while let member = try Self.annotationMembers.next(&tokens, &state) {
            switch member {
            case .timestamp: time = try Self.uint64(&tokens)
            case .value: value = try arena.text(tokens.scalar())
            }
        }
        try addAnnotation(microseconds: time, value, at: offset)
    }
}
