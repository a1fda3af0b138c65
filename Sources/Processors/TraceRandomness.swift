internal import Telemetry

/// The 56 bits of a trace that decide for a ratio, the same wherever it is asked.
/// <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>
enum TraceRandomness {
    /// One more than the greatest randomness.
    static let range: UInt64 = 1 << 56

    /// The rejection threshold of a probability: traces with this much randomness or more are chosen.
    static func threshold(_ ratio: Double) -> UInt64 {
        guard ratio > 0 else { return range }
        return min(UInt64(((1 - min(ratio, 1)) * Double(range)).rounded()), range)
    }

    /// - Parameter fields: of a span of the trace.
    static func of(_ trace: TraceID, _ fields: FieldCursor) -> UInt64 { inState(fields) ?? of(trace) }

    static func of(_ trace: TraceID) -> UInt64 { trace.low & (range - 1) }

    /// `rv` of the `ot` entry of a trace state: 14 hex digits.
    private static func inState(_ fields: FieldCursor) -> UInt64? {
        var fields = fields
        while fields.next(), fields.number <= Tag.Span.traceState >> 3 {
            if fields.tag == Tag.Span.traceState { return inState(fields.bytes(fields.value)) }
        }
        return nil
    }

    /// W3C Trace Context allows 512 bytes; what is longer is not looked at.
    private static let traceStateBytesMax = 512

    private static func inState(_ state: UnsafeRawBufferPointer) -> UInt64? {
        guard state.count <= traceStateBytesMax else { return nil }
        for member in state.split(separator: 0x2C) {
            let member = member.drop { $0 == 0x20 || $0 == 0x09 }
            guard member.starts(with: "ot=".utf8) else { continue }
            for entry in member.dropFirst(3).split(separator: 0x3B) where entry.starts(with: "rv:".utf8) {
                let digits = entry.dropFirst(3).prefix { $0 != 0x20 && $0 != 0x09 }
                guard digits.count == 14 else { return nil }
                var value: UInt64 = 0
                for digit in digits {
                    switch digit {
                    case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
                    case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
                    default: return nil
                    }
                }
                return value
            }
            return nil
        }
        return nil
    }
}
