import Telemetry
import Testing
import Wire

@Suite struct JaegerReceiveTests {
    private func thrift(
        _ spans: [SpanData], resource: Resource = Example.resource, scope: InstrumentationScope = Example.scope
    ) -> [UInt8] {
        Jaeger.encode(batches: [Batch(spans, resource: resource, scope: scope)])[0].bytes
    }

    @Test func wholeSpan() throws {
        var sent = Example.span
        sent.attributes = Array(sent.attributes.prefix(5))
        let received = try Jaeger.batches(fromThrift: thrift([sent]))
        #expect(received.rejectedItems == 0 && received.batches.count == 1)
        let batch = received.batches[0]
        #expect(try batch.decodedResource() == Resource(attributes: [Attribute("service.name", "shop")]))
        #expect(try batch.decodedScopes() == [InstrumentationScope(name: "http", version: "1.2")])
        var expected = sent
        expected.startTime = sent.startTime / 1000 * 1000
        expected.endTime = expected.startTime + (sent.endTime - sent.startTime) / 1000 * 1000
        expected.parentIsRemote = nil
        expected.events[0].time = 0
        expected.links[0].context.traceFlags = 0
        expected.links[0].context.isRemote = false
        // The scope's attributes have no place of their own.
        expected.attributes += Example.scope.attributes
        #expect(try batch.span(at: 0) == expected)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func whatTheEncoderWritesComesBackEqual(seed: UInt64) throws {
        try JaegerRoundTrip.run(seed: seed)
    }

    // MARK: by hand

