import Store
import Telemetry

@testable import sidelight

/// 2026-11-23T14:00:00.123Z, Unix nanoseconds.
let start: UInt64 = 1_795_442_400_123_000_000

let checkout = TraceID(hex: "4bf92f3577b34da6a3ce929d0e0e4736")!

func resource(_ service: String) -> Resource { Resource(attributes: [Attribute("service.name", .string(service))]) }

/// Times in milliseconds after `start`.
func span(
    _ id: UInt64, parent: UInt64 = 0, _ name: String, _ from: Double, _ to: Double, kind: SpanKind = .internal,
    error: String? = nil, events: [SpanData.Event] = [], attributes: Attributes = [], service: String = "shop"
) -> StoredSpan {
    StoredSpan(
        span: SpanData(
            context: SpanContext(traceID: checkout, spanID: SpanID(id)), parentSpanID: SpanID(parent), name: name,
            kind: kind,
            startTime: time(from), endTime: time(to), attributes: attributes, events: events,
            status: SpanStatus(code: error == nil ? .unset : .error, message: error ?? "")),
        resource: resource(service))
}

func log(
    _ text: String, _ at: Double, severity: UInt8 = 9, span: UInt64 = 0, attributes: Attributes = [],
    eventName: String = ""
) -> StoredLog {
    StoredLog(
        record: LogRecord(
            time: time(at), severity: severity, body: .string(text), attributes: attributes,
            traceID: span == 0 ? .invalid : checkout, spanID: SpanID(span), eventName: eventName),
        resource: resource("shop"))
}

func time(_ milliseconds: Double) -> UInt64 { UInt64(Int64(start) + Int64(milliseconds * 1e6)) }

func exception(_ at: Double) -> SpanData.Event {
    SpanData.Event(time: time(at), name: "exception", attributes: exceptionAttributes)
}

let exceptionAttributes: Attributes = [
    Attribute("exception.type", "TypeError"), Attribute("exception.message", "no price"),
    Attribute(
        "exception.stacktrace",
        """
        TypeError: no price
            at total (src/cart.ts:12:19)
            at node:internal/process:1:1
            at checkout (src/checkout.ts:40:7)
            at handle (src/server.ts:9:3)
            at further (src/server.ts:1:1)
        """),
]

func waterfall(
    _ spans: [StoredSpan], logs: [StoredLog] = [], width: Int = 80, color: Bool = false, attributes: Bool = false,
    spansMax: Int = 1_000, isInteractive: Bool = true
) -> [String] {
    let sorted = spans.sorted { $0.span.startTime < $1.span.startTime }
    let terminal = Terminal(width: width, hasColor: color, isInteractive: isInteractive)
    return Waterfall(
        StoredTrace(id: checkout, spans: sorted, logs: logs),
        Waterfall.Options(terminal: terminal, showsAttributes: attributes, spansMax: spansMax, utc: true)
    ).lines()
}
