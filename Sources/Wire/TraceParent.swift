// <https://www.w3.org/TR/trace-context-2/#traceparent-header>, section 3.2, on bytes and without allocation: it is read for
// each request of the server.

public import Telemetry

/// A valid `traceparent`: both ids are.
public struct TraceParent: Equatable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    /// Only the flags that a participant passes on.
    public var traceFlags: UInt8

    public init(traceID: TraceID, spanID: SpanID, traceFlags: UInt8) {
        self.traceID = traceID
        self.spanID = spanID
        self.traceFlags = traceFlags
    }

    /// `00-` trace id `-` span id `-` flags.
    private static let length = 55

    /// Nil when the value is malformed, of version ff, or has an id of zeros. White space around it is passed over.
    public init?(_ value: UnsafeRawBufferPointer) {
        var start = 0
        var end = value.count
        while start < end, HTTP1Syntax.isWhiteSpace(value[start]) { start &+= 1 }
        while end > start, HTTP1Syntax.isWhiteSpace(value[end &- 1]) { end &-= 1 }
        guard end &- start >= Self.length, let base = value.baseAddress else { return nil }
        let text = base + start
        let dash = UInt8(ascii: "-")
        guard text.load(fromByteOffset: 2, as: UInt8.self) == dash,
            text.load(fromByteOffset: 35, as: UInt8.self) == dash,
            text.load(fromByteOffset: 52, as: UInt8.self) == dash
        else { return nil }
        let version = Self.hex2(text)
        let flags = Self.hex2(text + 53)
        guard version < 0xFF, flags <= 0xFF else { return nil }
        guard let high = Self.hex16(text + 3), let low = Self.hex16(text + 19), let span = Self.hex16(text + 36) else {
            return nil
        }
        // A later version may say more behind another dash.
        if end &- start > Self.length {
            guard version != 0, text.load(fromByteOffset: Self.length, as: UInt8.self) == dash else { return nil }
        }
        traceID = TraceID(high: high, low: low)
        spanID = SpanID(span)
        traceFlags = UInt8(truncatingIfNeeded: flags) & W3CTraceContext.knownFlags
        guard traceID.isValid, spanID.isValid else { return nil }
    }

    /// The value of two lower-case digits; 256 or more when one is none.
    @inline(__always)
    private static func hex2(_ digits: UnsafeRawPointer) -> UInt32 {
        nibble(digits.load(as: UInt8.self)) << 4 | nibble(digits.load(fromByteOffset: 1, as: UInt8.self))
    }

    /// The value of sixteen lower-case digits.
    @inline(__always)
    private static func hex16(_ digits: UnsafeRawPointer) -> UInt64? {
        var value: UInt64 = 0
        var bad: UInt32 = 0
        for offset in 0..<16 {
            let nibble = nibble(digits.load(fromByteOffset: offset, as: UInt8.self))
            bad |= nibble
            value = value &<< 4 | UInt64(nibble & 15)
        }
        return bad < 16 ? value : nil
    }

    /// 256 for what is no lower-case digit.
    @inline(__always)
    private static func nibble(_ byte: UInt8) -> UInt32 {
        let digit = UInt32(byte) &- 0x30
        if digit < 10 { return digit }
        let letter = UInt32(byte) &- 0x61
        return letter < 6 ? letter &+ 10 : 256
    }
}
