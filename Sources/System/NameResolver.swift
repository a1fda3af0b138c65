/// What is asked for: where a service is, by the SRV records of a name (RFC 2782).
public struct ServiceQuestion: Hashable, Sendable {
    /// As `_otlp._tcp.example.com`; no search domain is tried.
    public var name: String
    /// `ADDRESS:PORT` or `[ADDRESS]:PORT` of the servers to ask. Empty: the system's, and the records' hosts are looked up by whoever connects to them. Else
    /// the hosts' addresses are asked for there as well, since nobody else may know them.
    public var servers: [String]

    public init(name: String, servers: [String] = []) {
        self.name = name
        self.servers = servers
    }
}

/// One SRV record that can be used.
public struct ServiceRecord: Hashable, Sendable {
    /// Lower ones are tried first.
    public var priority: UInt16
    /// Among those of one priority, its share.
    public var weight: UInt16
    public var host: String
    /// Never 0.
    public var port: UInt16
    /// Of the host, as texts; empty where they were not asked for.
    public var addresses: [String] = []

    public init(priority: UInt16 = 0, weight: UInt16 = 0, host: String, port: UInt16, addresses: [String] = []) {
        self.priority = priority
        self.weight = weight
        self.host = host
        self.port = port
        self.addresses = addresses
    }
}

/// What came back.
public struct ServiceAnswer: Hashable, Sendable {
    /// Empty: the name says that the service is not available (target ".").
    public var records: [ServiceRecord]
    /// How long it may be relied on. Seconds.
    public var seconds: UInt32

    public init(records: [ServiceRecord], seconds: UInt32) {
        self.records = records
        self.seconds = seconds
    }
}

/// Why there is no answer; completes "_otlp._tcp.example.com: …".
public struct ServiceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// Asks for services. Implemented over c-ares and, in tests, by a hand-driven one.
public protocol NameResolver: Sendable {
    /// Never blocks. Calls `completion` exactly once, on a thread of the resolver's choosing, perhaps before it returns; `completion` must not block.
    func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void)
}
