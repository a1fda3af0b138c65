internal import Synchronization

/// Why a connection or a request was not served. `rawValue` is fit for a metric's label.
public enum ServerRefusal: String, Sendable, CaseIterable {
    /// More connections than the limit.
    case connections
    /// The process has no descriptor left: the connection waits in the kernel's queue until one is free.
    case descriptors
    /// The memory budget has no room: 503.
    case memory
    /// Not HTTP, or HTTP that could be read in two ways.
    case malformed
    case headTooLarge = "head_too_large"
    case bodyTooLarge = "body_too_large"
    /// A Content-Encoding that nobody here reads: 415.
    case encoding
    /// A body that does not decode as its Content-Encoding says: 400.
    case encodedBody = "encoded_body"
    case headTimeout = "head_timeout"
    case bodyTimeout = "body_timeout"
    /// The client took nothing of its answer for too long.
    case writeTimeout = "write_timeout"
    /// No token, or none that is known: 401.
    case unauthenticated
    /// A token that does not allow it: 403.
    case forbidden
    /// A web page that may not send, or ask: 403.
    case origin
    /// A name that is not this machine's: 421.
    case host
    /// A client with as many connections as it may have.
    case clientConnections = "client_connections"
    /// A client that sends more than it may: 429.
    case clientRate = "client_rate"
    /// No TLS where there should be some, or a handshake that failed.
    case tls
    /// HTTP/2: too many frames that carry nothing, or requests taken back.
    case flood
}

/// What a server has done. Any thread reads.
public final class ServerCounters: Sendable {
    let accepted = Atomic<UInt64>(0)
    let open = Atomic<Int>(0)
    let requestCount = Atomic<UInt64>(0)
    let bytes = Atomic<UInt64>(0)
    let gone = Atomic<UInt64>(0)
    private let refusals = Mutex([UInt64](repeating: 0, count: ServerRefusal.allCases.count))

    public init() {}

    public var connections: UInt64 { accepted.load(ordering: .relaxed) }
    public var connectionsOpen: Int { open.load(ordering: .relaxed) }
    /// Requests that came to a handler.
    public var requests: UInt64 { requestCount.load(ordering: .relaxed) }
    /// Bytes received from sockets.
    public var bytesIn: UInt64 { bytes.load(ordering: .relaxed) }
    /// Answers that had no client any more.
    public var answersUnsent: UInt64 { gone.load(ordering: .relaxed) }

    public func refused(_ reason: ServerRefusal) -> UInt64 {
        refusals.withLock { $0[Self.index(reason)] }
    }

    func count(_ reason: ServerRefusal) {
        refusals.withLock { $0[Self.index(reason)] += 1 }
    }

    private static func index(_ reason: ServerRefusal) -> Int { ServerRefusal.allCases.firstIndex(of: reason)! }
}