    /// Thrift's binary protocol, as hex digits: fields of a struct.
    private func i64(_ field: Int, _ value: Int64) -> String {
        "0a" + digits(field, 4) + digits(UInt64(bitPattern: value), 16)
    }
    private func i32(_ field: Int, _ value: Int) -> String { "08" + digits(field, 4) + digits(value, 8) }
    private func string(_ field: Int, _ text: String) -> String {
        "0b" + digits(field, 4) + digits(text.utf8.count, 8) + hex(text.utf8)
    }
    private func list(_ field: Int, _ structs: [String]) -> String {
        "0f" + digits(field, 4) + "0c" + digits(structs.count, 8) + structs.map { $0 + "00" }.joined()
    }
    private func digits(_ value: some BinaryInteger, _ count: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: count - text.count) + text
    }
    private func ids(_ more: String = "") -> String { i64(1, 1) + i64(2, 0) + i64(3, 2) + i64(8, 5) + i64(9, 3) + more }
    private var process: String { "0c0001" + string(1, "shop") + "00" }

    private func receive(_ fields: String) throws -> OTLP.Received {
        try Jaeger.batches(fromThrift: bytes(hex: fields + "00"))
    }

    private func onlySpan(_ fields: String) throws -> SpanData {
        let received = try receive(process + list(2, [ids(fields)]))
        #expect(received.rejectedItems == 0, "\(String(describing: received.firstRejection))")
        return try #require(received.batches.first).span(at: 0)
    }

    @Test func processBehindTheSpans() throws {
        let received = try receive(list(2, [ids(), ids()]) + process + "0a0003" + digits(7, 16))
        #expect(try received.batches[0].decodedResource().serviceName == "shop")
        #expect(
            received.batches[0].items.count == 2 && received.batches[0].items[1].traceID == TraceID(high: 0, low: 1))
        #expect((received.batches[0].items[0].start, received.batches[0].items[0].end) == (5000, 8000))
    }

    @Test func referencesAreParentOrLinks() throws {
        func reference(_ type: Int, _ trace: Int64, _ span: Int64) -> String {
            i32(1, type) + i64(2, trace) + i64(3, 0) + i64(4, span)
        }
        let span = try onlySpan(
            list(6, [reference(1, 1, 7), reference(0, 9, 8), reference(0, 1, 4), reference(0, 1, 5)]))
        #expect(span.parentSpanID == SpanID(4))
        #expect(span.links.map(\.context.spanID) == [SpanID(7), SpanID(8), SpanID(5)])
        let child = [Attribute("opentracing.ref_type", "child_of")]
        #expect(span.links.map(\.attributes) == [[], child, child])
        #expect(try onlySpan(i64(4, 6) + list(6, [reference(0, 1, 6)])).links.isEmpty)
    }

    @Test func tagsSayWhatFieldsSay() throws {
        func tag(_ key: String, _ value: String) -> String { string(1, key) + i32(2, 0) + string(3, value) }
        func flag(_ key: String, _ value: Bool) -> String {
            string(1, key) + i32(2, 2) + "020005" + (value ? "01" : "00")
        }
        let span = try onlySpan(
            list(10, [tag("span.kind", "server"), flag("error", true), tag("a", "b"), tag("w3c.tracestate", "x=1")])
                + i32(7, 3))
        #expect((span.kind, span.status, span.context.traceState) == (.server, SpanStatus(code: .error), "x=1"))
        #expect(span.attributes == [Attribute("a", "b"), Attribute("jaeger.debug", true)])
        #expect(span.context.traceFlags == 1)
        #expect(try onlySpan(list(10, [flag("error", false)])).status == SpanStatus())
        #expect(try onlySpan(list(10, [tag("error", "true")])).status == SpanStatus(code: .error))
        #expect(try onlySpan(list(10, [tag("error", "boom")])).attributes == [Attribute("error", "boom")])
        #expect(try onlySpan(list(10, [tag("span.kind", "odd")])).attributes == [Attribute("span.kind", "odd")])
    }

    @Test func logsAreEvents() throws {
        func tag(_ key: String, _ value: String) -> String { string(1, key) + i32(2, 0) + string(3, value) }
        let span = try onlySpan(
            list(11, [i64(1, 4) + list(2, [tag("a", "b"), tag("event", "e")]), i64(1, 5) + list(2, [])]))
        #expect(
            span.events == [
                SpanData.Event(time: 4000, name: "e", attributes: [Attribute("a", "b")]),
                SpanData.Event(time: 5000, name: ""),
            ])
    }

    @Test func envelopesAreTakenOff() throws {
        let batch = process + list(2, [ids()]) + "00"
        let name = digits(9, 8) + hex("emitBatch".utf8)
        let strict = "80010004" + name + "00000001" + "0c0001" + batch + "00"
        let old = name + "04" + "00000001" + "0c0001" + batch + "00"
        let several =
            "80010001" + digits(13, 8) + hex("submitBatches".utf8) + "00000001" + "0f00010c00000002" + batch + batch
            + "00"
        for (message, count) in [(strict, 1), (old, 1), (several, 2)] {
            let received = try Jaeger.batches(fromThrift: bytes(hex: message))
            #expect(received.batches.count == 1 && received.batches[0].items.count == count)
        }
    }

    @Test func badSpanIsLeftOut() throws {
        let bad = [
            i64(3, 2), i64(1, 1), ids("0b0005" + digits(1, 8) + "ff"), i64(1, 1) + i64(3, 2) + i64(8, -1),
            i64(1, 1) + i64(3, 2) + i64(9, -1), i64(1, 1) + i64(3, 2) + i64(8, .max),
        ]
        let received = try receive(process + list(2, [ids()] + bad + [ids()]))
        #expect(received.rejectedItems == bad.count && received.batches[0].items.count == 2)
        #expect(received.firstRejection?.shortDescription == "a span has no trace id or no span id")
    }

    @Test(arguments: [
        "", "0c0001", "0c000100", "0f00020c7fffffff", "0f00020cffffffff", "0f00020200000001" + "0000",
        "0f00020c00000001", "01000100",
        "0b00017fffffff", "0b0001ffffffff", "0000", "800100", "82", "0f00090dffffffff", "1c", "19fcffffffff7f", "19ff",
        String(repeating: "0c0001", count: 5_000), String(repeating: "0f00090f00000001", count: 100_000),
    ])
    func brokenBytesAreRefused(text: String) {
        #expect(throws: DecodeError.self) { try Jaeger.batches(fromThrift: bytes(hex: text)) }
    }

    @Test func limitsAreHeld() {
        let three = bytes(hex: process + list(2, [ids(), ids(), ids()]) + "00")
        #expect(throws: DecodeError.self) { try Jaeger.batches(fromThrift: three, limits: .init(itemsMax: 2)) }
        #expect(throws: Never.self) { try Jaeger.batches(fromThrift: three, limits: .init(itemsMax: 3)) }
        #expect(throws: DecodeError.self) {
            try Jaeger.batches(fromThrift: three, limits: .init(requestBytesMax: three.count - 1))
        }
    }
}

