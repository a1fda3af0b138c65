/// One outgoing HTTP request whose answer is handed over as it comes in.
public struct HTTPStreamRequest: Sendable {
    public enum Body: Sendable {
        case none
        /// Sent with its length; may be sent again when a kept connection turns out to be dead.
        case whole([UInt8])
        /// Pushed later. Without a length HTTP/1.1 sends it in chunks.
        case streamed
        /// Not content, but bytes of another protocol, pushed once the answer is 101 Switching Protocols; what comes after that answer's head is handed over as its
        /// body. Over HTTP/1.1 and a connection of its own, on which silence is no failure.
        case upgraded
    }

    public var method: String
    /// Absolute, http or https.
    public var url: String
    /// As they go out: `name:value` and a line feed each, Latin-1.
    public var headers: [UInt8]
    public var body: Body
    /// Where to connect to, whatever the URL's host and port, which the header `Host` and TLS go by all the same; nil: there. `HOST:PORT`, or `[ADDRESS]:PORT`.
    /// No proxy stands between.
    public var place: String?
    /// Until a connection must stand; nil: the client's own. Milliseconds.
    public var connectTimeoutMilliseconds: Int?
    /// Asked on the transport's thread before a connection is opened and before one is used, each time anew. No proxy stands between then, behind which nobody would know
    /// who is reached. Nil: everybody may be.
    public var admits: (@Sendable (HTTPPeer) -> Bool)?

    public init(method: String = "GET", url: String, headers: [UInt8] = [], body: Body = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// The other end of a connection.
public struct HTTPPeer: Sendable {
    /// In network order: 4 or 16 bytes. Another number of them: it is no address of the Internet.
    public let address: [UInt8]
    public let port: UInt16

    public init(address: [UInt8], port: UInt16) {
        self.address = address
        self.port = port
    }

    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        address.withUnsafeBytes(body)
    }
}

/// Status line and headers of a final response.
public struct HTTPStreamHead: Sendable {
    public var status: Int
    public var reason: String
    /// UTF-8 of: name in lower case, LF, value, LF, and so on, in the order they came.
    public var headers: [UInt8]

    public init(status: Int, reason: String, headers: [UInt8]) {
        self.status = status
        self.reason = reason
        self.headers = headers
    }
}

/// How an exchange went on the network. Times are microseconds since `start`; 0: did not happen.
public struct HTTPExchangeFacts: Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    public var start: UInt64 = 0
    public var nameLookup = 0
    public var connect = 0
    /// TLS is up.
    public var secured = 0
    public var firstByte = 0
    public var total = 0
    /// No connection was opened for it.
    public var isReused = false
    public var peerAddress = ""
    public var peerPort = 0
    /// "1.0", "1.1", "2", or "" when there was no answer.
    public var version = ""

    public init() {}
}

/// What has happened to one request since the last update: parts that are nil, empty or 0 have not happened.
public struct HTTPStreamUpdate: Sendable {
    public enum Ending: Sendable {
        case complete
        case failed(HTTPTransportError)
    }

    public let id: Int
    public var head: HTTPStreamHead?
    /// Of the body, decoded; comes after `head`.
    public var body: [UInt8] = []
    /// Bytes of the pushed body that curl has taken.
    public var uploadedBytes = 0
    /// The last there is.
    public var ending: Ending?
    /// With a head and with an ending; what is known by then.
    public var facts = HTTPExchangeFacts()

    public init(id: Int) { self.id = id }
}
