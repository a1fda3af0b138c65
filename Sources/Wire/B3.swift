// <https://github.com/openzipkin/b3-propagation>, both forms, by OpenTelemetry's rules:
// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-requirements>.

public import Telemetry

/// Zipkin's propagation headers.
public enum B3 {
    /// Names of the headers in lower case.
    public static let singleName = "b3"
    public static let traceIDName = "x-b3-traceid"
    public static let spanIDName = "x-b3-spanid"
    public static let sampledName = "x-b3-sampled"
    public static let flagsName = "x-b3-flags"

    /// The value of `b3`: `traceid-spanid[-sampling[-parent]]`. Nil when it is malformed or holds a decision without ids.
    public static func parse(single: String) -> SpanContext? {
        let parts = single.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count), let context = context(String(parts[0]), String(parts[1])) else {
            return nil
        }
        if parts.count == 4 { guard SpanID(hex: parts[3]) != nil else { return nil } }
        return parts.count > 2 ? sampled(context, String(parts[2])) : context
    }

    /// The values of the `x-b3-…` headers. Nil when the ids are missing or malformed.
    public static func parse(
        traceID: String, spanID: String, sampled: String? = nil, flags: String? = nil
    ) -> SpanContext? {
        guard let context = context(traceID, spanID) else { return nil }
        if flags == "1" { return self.sampled(context, "d") }
        return sampled.map { self.sampled(context, $0) } ?? context
    }

    public static func formatSingle(_ context: SpanContext) -> String? {
        guard context.traceID.isValid, context.spanID.isValid else { return nil }
        return "\(context.traceID.hex)-\(context.spanID.hex)-\(context.isSampled ? "1" : "0")"
    }

    /// Names and values of the `x-b3-…` headers.
    public static func formatMultiple(_ context: SpanContext) -> [(name: String, value: String)] {
        guard context.traceID.isValid, context.spanID.isValid else { return [] }
        return [
            (traceIDName, context.traceID.hex), (spanIDName, context.spanID.hex),
            (sampledName, context.isSampled ? "1" : "0"),
        ]
    }

    /// Not sampled until a decision says so; ids of 64 bits are padded on the left.
    private static func context(_ traceID: String, _ spanID: String) -> SpanContext? {
        guard let traceID = TraceID(hex: traceID), let spanID = SpanID(hex: spanID), traceID.isValid, spanID.isValid
        else { return nil }
        return SpanContext(traceID: traceID, spanID: spanID, traceFlags: 0, isRemote: true)
    }

    private static func sampled(_ context: SpanContext, _ decision: String) -> SpanContext? {
        var context = context
        switch decision {
        case "1", "d", "true": context.traceFlags = 1
        case "0", "false": break
        default: return nil
        }
        return context
    }
}