/// Spans made at random through our encoder of Jaeger's Thrift and back.
enum JaegerRoundTrip {
    static func run(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let spans = (0..<6).map { _ in ZipkinRoundTrip.plain(generator.span()) }
        let scope = InstrumentationScope(
            name: "lib", version: "1", attributes: ZipkinRoundTrip.plain(generator.scope().attributes))
        let first = Jaeger.encode(batches: [Batch(spans, resource: generator.resource(), scope: scope)])[0].bytes
        let received = try Jaeger.batches(fromThrift: first)
        #expect(received.rejectedItems == 0, "seed \(seed): \(String(describing: received.firstRejection))")
        let decoded = try received.batches[0].items.indices.map { try received.batches[0].span(at: $0) }
        for (span, again) in zip(spans, decoded) {
            #expect(
                (again.name, again.status, again.context.traceState) == (
                    span.name, span.status, span.context.traceState
                ), "seed \(seed)")
            #expect(again.events.map(\.droppedAttributesCount) == span.events.map(\.droppedAttributesCount))
            #expect(
                again.links.map(\.droppedAttributesCount) == span.links.map(\.droppedAttributesCount), "seed \(seed)")
            #expect(again.links.map(\.context.traceState) == span.links.map(\.context.traceState))
            #expect(again.attributes.count == span.attributes.count + scope.attributes.count)
        }
        // The scope's attributes now are the span's and so come in another order: the third time is as the second.
        let second = Jaeger.encode(batches: received.batches)[0].bytes
        #expect(second.count == first.count, "seed \(seed)")
        let again = try Jaeger.batches(fromThrift: second)
        #expect(try again.batches[0].items.indices.map { try again.batches[0].span(at: $0) } == decoded, "seed \(seed)")
        #expect(Jaeger.encode(batches: again.batches)[0].bytes == second, "seed \(seed)")
    }
}

/// Requests whose parts, multiplied with each other, would keep a decoder busy for minutes.
@Suite struct ReceiveCostTests {
    @Test func aLongProcessIsNotReadForEachSpan() throws {
        let tags = (0..<20_000).map { Attribute("key.\($0)", .string("value")) }
        let bytes = Jaeger.encode(batches: [
            Batch(
                Array(repeating: Example.span, count: 3_000),
                resource: Resource(attributes: tags + [Attribute("service.name", "s")]))
        ])[0].bytes
        let received = try Jaeger.batches(fromThrift: bytes)
        #expect(received.batches.count == 1 && received.batches[0].items.count == 3_000)
    }

    @Test func logsThatMatchNoLinkAreEvents() throws {
        var span = Example.span
        span.links = Array(repeating: Example.span.links[0], count: 20_000)
        for index in span.links.indices { span.links[index].attributes = [] }
        span.events = (0..<20_000).map { _ in
            SpanData.Event(
                time: 0, name: "link",
                attributes: [
                    Attribute("trace_id", .string(Example.traceID.hex)),
                    Attribute("span_id", .string("0000000000000009")),
                ])
        }
        let bytes = Jaeger.encode(batches: [Batch([span], resource: Resource())])[0].bytes
        let again = try Jaeger.batches(fromThrift: bytes).batches[0].span(at: 0)
        #expect(again.links.count == 20_000 && again.events.count >= 20_000)
    }

    @Test func annotationsOfV1AreSortedOnce() throws {
        let other = repeatElement(#"{"timestamp":1,"value":"x"}"#, count: 40_000).joined(separator: ",")
        let core = #"{"timestamp":1,"value":"cs"},{"timestamp":2,"value":"sr"}"#
        let text = #"[{"traceId":"1","id":"2","annotations":[\#(other),\#(core)]}]"#
        let received = try Zipkin.batches(fromV1JSON: Array(text.utf8))
        #expect(received.batches.reduce(0) { $0 + $1.items.count } == 2)
    }
}
