internal import Wire

/// What clients may cost. Every bound is checked as bytes come, before they are kept.
public struct ServerLimits: Sendable, Equatable {
    /// Connections at a time, over all listeners; one more is accepted, told 503 and closed.
    public var connectionsMax = 1024

    /// Bytes of a request's head: request line and fields. More are answered with 431 (or 414 for the line alone).
    public var headBytesMax = 32 * 1024

    /// Field lines of a head; more are answered with 431.
    public var headerCountMax = 128

    /// Bytes of a body, as it comes and when decoded: the default of `OTLP.ReceiveLimits`. More are answered with 413.
    public var bodyBytesMax = 64 << 20

    /// Of one client.
    public var perClient = ClientLimits()

    /// Milliseconds from the first byte of a request (or from the connection) until its head is whole.
    public var headMilliseconds = 10_000

    /// Milliseconds from the head until the body is whole.
    public var bodyMilliseconds = 60_000

    /// Milliseconds that a connection without a request is kept. Longer than most clients keep theirs, so that it is they who close it.
    public var idleMilliseconds = 120_000

    /// Milliseconds in which a client has to take some of what is sent to it.
    public var writeMilliseconds = 30_000

    /// Milliseconds for which an answer is waited for that a handler owes to a client which has ended its side: most of those have left, and what they leave
    /// would take the place of others.
    public var leftMilliseconds = 10_000

    /// Milliseconds, and bytes thrown away, for which a connection is read after its last answer, so that the client gets to read it.
    public var lingerMilliseconds = 2_000
    public var lingerBytesMax = 4 << 20

    /// Bytes of pieces of one response that wait to be sent; `ResponseStream.write` refuses more.
    public var streamBytesMax = 256 * 1024

    /// HTTP/2: requests of one connection at a time (SETTINGS_MAX_CONCURRENT_STREAMS).
    public var http2StreamsMax = 128

    /// HTTP/2: bytes that a client may send ahead on a stream, and on a connection.
    public var http2StreamWindowBytes = 256 * 1024
    public var http2ConnectionWindowBytes = 1 << 20

    /// HTTP/2: frames that carry no part of a request (pings, settings, resets, empty data, window updates beyond what is needed, …) that a connection may
    /// send at once, and a second. More end it with ENHANCE_YOUR_CALM.
    public var http2ControlFramesBurst = 2_000
    public var http2ControlFramesPerSecond = 500

    /// HTTP/2: requests that a client may take back (RST_STREAM) at once, and a second.
    public var http2ResetsBurst = 200
    public var http2ResetsPerSecond = 50

    public init() {}

    func http1(bodyBytesMax: Int) -> HTTP1Limits {
        var limits = HTTP1Limits()
        limits.headBytesMax = headBytesMax
        limits.requestLineBytesMax = min(limits.requestLineBytesMax, headBytesMax)
        limits.headerCountMax = headerCountMax
        limits.bodyBytesMax = bodyBytesMax
        return limits
    }
}
