// <https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format>.

public import Telemetry

/// Jaeger's propagation header, `uber-trace-id`.
public enum JaegerPropagation {
    public static let headerName = "uber-trace-id"

    /// `traceid:spanid:parent:flags`; leading zeros may be missing, and colons may be percent-encoded.
    public static func parse(_ value: String) -> SpanContext? {
        let parts = percentDecodedColons(value).split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, (1...32).contains(parts[0].utf8.count), (1...16).contains(parts[1].utf8.count),
            let traceID = TraceID(hex: padded(parts[0], to: 32)), let spanID = SpanID(hex: padded(parts[1], to: 16)),
            traceID.isValid, spanID.isValid, !parts[3].hasPrefix("+"), let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        return SpanContext(traceID: traceID, spanID: spanID, traceFlags: flags & 1, isRemote: true)
    }

    /// The parent's id is deprecated and written as 0.
    public static func format(_ context: SpanContext) -> String? {
        guard context.traceID.isValid, context.spanID.isValid else { return nil }
        return "\(context.traceID.hex):\(context.spanID.hex):0:\(context.isSampled ? 1 : 0)"
    }

    private static func padded(_ digits: String, to count: Int) -> String {
        String(repeating: "0", count: count - digits.utf8.count) + digits
    }

    private static func percentDecodedColons(_ value: String) -> String {
        var bytes: [UInt8] = []
        var rest = ArraySlice(value.utf8)
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.starts(with: "3A".utf8) || rest.starts(with: "3a".utf8) {
                bytes.append(UInt8(ascii: ":"))
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
