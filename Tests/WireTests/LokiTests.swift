import Telemetry
import Testing

@testable import Wire

private struct Line: Equatable {
    var time: UInt64
    var text: String
    var metadata: [String: String]
}

private struct Stream: Equatable {
    var labels: String
    var lines: [Line]
}

/// Reads a `PushRequest` by the field numbers of push.proto.
private func streams(_ bytes: [UInt8]) throws -> [Stream] {
    try bytes.withUnsafeBytes { bytes in
        var found: [Stream] = []
        var request = ProtobufReader(bytes)
        while let field = try request.next() {
            #expect(field.number == 1)
            var reader = try request.message()
            var stream = Stream(labels: "", lines: [])
            while let field = try reader.next() {
                if field.number == 1 {
                    stream.labels = try reader.string()
                } else {
                    #expect(field.number == 2)
                    var entry = try reader.message()
                    stream.lines.append(try line(&entry))
                }
            }
            found.append(stream)
        }
        return found
    }
}

private func line(_ entry: inout ProtobufReader) throws -> Line {
    var line = Line(time: 0, text: "", metadata: [:])
    while let field = try entry.next() {
        switch field.number {
        case 1:
            var time = try entry.message()
            while let field = try time.next() {
                line.time += try time.varint() * (field.number == 1 ? 1_000_000_000 : 1)
            }
        case 2: line.text = try entry.string()
        case 3:
            var pair = try entry.message()
            var (name, value) = ("", "")
            while let field = try pair.next() {
                if field.number == 1 { name = try pair.string() } else { value = try pair.string() }
            }
            #expect(line.metadata.updateValue(value, forKey: name) == nil, "\(name) stands twice")
        default: Issue.record("field \(field.number)")
        }
    }
    return line
}

@Suite struct LokiTests {
    private static let resource = Resource(attributes: [
        Attribute("service.name", "shop"), Attribute("k8s.namespace.name", "a \"b\"\n"), Attribute("host.name", "h1"),
        Attribute("9lives", "yes"), Attribute("list", .array([.int(1), .string("x")])),
    ])

    private static func push(
        _ batches: [Batch], _ labels: [String] = ["service.name", "k8s.namespace.name"]
    ) throws -> [Stream] {
        let encoded = Loki.encode(batches: batches, labels: labels, now: 77)
        #expect(encoded.skipped == 0)
        return try streams(encoded.bytes)
    }

    @Test func aRecordIsALineWithItsMetadata() throws {
        let record = LogRecord(
            time: 1_700_000_000_123_456_789, observedTime: 1_700_000_000_200_000_000, severity: 17,
            severityText: "ERROR", body: "lost",
            attributes: [
                Attribute("http.status", 500), Attribute("a-b", true), Attribute("a.b", "second"),
                Attribute("", "none"),
            ],
            droppedAttributesCount: 2, traceID: TraceID(high: 1, low: 2), spanID: SpanID(3), traceFlags: 1,
            eventName: "exception")
        let scope = InstrumentationScope(name: "cart", version: "1.2", attributes: [Attribute("tier", "gold")])
        let found = try Self.push([Batch([record], resource: Self.resource, scope: scope)])
        #expect(
            found == [
                Stream(
                    labels: #"{service_name="shop", k8s_namespace_name="a \"b\"\n"}"#,
                    lines: [
                        Line(
                            time: 1_700_000_000_123_456_789, text: "lost",
                            metadata: [
                                "severity_number": "17", "severity_text": "ERROR",
                                "trace_id": "00000000000000010000000000000002", "span_id": "0000000000000003",
                                "flags": "1", "observed_timestamp": "1700000000200000000", "event_name": "exception",
                                "dropped_attributes_count": "2", "scope_name": "cart", "scope_version": "1.2",
                                "http_status": "500", "a_b": "true", "tier": "gold", "host_name": "h1",
                                "_9lives": "yes", "list": #"[1,"x"]"#,
                            ])
                    ])
            ])
    }

    @Test func linesOfAStreamAreInTheOrderOfTheirTimes() throws {
        func record(_ time: UInt64, _ text: String, observed: UInt64 = 0) -> LogRecord {
            LogRecord(time: time, observedTime: observed, severity: 0, body: .string(text))
        }
        let other = Resource(attributes: [Attribute("service.name", "other")])
        let same = Resource(attributes: [Attribute("host.name", "h2"), Attribute("service.name", "shop")])
        let found = try Self.push(
            [
                Batch([record(5, "c"), record(3, "a"), record(5, "d")], resource: Self.resource),
                Batch([record(1, "x")], resource: other),
                Batch([record(4, "b"), record(0, "f", observed: 9), record(0, "g")], resource: same),
            ], ["service.name"])
        #expect(found.map(\.labels) == [#"{service_name="shop"}"#, #"{service_name="other"}"#])
        #expect(found[0].lines.map(\.text) == ["a", "b", "c", "d", "f", "g"])
        #expect(found[0].lines.map(\.time) == [3, 4, 5, 5, 9, 77])
        #expect(found[0].lines[1].metadata["host_name"] == "h2")
    }

    @Test func aStreamHasALabelAlways() throws {
        let record = LogRecord(time: 1, body: .map([Attribute("k", 1)]))
        for labels in [[], ["no.such"]] {
            let found = try Self.push([Batch([record], resource: Resource(attributes: []))], labels)
            #expect(found.map(\.labels) == [#"{service_name="unknown_service"}"#])
            #expect(found[0].lines[0].text == #"{"k":1}"#)
        }
    }

    @Test(
        arguments: [
            ("entry too far behind, total ignored: 3 out of 10 for stream: {}", 3),
            ("total ignored: 1 out of 2 for a\nuser 'x', total ignored: 4 out of 4 for b", 5),
            ("total ignored: many", nil), ("total ignored: 3", nil), ("", nil),
            ("total ignored: 99999999999999999999 out of 2", nil),
        ] as [(String, Int?)])
    func whatLokiLeftOutIsRead(message: String, count: Int?) {
        #expect(Loki.ignoredCount(message) == count)
    }

    @Test func aBrokenRecordIsCounted() {
        var batch = Batch([LogRecord(time: 1, body: "a"), LogRecord(time: 1, body: "b")], resource: Self.resource)
        // The first record's time gets a length that it has not.
        batch.bytes[Int(batch.items[0].offset) + 2] = 0x0A
        batch.bytes[Int(batch.items[0].offset) + 3] = 0x7F
        let encoded = Loki.encode(batches: [batch], labels: [], now: 0)
        #expect(encoded.items == 1 && encoded.skipped == 1)
    }
}
