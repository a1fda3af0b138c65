import Telemetry
import Testing
import Wire

@Suite struct ZipkinReceiveTests {
    private func receive(_ text: String) throws -> OTLP.Received { try Zipkin.batches(fromV2JSON: Array(text.utf8)) }

    private let ids = #""traceId":"0af7651916cd43dd8448eb211c80319c","id":"b7ad6b7169203331""#

    private func onlySpan(_ more: String) throws -> (span: SpanData, resource: Resource, scope: InstrumentationScope) {
        let received = try receive("[{\(ids),\(more)}]")
        #expect(received.rejectedItems == 0, "\(String(describing: received.firstRejection))")
        let batch = try #require(received.batches.first)
        return (try batch.span(at: 0), try batch.decodedResource(), try batch.decodedScopes()[0])
    }

    @Test func wholeSpan() throws {
        let (span, resource, scope) = try onlySpan(
            #"""
            "parentId":"00f067aa0ba902b7","name":"get /","kind":"CLIENT","timestamp":1700000000000000,"duration":2500,"debug":true,"shared":true,
            "localEndpoint":{"serviceName":"shop","ipv4":"10.0.0.1","port":8080},
            "remoteEndpoint":{"serviceName":"db","ipv6":"2001:db8::1","port":-1},
            "annotations":[{"timestamp":1700000000000001,"value":"a \"b\""},{"value":"\"e\":{\"k\":true,\"n\":[1,-2.5,null,{\"x\":\"\\ud83d\\ude80\"}]}","timestamp":2}],
            "tags":{"http.method":"GET","flag":true,"n":1e3,"none":null,"service.version":"2","otel.scope.name":"lib","otel.library.version":"1"},"later":[{}]
            """#)
        #expect(span.context == SpanContext(traceID: Example.traceID, spanID: Example.spanID, traceFlags: 1))
        #expect((span.parentSpanID, span.name, span.kind) == (Example.parentID, "get /", .client))
        #expect((span.startTime, span.endTime) == (1_700_000_000_000_000_000, 1_700_000_000_002_500_000))
        #expect(
            span.attributes == [
                Attribute("http.method", "GET"), Attribute("flag", "true"), Attribute("n", "1e3"),
                Attribute("peer.service", "db"),
                Attribute("network.peer.address", "2001:db8::1"), Attribute("network.peer.port", 65535),
                Attribute("zipkin.debug", true), Attribute("zipkin.shared", true),
            ])
        #expect(
            span.events == [
                SpanData.Event(time: 1_700_000_000_000_001_000, name: "a \"b\""),
                SpanData.Event(
                    time: 2000, name: "e",
                    attributes: [
                        Attribute("k", true), Attribute("n", .array([1, -2.5, .empty, .map([Attribute("x", "🚀")])])),
                    ]),
            ])
        #expect(
            resource.attributes == [
                Attribute("service.name", "shop"), Attribute("network.local.address", "10.0.0.1"),
                Attribute("network.local.port", 8080), Attribute("service.version", "2"),
            ])
        #expect(scope == InstrumentationScope(name: "lib", version: "1"))
    }

    @Test func shortIDsArePadded() throws {
        let received = try receive(#"[{"traceId":"abc","id":"1"},{"traceId":"1ABCDEF0123456789","id":"F"}]"#)
        #expect(
            received.batches[0].items.map(\.traceID) == [
                TraceID(high: 0, low: 0xABC), TraceID(high: 1, low: 0xABCD_EF01_2345_6789),
            ])
        #expect(received.batches[0].items.map(\.spanID) == [SpanID(1), SpanID(15)])
    }

    @Test(
        arguments: [
            (#""tags":{"error":"boom"}"#, SpanStatus(code: .error, message: "boom"), nil),
            (#""tags":{"error":""}"#, SpanStatus(code: .error), nil),
            (#""tags":{"error":"true"}"#, SpanStatus(code: .error), nil),
            (#""tags":{"error":"false"}"#, SpanStatus(), "false"),
            (#""tags":{"otel.status_code":"ERROR","error":"m"}"#, SpanStatus(code: .error, message: "m"), nil),
            (
                #""tags":{"error":"true","otel.status_code":"ERROR","otel.status_description":"d"}"#,
                SpanStatus(code: .error, message: "d"), nil
            ),
            (#""tags":{"otel.status_code":"OK","error":"x"}"#, SpanStatus(code: .ok), "x"),
            (#""tags":{"otel.status_code":"UNSET"}"#, SpanStatus(), nil),
        ] as [(String, SpanStatus, AttributeValue?)])
    func errorTagIsTheStatus(tags: String, status: SpanStatus, attribute: AttributeValue?) throws {
        let span = try onlySpan(tags).span
        #expect(span.status == status && span.attributes["error"] == attribute)
        #expect(span.attributes.count == (attribute == nil ? 0 : 1))
    }

    @Test func oneBatchAService() throws {
        func span(_ service: String) -> String { #"{\#(ids),"localEndpoint":{"serviceName":"\#(service)"}}"# }
        let received = try receive("[\(span("a")),\(span("b")),\(span("a")),{\(ids)},\(span("\\u0062"))]")
        #expect(try received.batches.map { try $0.decodedResource().serviceName } == ["a", "b", "unknown_service"])
        #expect(received.batches.map(\.items.count) == [2, 2, 1])
        #expect(received.batches.allSatisfy { $0.scopes.count == 1 })
    }

    @Test func badSpanIsLeftOut() throws {
        let bad = [
            "7", "null", "[]", "{}", #"{"traceId":"g","id":"1"}"#, #"{"traceId":"1","id":""}"#,
            #"{"traceId":"1","id":"12345678901234567"}"#,
            #"{\#(ids),"timestamp":-1}"#, #"{\#(ids),"timestamp":18446744073709551615}"#,
            #"{\#(ids),"duration":18446744073709551}"#
                .replacing("}", with: #","timestamp":18446744073709551}"#), #"{\#(ids),"tags":{"a":{}}}"#,
            #"{\#(ids),"name":1}"#,
            #"{\#(ids),"name":"a","name":"b"}"#, #"{\#(ids),"annotations":[{"timestamp":18446744073709551615}]}"#,
            #"{\#(ids),"localEndpoint":{"port":65536}}"#,
        ]
        let received = try receive("[{\(ids)}," + bad.joined(separator: ",") + ",{\(ids)}]")
        #expect(received.rejectedItems == bad.count && received.batches[0].items.count == 2)
        #expect(received.firstRejection?.offset == ids.utf8.count + 4)
        for text in ["{}", "[", "[{}", "[{\"name\":\"\\x\"}]", "7", "", "[{}]]"] {
            #expect(throws: DecodeError.self) { try receive(text) }
        }
        #expect(try receive("[]").batches.isEmpty)
    }

    @Test func annotationThatOnlyLooksLikeAttributesIsText() throws {
        for value in [
            #"\"a\":}"#, #"\"a\":{\"b\":1e400}"#, #"\"a\":{\"b\":{}"#, #"\"a\":{},{}"#,
            "\\\"a\\\":" + String(repeating: "[", count: 100) + "}",
        ] {
            let span = try onlySpan(#""annotations":[{"timestamp":1,"value":"\#(value)"}]"#).span
            #expect(span.events.count == 1 && span.events[0].attributes.isEmpty)
            #expect(span.events[0].name.utf8.count > 2 && span.events[0].name.hasPrefix("\"a\":"))
        }
        let deep = String(repeating: #"{\"a\":"#, count: 60) + "1" + String(repeating: "}", count: 60)
        #expect(
            try onlySpan(#""annotations":[{"timestamp":1,"value":"\"n\":\#(deep)"}]"#).span.events[0].attributes.isEmpty
        )
    }

    @Test func linksComeBack() throws {
        let ids = "\(Example.traceID.hex)|\(Example.parentID.hex)"
        let span = try onlySpan(
            #""tags":{"otlp.link.0":"\#(ids)|a=|{x,b=1|{\"l\":1,\"otel.dropped_attributes_count\":2}|3","otlp.link.1":"\#(ids)||{}|0","otlp.link.2":"\#(ids)||{|0"}"#
        ).span
        #expect(
            span.links.map(\.context) == [
                SpanContext(traceID: Example.traceID, spanID: Example.parentID, traceFlags: 0, traceState: "a=|{x,b=1"),
                SpanContext(traceID: Example.traceID, spanID: Example.parentID, traceFlags: 0),
            ])
        #expect(span.links[0].attributes == [Attribute("l", 1), Attribute("otel.dropped_attributes_count", 2)])
        #expect(span.links[0].droppedAttributesCount == 3)
        #expect(span.attributes.map(\.key) == ["otlp.link.2"])
    }

    @Test func spanWithoutATimeBeginsWithItsFirstAnnotation() throws {
        let span = try onlySpan(#""annotations":[{"timestamp":7,"value":"b"},{"timestamp":5,"value":"a"}]"#).span
        #expect((span.startTime, span.endTime) == (5000, 5000))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func whatTheEncoderWritesComesBackEqual(seed: UInt64) throws {
        try ZipkinRoundTrip.run(seed: seed)
    }

    // MARK: protobuf

    @Test func protobuf() throws {
        let span = written { writer in
            writer.putBytes(1, Example.traceID.bytes)
            writer.putBytes(3, bytes(hex: Example.spanID.hex))
            writer.putVarint(4, 2)
            writer.putString(5, "n")
            writer.putFixed64(6, 5)
            writer.putVarint(7, 3)
            writer.message(8) { $0.putString(1, "shop") }
            writer.message(9) { host in
                host.putBytes(3, [0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 10) + [0, 1])
                host.putVarint(4, 80)
            }
            writer.message(10) { annotation in
                annotation.putFixed64(1, 6)
                annotation.putString(2, "a")
            }
            writer.message(11) { tag in
                tag.putString(1, "k")
                tag.putString(2, "v")
            }
            writer.putVarint(12, 0)
        }
        let short = written { writer in
            writer.putBytes(1, [0, 0, 0, 0, 0, 0, 0, 9])
            writer.putBytes(3, [0, 0, 0, 0, 0, 0, 0, 8])
        }
        let bad = [
            short + [0x0A], written { $0.putBytes(1, [1]) }, short + written { $0.putBytes(5, [0xFF]) },
            short + written { $0.message(8) { $0.putBytes(2, [1]) } }, [],
        ]
        let list = written { writer in for item in [span, short] + bad { writer.putBytes(1, item) } }
        let received = try Zipkin.batches(fromV2Protobuf: list)
        #expect(received.rejectedItems == bad.count && received.batches.count == 2)
        let decoded = try received.batches[0].span(at: 0)
        #expect((decoded.kind, decoded.name, decoded.startTime, decoded.endTime) == (.server, "n", 5000, 8000))
        #expect(
            decoded.attributes == [
                Attribute("k", "v"), Attribute("network.peer.address", "2001:db8::1"),
                Attribute("network.peer.port", 80),
            ])
        #expect(decoded.events == [SpanData.Event(time: 6000, name: "a")])
        #expect(received.batches[1].items[0].traceID == TraceID(high: 0, low: 9))
        #expect(throws: DecodeError.self) { try Zipkin.batches(fromV2Protobuf: list + [0x0A, 0x05]) }
    }

    // MARK: v1

    private func v1(_ text: String) throws -> [(span: SpanData, resource: Resource)] {
        let received = try Zipkin.batches(fromV1JSON: Array(text.utf8))
        #expect(received.rejectedItems == 0, "\(String(describing: received.firstRejection))")
        return try received.batches.flatMap { batch in
            try batch.items.indices.map { (try batch.span(at: $0), try batch.decodedResource()) }
        }
    }

    @Test func clientOfV1() throws {
        let web = #""endpoint":{"serviceName":"web","ipv4":"10.0.0.1"}"#
        let (span, resource) = try v1(
            #"""
            [{\#(ids),"name":"get","annotations":[{"timestamp":10,"value":"cs",\#(web)},{"timestamp":30,"value":"cr",\#(web)},{"timestamp":20,"value":"ws",\#(web)}],
            "binaryAnnotations":[{"key":"sa","value":true,"endpoint":{"serviceName":"db","port":5432}},{"key":"http.path","value":"/a",\#(web)},
            {"key":"n","value":5,"type":"I32"},{"key":"lc","value":""},{"key":"error","value":"no"}]}]
            """#)[0]
        #expect((span.kind, span.startTime, span.endTime) == (.client, 10_000, 30_000))
        #expect(span.events == [SpanData.Event(time: 20_000, name: "ws")])
        #expect(
            span.attributes == [
                Attribute("http.path", "/a"), Attribute("n", "5"), Attribute("peer.service", "db"),
                Attribute("network.peer.port", 5432),
            ])
        #expect(span.status == SpanStatus(code: .error, message: "no"))
        #expect(
            resource.attributes == [Attribute("service.name", "web"), Attribute("network.local.address", "10.0.0.1")])
    }

    @Test func spanOfBothSidesBecomesTwo() throws {
        func annotation(_ time: Int, _ value: String, _ service: String) -> String {
            #"{"timestamp":\#(time),"value":"\#(value)","endpoint":{"serviceName":"\#(service)"}}"#
        }
        let text = [
            annotation(12, "sr", "back"), annotation(10, "cs", "front"), annotation(18, "ss", "back"),
            annotation(20, "cr", "front"),
            annotation(13, "x", "back"),
        ].joined(separator: ",")
        let spans = try v1(
            #"[{\#(ids),"timestamp":9,"duration":11,"annotations":[\#(text)],"binaryAnnotations":[{"key":"t","value":"v","endpoint":{"serviceName":"back"}}]}]"#
        )
        #expect(
            spans.map(\.span.kind) == [.client, .server] && spans.map(\.resource.serviceName) == ["front", "back"])
        #expect(spans.map(\.span.startTime) == [9_000, 12_000] && spans.map(\.span.endTime) == [20_000, 18_000])
        #expect(spans.map(\.span.events.count) == [0, 1])
        #expect(spans[1].span.attributes == [Attribute("t", "v"), Attribute("zipkin.shared", true)])
    }

    @Test func sideOfV1WithoutItsAnnotations() throws {
        let spans = try v1(
            #"""
            [{\#(ids),"timestamp":5,"duration":2,"binaryAnnotations":[{"key":"lc","value":"job","endpoint":{"serviceName":"cron"}}]},
            {\#(ids),"binaryAnnotations":[{"key":"ca","value":true,"endpoint":{"ipv4":"10.0.0.9"}}]},
            {\#(ids),"annotations":[{"timestamp":3,"value":"ms","endpoint":{"serviceName":"p"}}]},
            {\#(ids),"annotations":[{"timestamp":4,"value":"mr","endpoint":{"serviceName":"c"}}]}]
            """#)
        #expect(Set(spans.map(\.span.kind)) == [.unspecified, .server, .producer, .consumer])
        let local = try #require(spans.first { $0.resource.serviceName == "cron" })
        #expect(
            (local.span.startTime, local.span.endTime) == (5000, 7000)
                && local.span.attributes == [Attribute("lc", "job")])
        #expect(
            spans.first { $0.span.kind == .server }?.span.attributes == [Attribute("network.peer.address", "10.0.0.9")])
    }
}

/// Spans made at random through our encoder of Zipkin's v2 JSON and back.
enum ZipkinRoundTrip {
    static func run(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let spans = (0..<6).map { _ in plain(generator.span()) }
        let batch = Batch(
            spans, resource: Resource(attributes: plain(generator.resource().attributes)),
            scope: InstrumentationScope(name: "lib", version: "1", attributes: plain(generator.scope().attributes)))
        let first = Zipkin.encode(batches: [batch])
        let received = try Zipkin.batches(fromV2JSON: first.bytes)
        #expect(received.rejectedItems == 0, "seed \(seed): \(String(describing: received.firstRejection))")
        let decoded = received.batches.flatMap { batch in batch.items.indices.compactMap { try? batch.span(at: $0) } }
        for (span, again) in zip(spans, decoded) {
            #expect(
                (again.context.traceID, again.context.spanID, again.parentSpanID) == (
                    span.context.traceID, span.context.spanID, span.parentSpanID
                ))
            #expect((again.name, again.status) == (span.name, span.status), "seed \(seed)")
            #expect(again.kind == (span.kind == .internal ? .unspecified : span.kind))
            #expect(again.context.traceState == span.context.traceState)
            #expect(again.links.map(\.context.spanID) == span.links.map(\.context.spanID))
            #expect(
                again.events.map(\.name) == span.events.map(\.name)
                    && again.events.map(\.time) == span.events.map { $0.time / 1000 * 1000 })
            #expect(
                [again.droppedAttributesCount, again.droppedEventsCount, again.droppedLinksCount]
                    == [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount])
        }
        let second = Zipkin.encode(batches: received.batches)
        #expect(try JSONValue(parsing: second.bytes) == JSONValue(parsing: first.bytes), "seed \(seed)")
    }

    /// Without what Zipkin's encoder reads two things of: keys that are also those of the specification, and times at which nothing is.
    static func plain(_ span: SpanData) -> SpanData {
        var span = span
        span.attributes = plain(span.attributes)
        span.startTime = 1_700_000_000_000_000_000 + span.startTime % 1_000_000_000
        span.endTime = span.startTime + span.endTime % 1_000_000_000
        if span.status.code != .error { span.status.message = "" }
        return span
    }

    static func plain(_ attributes: Attributes) -> Attributes {
        attributes.filter { $0.key.hasPrefix("key.") || $0.key.hasPrefix("кл") }
    }
}
