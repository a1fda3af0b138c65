/// Methods by their index in the request cells (`i32[12]`).
public enum HTTP1Method: UInt8, Sendable {
    case other, get, head, post, put, delete, connect, options, trace, patch
}

public enum HTTP1Version: UInt8, Sendable {
    case http10, http11
}

/// How a request's content is delimited, RFC 9112 section 6.
public enum HTTP1RequestBody: Equatable, Sendable {
    /// No content; also for a Content-Length of 0.
    case none
    /// So many bytes, at least one.
    case length(Int)
    case chunked
}

/// Fields whose place in the head the parser notes.
public enum HTTP1Field: UInt8, Sendable, CaseIterable {
    case host, connection, upgrade, expect
    case contentLength, transferEncoding, contentType, acceptEncoding
    case userAgent, forwarded, xForwardedFor, xForwardedProto
    case traceparent, tracestate, baggage
    case b3, xB3TraceID, xB3SpanID, xB3ParentSpanID, xB3Sampled, xB3Flags
    case uberTraceID

    static let count = 22
}

/// A part of a head's text: bytes from its start, and how many.
public struct HTTP1Span: Equatable, Sendable {
    public var offset: UInt32
    public var length: UInt32

    @inline(__always)
    init(_ offset: Int, _ length: Int) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.length = UInt32(truncatingIfNeeded: length)
    }

    public var range: Range<Int> { Int(offset)..<Int(offset) + Int(length) }
}

/// What a head says. Spans are of `HTTP1RequestParser.text`.
public struct HTTP1RequestHead: Sendable {
    public internal(set) var method = HTTP1Method.other
    public internal(set) var version = HTTP1Version.http11
    public internal(set) var body = HTTP1RequestBody.none

    /// The client lets the connection go on: HTTP/1.1 without `close`, HTTP/1.0 with `keep-alive`. RFC 9112 section 9.3.
    public internal(set) var keepAlive = true

    /// The client waits for `100 Continue` before it sends the content, RFC 9110 section 10.1.1.
    /// Never in HTTP/1.0, nor without content.
    public internal(set) var expectsContinue = false

    /// `Upgrade` is there and `Connection` names it; never in HTTP/1.0. RFC 9110 section 7.8.
    public internal(set) var wantsUpgrade = false

    /// Bytes of the normalised text.
    public internal(set) var textCount = 0

    /// Field lines.
    public internal(set) var fieldCount = 0

    public internal(set) var methodSpan = HTTP1Span(0, 0)
    public internal(set) var target = HTTP1Span(0, 0)

    /// Host and port of the target in absolute-form or authority-form; there `Host` is to be ignored (RFC 9112 section 3.2.2).
    /// Empty for the other forms.
    public internal(set) var targetAuthority = HTTP1Span(0, 0)

    var present: UInt32 = 0
    var repeated: UInt32 = 0
    var spans = InlineArray<22, HTTP1Span>(repeating: HTTP1Span(0, 0))

    public init() {}

    /// The value of the field's first line, without white space around it; nil when there is none.
    public func span(_ field: HTTP1Field) -> HTTP1Span? {
        has(field) ? spans[Int(field.rawValue)] : nil
    }

    public func has(_ field: HTTP1Field) -> Bool { present & (1 << UInt32(field.rawValue)) != 0 }

    /// Whether there is more than one line of the field.
    public func isRepeated(_ field: HTTP1Field) -> Bool { repeated & (1 << UInt32(field.rawValue)) != 0 }

    /// Whether a header of a propagator other than W3C's is there: B3 or Jaeger.
    public var hasOtherPropagation: Bool { present & Self.otherPropagation != 0 }

    private static let otherPropagation: UInt32 =
        1 << UInt32(HTTP1Field.b3.rawValue) | 1 << UInt32(HTTP1Field.xB3TraceID.rawValue)
        | 1 << UInt32(HTTP1Field.uberTraceID.rawValue)

    /// Forgets a request; the spans need no clearing, `present` says which are valid.
    mutating func clear() {
        present = 0
        repeated = 0
        fieldCount = 0
        textCount = 0
        body = .none
        expectsContinue = false
        wantsUpgrade = false
        targetAuthority = HTTP1Span(0, 0)
    }
}
