// Zipkin's first format: a span's sides are told by annotations (cs, cr: client sent, received; sr, ss; ms, mr of messages) and each annotation
// says on which host it was made. <https://zipkin.io/zipkin-api/zipkin-api.yaml>.

import Telemetry

extension Zipkin {
    /// The spans of a list in Zipkin's v1 JSON (`POST /api/v1/spans`). A span that holds what the client and the server saw becomes two.
    /// Throws as `batches(fromV2JSON:limits:)` does.
    public static func batches(
        fromV1JSON bytes: [UInt8], limits: OTLP.ReceiveLimits = OTLP.ReceiveLimits()
    ) throws(DecodeError) -> OTLP.Received {
        var first = ZipkinV1Span()
        return try receiveJSON(bytes, limits) { (tokens, span, gatherer, offset) throws(DecodeError) in
            try first.read(&tokens, arena: &span)
            for side in first.sides {
                span.foreign.reset()
                try first.fill(&span, side, at: offset)
                try span.finish(at: offset)
                try gatherer.add(&span.foreign, at: offset)
            }
        }
    }
}

/// A span of v1 as it was read.
private struct ZipkinV1Span {
    private struct Annotation {
        var time: UInt64 = 0
        var value = ForeignText.none
        var host = ZipkinHost()
    }

    private struct BinaryAnnotation {
        var key = ForeignText.none
        var value = ForeignText.none
        /// Its value is `true` and no text: its host is the address that it is about.
        var isAddress = false
        var host = ZipkinHost()
    }

    private enum Member: String, CaseIterable {
        case traceId, id, parentId, name, timestamp, duration, debug, annotations, binaryAnnotations
    }
    private enum AnnotationMember: String, CaseIterable { case timestamp, value, endpoint }
    private enum BinaryMember: String, CaseIterable { case key, value, endpoint }

    private static let members = JSONNameTable<Member>()
    private static let annotationMembers = JSONNameTable<AnnotationMember>()
    private static let binaryMembers = JSONNameTable<BinaryMember>()

    private var traceID = TraceID.invalid
    private var spanID = SpanID.invalid
    private var parentSpanID = SpanID.invalid
    private var name = ForeignText.none
    private var timestamp: UInt64?
    private var duration: UInt64?
    private var isDebug = false
    private var annotations: [Annotation] = []
    private var binaryAnnotations: [BinaryAnnotation] = []

    // MARK: reading

    /// The texts live as long as the arena of `span`.
    mutating func read(_ tokens: inout JSONTokens, arena span: inout ZipkinSpan) throws(DecodeError) {
        self = ZipkinV1Span()
        var state = JSONObjectState()
        while let member = try Self.members.next(&tokens, &state) {
            switch member {
            case .traceId: traceID = try span.readTraceID(&tokens)
            case .id: spanID = try span.readSpanID(&tokens)
            case .parentId: parentSpanID = try span.readSpanID(&tokens)
            case .name: name = try span.arena.text(tokens.string())
            case .timestamp: timestamp = try ZipkinSpan.uint64(&tokens)
            case .duration: duration = try ZipkinSpan.uint64(&tokens)
            case .debug: isDebug = try tokens.bool()
            case .annotations:
                guard try tokens.enterArray() else { continue }
                repeat { annotations.append(try Self.annotation(&tokens, span)) } while try tokens.nextElement()
            case .binaryAnnotations:
                guard try tokens.enterArray() else { continue }
                repeat { binaryAnnotations.append(try Self.binary(&tokens, span)) } while try tokens.nextElement()
            }
        }
    }

    private static func annotation(
        _ tokens: inout JSONTokens, _ span: borrowing ZipkinSpan
    ) throws(DecodeError) -> Annotation {
        var annotation = Annotation()
        var state = JSONObjectState()
        while let member = try annotationMembers.next(&tokens, &state) {
            switch member {
            case .timestamp: annotation.time = try ZipkinSpan.uint64(&tokens)
            case .value: annotation.value = try span.arena.text(tokens.scalar())
            case .endpoint: annotation.host = try span.readHost(&tokens)
            }
        }
        return annotation
    }

