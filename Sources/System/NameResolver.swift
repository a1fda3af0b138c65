/// What is asked for: where a service is.
public struct ServiceQuestion: Hashable, Sendable {
    /// Who knows.
    public enum Source: Sendable {
        /// DNS, by the SRV records of the name (RFC 2782).
        case dns
        /// Consul: the instances whose checks pass.
        case consul
        /// etcd: the instances that are registered there.
        case etcd
    }

    public var source: Source
    /// As `_otlp._tcp.example.com` for DNS; no search domain is tried. As `NAME` or `TAG.NAME` for Consul, `NAME` for etcd.
    public var name: String
    /// `ADDRESS:PORT` or `[ADDRESS]:PORT` of the name servers to ask. Empty: the system's, and the records' hosts are looked up by whoever connects to them. Else
    /// the hosts' addresses are asked for there as well, since nobody else may know them.
    public var servers: [String]
    /// The version of the answer that is known: the next one comes when there is another, or after a while. Nil: it comes at once.
    public var knownVersion: UInt64?

    public init(_ source: Source = .dns, name: String, servers: [String] = []) {
        self.source = source
        self.name = name
        self.servers = servers
    }
}

/// One SRV record that can be used, or one instance.
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
    /// Empty: the name says that the service is not available (target "."), or the registry has no instance.
    public var records: [ServiceRecord]
    /// How long it may be relied on. Seconds.
    public var seconds: UInt32
    /// Where who answers can be asked to answer when this changes: for the next question.
    public var version: UInt64?

    public init(records: [ServiceRecord], seconds: UInt32, version: UInt64? = nil) {
        self.records = records
        self.seconds = seconds
        self.version = version
    }
}

/// Why there is no answer; completes "_otlp._tcp.example.com: …".
public struct ServiceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// Asks for services. Implemented over c-ares, over HTTP for registries, and, in tests, by a hand-driven one.
public protocol NameResolver: Sendable {
    /// Never blocks. Calls `completion` exactly once, on a thread of the resolver's choosing, perhaps before it returns; `completion` must not block.
    func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void)
}

/// Finds nothing: where there are fixed endpoints alone.
public struct NoResolver: NameResolver {
    public init() {}

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        completion(.failure(ServiceFailure("there is nobody to ask")))
    }
}
