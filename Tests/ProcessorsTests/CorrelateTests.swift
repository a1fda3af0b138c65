import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct CorrelateTests {
    private static let hex = "0af7651916cd43dd8448eb211c80319c"
    private static let spanHex = "b7ad6b7169203331"

    /// What a record with these attributes gets.
    private static func ids(_ attributes: Attributes, _ correlation: Correlation = Correlation()) throws -> String {
        let record = LogRecord(time: 1, body: "x", attributes: attributes)
        let chain = chain(.correlate(correlation))
        let batch = try #require(chain.run(Batch([record], resource: Resource())).batch)
        try batch.checkIndex()
        let after = try batch.logRecord(at: 0)
        var same = after
        (same.traceID, same.spanID) = (record.traceID, record.spanID)
        #expect(same == record)
        #expect(batch.items[0].traceID == after.traceID && batch.items[0].spanID == after.spanID)
        #expect(chain.counts.read()[0].counts.details["records"] == (after.traceID.isValid ? 1 : nil))
        return after.traceID.isValid ? "\(after.traceID) \(after.spanID)" : ""
    }

    @Test func idsAreFoundUnderTheNamesOfLibraries() throws {
        let both = Self.hex + " " + Self.spanHex
        let none = "0000000000000000"
        func check(_ attributes: Attributes, _ expected: String) throws {
            #expect(try Self.ids(attributes) == expected)
        }
        for (trace, span) in [
            ("trace_id", "span_id"), ("traceId", "spanId"), ("traceID", "spanID"), ("traceid", "spanid"),
            ("trace.id", "span.id"), ("otelTraceID", "otelSpanID"),
        ] {
            try check(
                [Attribute(span, .string(Self.spanHex)), Attribute("a", 1), Attribute(trace, .string(Self.hex))], both)
        }
        try check([Attribute("trace_id", .string(Self.hex.uppercased()))], Self.hex + " " + none)
        try check([Attribute("trace_id", "b7ad6b7169203331")], none + Self.spanHex + " " + none)
        try check([Attribute("traceparent", .string("00-\(Self.hex)-\(Self.spanHex)-01"))], both)
        try check(
            [Attribute("dd.trace_id", "255"), Attribute("dd.span_id", 16)], none + "00000000000000ff 0000000000000010")
        try check([Attribute("dd.trace_id", .string(Self.hex))], Self.hex + " " + none)
        var more = Correlation()
        (more.traceKeys, more.spanKeys) = (["my.trace"], ["my.span"])
        #expect(
            try Self.ids([Attribute("my.trace", .string(Self.hex)), Attribute("my.span", .string(Self.spanHex))], more)
                == both)
    }

    @Test func whatIsNoIDIsLeft() throws {
        for value in ["", "0", Self.hex + "0", String(Self.hex.dropLast()) + "g", String(repeating: "0", count: 32)] {
            #expect(try Self.ids([Attribute("trace_id", .string(value))]) == "", "\(value)")
        }
        for value in ["00-\(Self.hex)-\(Self.spanHex)", "x", "00-\(Self.spanHex)-\(Self.spanHex)-01", "---"] {
            #expect(try Self.ids([Attribute("traceparent", .string(value))]) == "", "\(value)")
        }
        #expect(try Self.ids([Attribute("dd.trace_id", "-5")]) == "")
        #expect(try Self.ids([Attribute("span_id", .string(Self.spanHex))]) == "")
        #expect(try Self.ids([Attribute("trace_id", .array([.string(Self.hex)]))]) == "")
        // The first that is one counts.
        #expect(
            try Self.ids([
                Attribute("trace_id", "x"), Attribute("traceId", .string(Self.hex)), Attribute("traceid", "ff"),
            ])
            .hasPrefix(Self.hex))
    }

    @Test func aRecordWithATraceIsLeftAlone() throws {
        let record = LogRecord(
            time: 1, body: "x", attributes: [Attribute("trace_id", .string(Self.hex))],
            traceID: TraceID(high: 1, low: 2))
        let before = Batch([record], resource: Resource())
        #expect(chain(.correlate(Correlation())).run(before).batch?.bytes == before.bytes)
        let spans = batch([span(1, 1) { $0.attributes = [Attribute("trace_id", .string(Self.hex))] }])
        #expect(chain(.correlate(Correlation())).run(spans).batch?.bytes == spans.bytes)
    }
}
