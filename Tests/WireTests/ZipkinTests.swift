import Telemetry
import Testing
import Wire

@Suite struct ZipkinTests {
    private func encode(
        _ span: SpanData, resource: Resource = Resource(), scope: InstrumentationScope = .init()
    ) throws -> JSONValue {
        let encoded = Zipkin.encode(batches: [Batch([span], resource: resource, scope: scope)])
        #expect(encoded.items == 1)
        guard case .array(let spans) = try JSONValue(parsing: encoded.bytes) else { return .null }
        return spans[0]
    }

    private func span(_ kind: SpanKind = .client, _ attributes: Attributes = []) -> SpanData {
        SpanData(
            context: SpanContext(traceID: Example.traceID, spanID: Example.spanID), name: "n", kind: kind,
            startTime: 5000,
            endTime: 9999, attributes: attributes)
    }

    @Test func wholeSpan() {
        let encoded = Zipkin.encode(batches: [Batch([Example.span], resource: Example.resource, scope: Example.scope)])
        #expect(
            String(decoding: encoded.bytes, as: UTF8.self) == #"""
                [{"traceId":"0af7651916cd43dd8448eb211c80319c",\#
                "id":"b7ad6b7169203331","parentId":"00f067aa0ba902b7","name":"GET /","kind":"SERVER",\#
                "timestamp":1700000000000000,"duration":16746744073709551,"localEndpoint":{"serviceName":"shop"},\#
                "annotations":[{"timestamp":0,"value":"\"e\":{\"k\":true,\"otel.dropped_attributes_count\":1}"}],\#
                "tags":{"otel.status_code":"ERROR","error":"bad","otel.dropped_attributes_count":"300",\#
                "otel.dropped_events_count":"2","otel.dropped_links_count":"4294967295","w3c.tracestate":"a=1",\#
                "otlp.link.0":"0af7651916cd43dd8448eb211c80319c|00f067aa0ba902b7|b=2|{\"l\":1}|3",\#
                "s":"é","b":"false","i":"-9223372036854775808","d":"-0.5","y":"AP8=",\#
                "a":"[9223372036854775807,null]","m":"{\"x\":\"\"}","e":"",\#
                "otel.scope.name":"http","otel.library.name":"http","otel.scope.version":"1.2",\#
                "otel.library.version":"1.2"}}]
                """#)
    }

    @Test func nothingIsAnEmptyList() {
        #expect(Zipkin.encode(batches: []).bytes == Array("[]".utf8))
    }

    @Test(arguments: [(0, 0, "1"), (5, 1000, "1"), (5, 2005, "2"), (9, 3, "1")] as [(UInt64, UInt64, String)])
    func durationIsAtLeastAMicrosecond(start: UInt64, end: UInt64, duration: String) throws {
        var span = span()
        span.startTime = start
        span.endTime = end
        let encoded = try encode(span)
        #expect(encoded["duration"] == .number(duration))
        #expect(encoded["timestamp"] == nil)
    }

    @Test(
        arguments: [
            (
                [Attribute("db.name", "d"), Attribute("peer.service", "p"), Attribute("server.address", "s")],
                ["serviceName": "p"]
            ),
            (
                [Attribute("db.name", "d"), Attribute("server.port", 8080), Attribute("server.address", "s")],
                ["serviceName": "s", "port": "8080"]
            ),
            (
                [
                    Attribute("network.peer.address", "10.1.2.3"), Attribute("network.peer.port", 443),
                    Attribute("db.name", "d"),
                ],
                ["ipv4": "10.1.2.3", "port": "443"]
            ),
            ([Attribute("network.peer.address", "2001:db8::1")], ["ipv6": "2001:db8::1"]),
            ([Attribute("network.peer.address", "/run/db.sock")], ["serviceName": "/run/db.sock"]),
            ([Attribute("net.sock.peer.addr", "300.1.1.1")], ["serviceName": "300.1.1.1"]),
            ([Attribute("peer.service", ""), Attribute("db.name", "d")], ["serviceName": "d"]),
            ([Attribute("server.port", 70_000), Attribute("server.address", "s")], ["serviceName": "s"]),
        ] as [(Attributes, [String: String])])
    func remoteEndpointIsTheBestRanked(attributes: Attributes, expected: [String: String]) throws {
        let members = expected.map { ($0, $0 == "port" ? JSONValue.number($1) : .string($1)) }
        let endpoint = JSONValue.object(Dictionary(uniqueKeysWithValues: members))
        #expect(try encode(span(.client, attributes))["remoteEndpoint"] == endpoint)
        #expect(try encode(span(.producer, attributes))["remoteEndpoint"] == endpoint)
        #expect(try encode(span(.server, attributes))["remoteEndpoint"] == nil)
    }

    @Test func onlyAFailedSpanHasAnErrorTag() throws {
        for value in [AttributeValue.bool(false), "false"] {
            #expect(try encode(span(.client, [Attribute("error", value)]))["tags"]?["error"] == nil)
        }
        var failed = span(.client, [Attribute("error", false)])
        failed.status = SpanStatus(code: .error)
        #expect(try encode(failed)["tags"]?["error"] == .string(""))
        failed.status = SpanStatus(code: .ok, message: "ignored")
        #expect(try encode(failed)["tags"] == .object(["otel.status_code": .string("OK")]))
    }

    @Test func keysOfSpanScopeAndResourceMeetOnce() throws {
        let same = [Attribute("k", "span")]
        let encoded = try encode(
            span(.internal, same),
            resource: Resource(attributes: [Attribute("k", "resource"), Attribute("service.namespace", "ns")]),
            scope: InstrumentationScope(attributes: [Attribute("k", "scope"), Attribute("s", 1)]))
        #expect(
            encoded["tags"] == .object(["k": .string("span"), "s": .string("1"), "service.namespace": .string("ns")]))
        #expect(encoded["kind"] == nil)
        #expect(encoded["localEndpoint"] == .object(["serviceName": .string("unknown_service")]))
    }
}