    private static func binary(
        _ tokens: inout JSONTokens, _ span: borrowing ZipkinSpan
    ) throws(DecodeError) -> BinaryAnnotation {
        var binary = BinaryAnnotation()
        var state = JSONObjectState()
        while let member = try binaryMembers.next(&tokens, &state) {
            switch member {
            case .key: binary.key = try span.arena.text(tokens.string())
            case .value:
                binary.isAddress = tokens.next == UInt8(ascii: "t")
                binary.value = try span.arena.text(tokens.scalar())
            case .endpoint: binary.host = try span.readHost(&tokens)
            }
        }
        if !(binary.key.equals("sa") || binary.key.equals("ca") || binary.key.equals("ma")) { binary.isAddress = false }
        return binary
    }

    // MARK: sides

    struct Side {
        var kind: SpanKind
        /// Annotations: of the begin, of the end; the name of the address of the other side.
        fileprivate var begin: StaticString = ""
        fileprivate var end: StaticString = ""
        fileprivate var address: StaticString = ""
        /// Another side has the same ids and was first.
        var isShared = false
    }

    private static let allSides = [
        Side(kind: .client, begin: "cs", end: "cr", address: "sa"),
        Side(kind: .server, begin: "sr", end: "ss", address: "ca"),
        Side(kind: .producer, begin: "ms", end: "ms", address: "ma"),
        Side(kind: .consumer, begin: "mr", end: "mr", address: "ma"),
    ]

    /// At least one.
    var sides: [Side] {
        var found = Self.allSides.filter { side in
            annotations.contains { $0.value.equals(side.begin) || $0.value.equals(side.end) }
        }
        // An address alone tells the side, too; of two messages' sides it does not.
        if found.isEmpty {
            found = Self.allSides.prefix(2).filter { side in
                binaryAnnotations.contains { $0.isAddress && $0.key.equals(side.address) }
            }
        }
        if found.isEmpty { return [Side(kind: .unspecified)] }
        for index in found.indices.dropFirst() { found[index].isShared = true }
        return found
    }

    func fill(_ span: inout ZipkinSpan, _ side: Side, at offset: Int) throws(DecodeError) {
        let sides = sides
        span.foreign.traceID = traceID
        span.foreign.spanID = spanID
        span.foreign.parentSpanID = parentSpanID
        span.foreign.name = name
        span.foreign.kind = side.kind
        span.isDebug = isDebug
        span.isShared = side.isShared
        let begin = annotations.first { $0.value.equals(side.begin) }
        let end = annotations.last { $0.value.equals(side.end) }
        span.local = localHost(of: side, begin ?? end)
        span.remote = binaryAnnotations.first { $0.isAddress && $0.key.equals(side.address) }?.host ?? ZipkinHost()
        setTimes(of: &span, side, begin?.time, end?.time)

        let owners = sides.map { other in
            annotations.first { $0.value.equals(other.begin) || $0.value.equals(other.end) }?.host.serviceName ?? .none
        }
        func isHere(_ host: ZipkinHost) -> Bool {
            guard sides.count > 1 else { return true }
            return sides[owners.firstIndex { $0.elementsEqual(host.serviceName) } ?? 0].kind == side.kind
        }
        for annotation in annotations where isHere(annotation.host) && !isCore(annotation.value) {
            try span.addAnnotation(microseconds: annotation.time, annotation.value, at: offset)
        }
        for binary in binaryAnnotations where !binary.isAddress && isHere(binary.host) {
            if !(binary.key.equals("lc") && binary.value.isEmpty) { span.addTag(binary.key, binary.value) }
        }
    }

    private func isCore(_ value: ForeignText) -> Bool {
        value.count == 2 && Self.allSides.contains { value.equals($0.begin) || value.equals($0.end) }
    }

    private func localHost(of side: Side, _ core: Annotation?) -> ZipkinHost {
        if let core { return core.host }
        let hosts = annotations.lazy.map(\.host) + binaryAnnotations.lazy.filter { !$0.isAddress }.map(\.host)
        return hosts.first { $0.serviceName.count > 0 } ?? ZipkinHost()
    }

    /// The span's own times are those of the side that began it.
    private func setTimes(of span: inout ZipkinSpan, _ side: Side, _ begin: UInt64?, _ end: UInt64?) {
        span.timestamp = side.isShared ? begin : timestamp ?? begin
        span.duration = side.isShared ? nil : duration
        if span.duration == nil, let begin, let end, end > begin { span.duration = end - begin }
    }
}
