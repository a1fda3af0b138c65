// The server's half of HTTP/1.1 reading: <https://www.rfc-editor.org/rfc/rfc9112>, with RFC 9110 for the fields.
//
// One parser a connection. It is shown the bytes that it has not consumed yet and answers with one event and how many of them
// it is done with. A head is consumed line by line as its lines are whole, and written down at once in the normalised form in
// which it goes to JavaScript; so a head that drips in costs no second look at its earlier lines, and none is ever kept twice.
// Content is not copied: an event names a range of what was shown.
//
// It is strict where two readers of the same bytes could come to different requests: line ends are CRLF and nothing else, no
// white space before a colon, no folded lines, one Content-Length or one `Transfer-Encoding: chunked` and never both. What it
// refuses it refuses at the same byte however the bytes were cut, and then for good: the connection has to be closed.

/// Reads the requests of one connection. Not Sendable: it belongs to the connection's thread.
///
///     while true {
///         let event = parser.next(unconsumed)
///         unconsumed.removeFirst(event.consumed)
///         switch event { … }
///     }
public struct HTTP1RequestParser: ~Copyable {
    public enum Event: Equatable, Sendable {
        /// Show what is left together with more. Nothing but this for no bytes at all.
        case needMore(consumed: Int)
        /// `head` and `text` hold until the next call.
        case head(consumed: Int)
        /// Content at that range of the input; never empty.
        case body(Range<Int>, consumed: Int)
        /// The message is over; what follows is the next request. Trailers were checked and dropped.
        case end(consumed: Int)
        /// Answer with the failure's status and close. Every later call gives the same again.
        case failure(HTTP1Failure)

        /// Bytes of the input that are done with, counted from its start.
        @inlinable public var consumed: Int {
            switch self {
            case .needMore(let consumed), .head(let consumed), .body(_, let consumed), .end(let consumed): consumed
            case .failure: 0
            }
        }
    }

    enum State {
        /// Before a request: an empty line may come first.
        case start
        case requestLine
        case fields
        case content(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case failed(HTTP1Failure)
    }

    /// What fields said that only the whole head decides on.
    struct Framing {
        var contentLength: Int?
        var transferEncoding = HTTP1Framing.TransferEncoding.none
        var close = false
        var keepAlive = false
        var upgrade = false
        var expectsContinue = false
    }

    public let limits: HTTP1Limits

    /// The last head.
    public internal(set) var head = HTTP1RequestHead()

    var state = State.start
    var framing = Framing()

    /// An empty line before this request was passed over.
    var skippedEmptyLine = false

    /// Bytes of this head, or these trailers, that were consumed.
    var sectionBytes = 0
    /// Content and chunk extensions so far.
    var bodyBytes = 0
    var extensionBytes = 0

    /// Where the normalised text is written: `capacity` bytes, of which `used` are filled.
    var buffer: UnsafeMutableRawPointer
    var capacity: Int
    var used = 0

    /// Bytes of room at the end of `buffer`, for writes of whole words.
    static let slack = 16
    static let capacityMin = 1024
    /// A buffer that had to grow over this is given back after its request.
    static let capacityKeptMax = 8 * 1024

    /// Traps when limits contradict each other.
    public init(limits: HTTP1Limits = HTTP1Limits()) {
        precondition(limits.areSound, "limits that no request can keep to: \(limits)")
        self.limits = limits
        capacity = Self.capacityMin
        buffer = .allocate(byteCount: Self.capacityMin, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Between two requests, with no byte of the next one consumed.
    public var isIdle: Bool {
        if case .start = state { !skippedEmptyLine } else { false }
    }

    /// Bytes that the parser keeps of a head, or for the next one.
    public var heldBytes: Int { capacity }

    /// The head is over, the message is not.
    public var isInBody: Bool {
        switch state {
        case .content, .chunkSize, .chunk, .chunkEnd, .trailers: true
        case .start, .requestLine, .fields, .failed: false
        }
    }

    /// The head as `METHOD SP target LF name LF value LF …`, names in lower case, values without white space around them; bytes
    /// over 0x7F as they came. Valid from the event `head` to the next call; for content of a known length, or none, until the call after `end`.
    public var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer, count: head.textCount) }

    /// A part of `text`.
    @inline(__always)
    public func bytes(at span: HTTP1Span) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffer + Int(span.offset), count: Int(span.length))
    }

    /// The value of the first line of `field`; nil when there is none. Valid like `text`.
    public func value(of field: HTTP1Field) -> UnsafeRawBufferPointer? {
        head.span(field).map { bytes(at: $0) }
    }

    /// The next event in the bytes that have not been consumed; call again with the rest until it says `needMore`.
    public mutating func next(_ input: UnsafeRawBufferPointer) -> Event {
        switch state {
        case .start, .requestLine, .fields: nextOfHead(input)
        case .content(let left): nextOfContent(input, left)
        case .chunkSize, .chunk, .chunkEnd, .trailers: nextOfChunked(input)
        case .failed(let failure): .failure(failure)
        }
    }

    mutating func fail(_ failure: HTTP1Failure) -> Event {
        state = .failed(failure)
        return .failure(failure)
    }

    /// Twice the room, with what is written so far.
    @inline(never)
    mutating func grow() {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 16)
        larger.copyMemory(from: buffer, byteCount: used)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
    }

    @inline(never)
    mutating func giveBack() {
        buffer.deallocate()
        buffer = .allocate(byteCount: Self.capacityMin, alignment: 16)
        capacity = Self.capacityMin
    }
}
