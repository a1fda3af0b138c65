/// What one request may cost. Every bound is checked as the bytes come, before anything is stored.
/// RFC 9112 section 3 and RFC 9110 section 5.4 ask for such bounds and name the answers.
public struct HTTP1Limits: Sendable, Equatable {
    /// Bytes of the method; more are answered with 501. The registry's longest has 17.
    public var methodBytesMax = 32

    /// Bytes of the request line with its line end; more are answered with 414.
    public var requestLineBytesMax = 8 * 1024

    /// Bytes of the head: request line, fields and the empty line; more are answered with 431.
    public var headBytesMax = 32 * 1024

    /// Field lines of the head; the same number again is allowed in the trailers. More are answered with 431.
    public var headerCountMax = 128

    /// Bytes of content; more are answered with 413: at once by Content-Length, as it comes when chunked.
    public var bodyBytesMax = 100 * 1024 * 1024

    /// Bytes of chunk extensions in one whole message, which carry nothing anyone asked for; more are answered with 400.
    public var chunkExtensionBytesMax = 4 * 1024

    /// Bytes of the trailers with the empty line that ends them; more are answered with 431.
    public var trailerBytesMax = 8 * 1024

    public init() {}

    /// Whether the parser can keep to these: all positive, and offsets in a head fit 32 bits.
    var areSound: Bool {
        methodBytesMax > 0 && headerCountMax >= 0 && bodyBytesMax >= 0 && chunkExtensionBytesMax >= 0
            && (16...headBytesMax).contains(requestLineBytesMax) && headBytesMax <= 1 << 30
            && (2...(1 << 30)).contains(trailerBytesMax)
    }
}
