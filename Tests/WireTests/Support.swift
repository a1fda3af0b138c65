import Telemetry
import Wire

/// Bytes as lowercase hex digits.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes { text += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return text
}

func bytes(hex text: String) -> [UInt8] {
    let digits = Array(text)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16)! }
}

/// What `encode` writes.
func written(_ encode: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter(capacity: 64)
    encode(&writer)
    return writer.takeBytes()
}

/// The values behind the golden bytes, which Python's opentelemetry-proto 1.45 made.
enum Example {
    static let traceID = TraceID(hex: "0af7651916cd43dd8448eb211c80319c")!
    static let spanID = SpanID(hex: "b7ad6b7169203331")!
    static let parentID = SpanID(hex: "00f067aa0ba902b7")!

    static let span = SpanData(
        context: SpanContext(traceID: traceID, spanID: spanID, traceFlags: 1, traceState: "a=1"),
        parentSpanID: parentID,
        parentIsRemote: true, name: "GET /", kind: .server, startTime: 1_700_000_000_000_000_001, endTime: .max,
        attributes: [
            Attribute("s", "é"), Attribute("b", false), Attribute("i", .int(.min)), Attribute("d", -0.5),
            Attribute("y", .bytes([0, 255])), Attribute("a", .array([.int(.max), .empty])),
            Attribute("m", .map([Attribute("x", "")])), Attribute("e", .empty),
        ],
        events: [
            SpanData.Event(time: 5, name: "e", attributes: [Attribute("k", true)], droppedAttributesCount: 1)
        ],
        links: [
            SpanData.Link(
                context: SpanContext(
                    traceID: traceID, spanID: parentID, traceFlags: 1, traceState: "b=2", isRemote: true),
                attributes: [Attribute("l", 1)], droppedAttributesCount: 3)
        ],
        status: SpanStatus(code: .error, message: "bad"), droppedAttributesCount: 300, droppedEventsCount: 2,
        droppedLinksCount: .max)

    static let log = LogRecord(
        time: 1, observedTime: 2, severity: 17, severityText: "ERROR", body: "boom",
        attributes: [Attribute("exception.type", "TypeError")], droppedAttributesCount: 4, traceID: traceID,
        spanID: spanID,
        traceFlags: 1, eventName: "exception")

    static let counter = MetricPoint(
        instrument: .init(name: "requests", unit: "{request}", description: "d", type: .counter, isInteger: true),
        attributes: [Attribute("k", "v")], startTime: 1, time: 2, value: -7)

    static let gauge = MetricPoint(instrument: .init(name: "temp", type: .gauge), startTime: 0, time: 2, value: 0)

    static let histogram = MetricPoint(
        instrument: .init(name: "duration", unit: "s", type: .histogram), startTime: 1, time: 2, value: 4.5,
        histogram: .init(count: 3, min: 0.25, max: 2.25, bounds: [0.5, 2.5], bucketCounts: [1, 2, 0]))

    static let resource = Resource(
        attributes: [Attribute("service.name", "shop")], droppedAttributesCount: 1, schemaURL: "https://r")

    static let scope = InstrumentationScope(
        name: "http", version: "1.2", attributes: [Attribute("s", true)], droppedAttributesCount: 2,
        schemaURL: "https://s")
}
