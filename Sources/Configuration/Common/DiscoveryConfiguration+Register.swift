/// What is told to registries, and to which.
public struct RegisterConfiguration: Hashable, Sendable {
    /// Of the service; nil: `service.name`.
    public var name: String?
    /// Where others reach it; nil: where it listens, or this machine's address.
    public var address: String?
    /// The same of the port. Of `serve` alone.
    public var port: UInt16?
    public var tags: [String] = []
    public var meta: [String: String] = [:]
    /// Of what Prometheus is to scrape.
    public var labels: [String: String] = [:]
    /// Its share of the requests, beside the others'.
    public var weight: UInt16 = 1
    /// A registry that has heard nothing for so long takes the instance for dead. Nanoseconds.
    public var ttlNanoseconds: UInt64 = 15_000_000_000
    /// Nil, of these: it is not registered there.
    public var consul: Consul?
    public var etcd: Etcd?
    public var dnsSD: DNSSD?
    /// The file for Prometheus.
    public var fileSD: String?

    public struct Consul: Hashable, Sendable {
        /// Of the agent.
        public var url = EndpointURL.local(port: 8500)
        public var token: String?
        /// Of Consul Enterprise.
        public var namespace: String?
        public var partition: String?
        /// How long Consul keeps an instance that is critical. Nanoseconds; Consul takes no less than a minute.
        public var deregisterNanoseconds: UInt64 = 600_000_000_000
        /// PEM file of the certificates that are trusted; nil: the system's.
        public var authority: String?

        public init() {}
    }

    public struct Etcd: Hashable, Sendable {
        /// Of the members.
        public var urls = [EndpointURL.local(port: 2379)]
        public var user: String?
        public var password: String?
        public var authority: String?

        public init() {}
    }

    public struct DNSSD: Hashable, Sendable {
        /// Of the service, as `_http._tcp`; nil: what it speaks.
        public var type: String?

        public init() {}
    }

    public init() {}

    /// Whether there is any registry.
    public var isNeeded: Bool { consul != nil || etcd != nil || dnsSD != nil || fileSD != nil }
}

extension EndpointURL {
    static func local(port: UInt16) -> EndpointURL {
        var url = EndpointURL.anywhere
        (url.host, url.explicitPort) = ("127.0.0.1", port)
        return url
    }
}
