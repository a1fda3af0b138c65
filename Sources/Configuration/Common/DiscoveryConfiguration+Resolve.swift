/// `discovery.resolve`: who knows where services are.
public struct ResolveConfiguration: Hashable, Sendable {
    /// A registry, and who asks.
    public struct Registry: Hashable, Sendable {
        /// Of its servers, without a path, in the order in which they are tried. Not empty.
        public var urls: [EndpointURL]
        /// Of Consul: an ACL token.
        public var token: String?
        /// Of etcd.
        public var user: String?
        public var password: String?
        /// Of etcd: what the keys of services begin with.
        public var folder = "/sidelight/services/"
        /// Of who asks.
        public var tls = ExporterConfiguration.TLSFiles()

        public init(urls: [EndpointURL]) { self.urls = urls }

        /// Where an agent of it is as a rule.
        public static let consul = Registry(port: 8500)
        public static let etcd = Registry(port: 2379)

        private init(port: UInt16) {
            var url = EndpointURL.anywhere
            (url.host, url.explicitPort) = ("127.0.0.1", port)
            urls = [url]
        }
    }

    /// Nil: `fetch` does not ask it. Exporters whose endpoints name it ask the one on this machine.
    public var consul: Registry?
    public var etcd: Registry?
    /// `ADDRESS:PORT` of the name servers that know services, empty for the system's; nil: `fetch` does not ask for SRV records.
    public var nameServers: [String]?

    public init() {}

    /// Whether `fetch` is to find services.
    public var isEmpty: Bool { consul == nil && etcd == nil && nameServers == nil }
}
