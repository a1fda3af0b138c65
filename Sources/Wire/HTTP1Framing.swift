// Where a message ends, RFC 9112 section 6: pure functions of what the head said.

public enum HTTP1Framing {
    // MARK: requests

    /// What all `Transfer-Encoding` lines together name, RFC 9112 sections 6.1 and 7.
    public enum TransferEncoding: Sendable, Equatable {
        case none
        /// `chunked` and nothing else.
        case chunked
        /// Codings before a final `chunked`: the end of the message is known, its content is not understood.
        case chunkedAfterOthers
        /// The last coding is not `chunked`: the end of a request is unknown.
        case others

        /// Goes on with another line; false when the line is malformed or applies `chunked` more than once.
        public mutating func add(_ value: UnsafeRawBufferPointer) -> Bool {
            if HTTP1Syntax.equalInAnyCase(value, "chunked"), self == .none {
                self = .chunked
                return true
            }
            var members = 0
            var isGood = true
            var result = self
            HTTP1Framing.forEachMember(of: value) { member in
                members &+= 1
                let isToken = member.allSatisfy { HTTP1Syntax.token[Int($0)] != 0 }
                if HTTP1Syntax.equalInAnyCase(member, "chunked") {
                    switch result {
                    case .none: result = .chunked
                    case .others: result = .chunkedAfterOthers
                    case .chunked, .chunkedAfterOthers: isGood = false
                    }
                } else {
                    // Parameters and anything behind `chunked` are more than a request needs.
                    isGood = isGood && isToken && (result == .none || result == .others)
                    result = .others
                }
            }
            self = result
            return isGood && members > 0
        }
    }

    /// How a request's content is delimited. A request with both fields is a try at smuggling and refused (section 6.1).
    public static func request(
        version: HTTP1Version, contentLength: Int?, transferEncoding: TransferEncoding, bodyBytesMax: Int
    ) -> Result<HTTP1RequestBody, HTTP1Failure> {
        if transferEncoding != .none {
            guard version == .http11 else { return .failure(.transferEncodingVersion) }
            guard contentLength == nil else { return .failure(.lengthAndTransferEncoding) }
            switch transferEncoding {
            case .chunked: return .success(.chunked)
            case .chunkedAfterOthers: return .failure(.transferCoding)
            case .none, .others: return .failure(.transferEncoding)
            }
        }
        guard let contentLength, contentLength > 0 else { return .success(.none) }
        return contentLength <= bodyBytesMax ? .success(.length(contentLength)) : .failure(.bodyTooLarge)
    }

    /// `1*DIGIT`; nil for all else: signs, lists, white space, and numbers over 63 bits.
    public static func contentLength(_ value: UnsafeRawBufferPointer) -> Int? {
        guard !value.isEmpty else { return nil }
        var length = 0
        for byte in value {
            guard HTTP1Syntax.isDigit(byte) else { return nil }
            let (tens, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = tens.addingReportingOverflow(Int(byte &- 0x30))
            guard !overflow, !overflowToo else { return nil }
            length = sum
        }
        return length
    }

    /// The members of a list without white space around them and without the empty ones, RFC 9110 section 5.6.1.
    static func forEachMember(of list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var start = 0
        while start < list.count {
            var end = start
            while end < list.count, list[end] != UInt8(ascii: ",") { end &+= 1 }
            var first = start
            var last = end
            while first < last, HTTP1Syntax.isWhiteSpace(list[first]) { first &+= 1 }
            while last > first, HTTP1Syntax.isWhiteSpace(list[last &- 1]) { last &-= 1 }
            if first < last { body(UnsafeRawBufferPointer(rebasing: list[first..<last])) }
            start = end &+ 1
        }
    }

    // MARK: responses

    /// How a response is delimited and whether the connection outlives it.
    public struct Response: Sendable, Equatable {
        public enum Body: Sendable, Equatable {
            /// Neither content nor a field about it: 1xx, 204, and 2xx to CONNECT.
            case none
            /// No content, but the length it would have had where that is known: HEAD and 304.
            case omitted(length: Int?)
            case length(Int)
            case chunked
            /// Until the connection is closed, for HTTP/1.0.
            case untilClose
        }

        public var body: Body
        /// The connection goes on after this response.
        public var keepAlive: Bool

        /// Whether the bytes of the content are to be sent at all.
        public var sendsContent: Bool {
            switch body {
            case .none, .omitted: false
            case .length(let length): length > 0
            case .chunked, .untilClose: true
            }
        }
    }

    /// Framing of a response, RFC 9112 sections 6.1 to 6.3.
    /// - Parameters:
    ///   - length: bytes of content; nil when they are not known before the head goes out.
    ///   - version: of the request: what its sender understands.
    ///   - keepAlive: both sides want the connection to go on.
    public static func response(
        status: Int, method: HTTP1Method, version: HTTP1Version, length: Int?, keepAlive: Bool
    ) -> Response {
        switch status {
        case 100..<200, 204: return Response(body: .none, keepAlive: keepAlive)
        case 200..<300 where method == .connect: return Response(body: .none, keepAlive: keepAlive)
        // RFC 9110 section 15.3.6: never content, and said so.
        case 205 where method != .head: return Response(body: .length(0), keepAlive: keepAlive)
        case 304: return Response(body: .omitted(length: length), keepAlive: keepAlive)
        default: break
        }
        if method == .head { return Response(body: .omitted(length: length), keepAlive: keepAlive) }
        if let length { return Response(body: .length(length), keepAlive: keepAlive) }
        return version == .http11
            ? Response(body: .chunked, keepAlive: keepAlive) : Response(body: .untilClose, keepAlive: false)
    }
}
