internal import Glibc
internal import Telemetry
internal import Wire

/// What is kept of a request until its record is written. One a connection, used again and again.
struct HTTPRequestState {
    var identity = RequestIdentity()
    /// Ring time.
    var start = 0.0
    /// Its place on the board; nil when that was full, or without an agent.
    var boardSlot: Int?
    var isOnBoard = false
    private(set) var head = HTTP1RequestHead()
    var status = 0
    var route: [UInt8] = []
    var errorType: [UInt8] = []

    /// JavaScript has been told the end, or told us.
    var isOver = true
    var keepsAlive = true
    /// Its response is not whole, and nobody may think so.
    var isCut = false
    /// The program's response was not sent, but a 500 in its place.
    var isHeadRefused = false
    /// Content is still to be read from the connection.
    var hasContentLeft = false
    var wantsContent = false
    var contentFailed = false
    /// The client waits for `100 Continue`.
    var awaitsContinue = false
    var skippedBytes = 0
    /// It is a WebSocket now.
    var isUpgraded = false
    /// … whose peer was asked whether it is there, and has not said anything since.
    var isPinged = false
    /// Of its turns so far, nanoseconds; of sampled requests, and of all where it is limited.
    var cpuTime = 0.0

    /// The normalised head: the parser's own holds only until it reads on.
    private var text = UnsafeMutableRawPointer.allocate(byteCount: 1024, alignment: 16)
    private var textCapacity = 1024

    func deallocate() { text.deallocate() }

    /// The parser has read a head.
    mutating func begin(_ parser: borrowing HTTP1RequestParser, start: Double) {
        head = parser.head
        let bytes = parser.text
        if bytes.count > textCapacity {
            text.deallocate()
            textCapacity = bytes.count
            text = .allocate(byteCount: textCapacity, alignment: 16)
        }
        memcpy(text, bytes.baseAddress!, bytes.count)
        self.start = start
        boardSlot = nil
        isOnBoard = false
        status = 0
        if !route.isEmpty { route.removeAll(keepingCapacity: true) }
        if !errorType.isEmpty { errorType.removeAll(keepingCapacity: true) }
        isOver = false
        keepsAlive = head.keepAlive
        isCut = false
        isHeadRefused = false
        hasContentLeft = true
        wantsContent = false
        contentFailed = false
        awaitsContinue = head.expectsContinue
        skippedBytes = 0
        isUpgraded = false
        isPinged = false
        cpuTime = 0
    }

    var methodAndVersion: (method: UInt8, isHTTP11: Bool) { (head.method.rawValue, head.version == .http11) }
    var hasBody: Bool { head.body != .none }
    var headText: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: head.textCount) }

    func bytes(_ span: HTTP1Span) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text + Int(span.offset), count: Int(span.length))
    }

    func value(_ field: HTTP1Field) -> UnsafeRawBufferPointer? { head.span(field).map(bytes) }

    /// Path and query of the target, in whichever form it came.
    var pathAndQuery: (path: UnsafeRawBufferPointer, query: UnsafeRawBufferPointer) {
        var target = bytes(head.target)
        if head.targetAuthority.length > 0 {
            // absolute-form or authority-form: what follows the authority.
            let end = Int(head.targetAuthority.offset) + Int(head.targetAuthority.length) - Int(head.target.offset)
            target = UnsafeRawBufferPointer(rebasing: target[end...])
        }
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return (target, HTTPRequestState.none) }
        return (
            UnsafeRawBufferPointer(rebasing: target[..<mark]), UnsafeRawBufferPointer(rebasing: target[(mark + 1)...])
        )
    }

    static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// Host and port that the client wants: of the target, or of `Host`.
    var authority: (host: UnsafeRawBufferPointer, port: Int?) {
        let text = head.targetAuthority.length > 0 ? bytes(head.targetAuthority) : value(.host) ?? HTTPRequestState.none
        // The colon behind the brackets of an IPv6 address, if any.
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")), text.last != UInt8(ascii: "]") else {
            return (text, nil)
        }
        var port = 0
        for digit in text[(colon + 1)...] where digit >= 0x30 && digit <= 0x39 && port < 65_536 {
            port = port * 10 + Int(digit - 0x30)
        }
        return (UnsafeRawBufferPointer(rebasing: text[..<colon]), port > 0 && port < 65_536 ? port : nil)
    }
}
