/// One outgoing HTTP request.
public struct HTTPRequest: Sendable {
    public var method: String
    /// Absolute, http or https.
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Whole exchange, connecting included. Milliseconds.
    public var timeoutMilliseconds: Int
    /// Largest response body kept; what comes beyond is an error. Bytes.
    public var responseBytesMax: Int
    /// HTTP/2 from the first byte, also without TLS ("prior knowledge", RFC 9113, section 3.3), all requests to one place on
    /// one connection as far as the server lets them; with TLS it is what the server is offered first.
    public var isHTTP2 = false
    /// Where the URL's host is, IPv4 or IPv6 as text; nil: it is looked up. TLS and the header `Host` go by the URL all the same.
    public var address: String?
    /// Nothing is sent: success, with status 0, is that a connection stands. A new one, which is closed at once.
    public var connectsOnly = false

    public init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeoutMilliseconds: Int = 10_000, responseBytesMax: Int = 1 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.responseBytesMax = responseBytesMax
    }
}

/// What came back.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Names in lower case, in the order they came; those of a trailer come last.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Where the last redirect led, or the request's URL.
    public var url: String

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], url: String = "") {
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
    }

    /// The first header of this name (lower case).
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The last header of this name (lower case): the trailer's, where that has it.
    public func lastHeader(_ name: String) -> String? { headers.last { $0.name == name }?.value }
}

/// Why there is no response.
public struct HTTPTransportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A small fixed set, fit for a metric label.
    public enum Code: String, Sendable {
        case resolve, connect, tls, timeout, reset, protocolViolation = "protocol", tooLarge = "too_large", cancelled
        case badURL = "bad_url", shutdown
    }

    public var code: Code
    /// For people: says what happened with which host.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// The message, for a line that has named this place (a URL, or HOST:PORT) already.
    public func message(at place: String) -> String {
        guard let end = message.firstRange(of: ": "), place.contains(message[..<end.lowerBound]) else { return message }
        return String(message[end.upperBound...])
    }
}

/// Sends HTTP requests, several at a time. Implemented by `CurlTransport` and, in tests, by a simulated network.
public protocol HTTPTransport: Sendable {
    /// Calls `completion` exactly once, on a thread of the transport's choosing; it must not block.
    func send(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void)
}
