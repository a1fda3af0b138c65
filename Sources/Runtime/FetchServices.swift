internal import Glibc
internal import Linux
internal import Resolver
internal import System
internal import Transport

/// The services among the hosts that `fetch` is asked for. The event loop's thread.
final class FetchServices {
    /// Services that are asked for at once: programs make names.
    static let servicesMax = 128
    /// A service that nobody has wanted for so long is not asked for.
    private static let idleNanoseconds: UInt64 = 300_000_000_000

    private let hosts: ServiceHosts
    private let options: FetchServiceOptions
    private let makeTransport: () -> CurlTransport
    private lazy var asking = makeAsking()
    private let clock = LinuxClock()
    /// By the host.
    private var finders: [String: ServiceFinder] = [:]
    /// Of finders that are no longer there.
    private var past: (answered: Int, failed: Int) = (0, 0)
    private var told: (answered: Int, failed: Int) = (0, 0)

    /// - Parameter transport: For registries; called for the first service.
    init(_ options: FetchServiceOptions, transport: @escaping () -> CurlTransport) {
        hosts = options.hosts
        self.options = options
        makeTransport = transport
    }

    private func makeAsking() -> (resolver: ServiceResolver, timers: CurlTransport) {
        let transport = makeTransport()
        let resolver = ServiceResolver(
            dns: AresResolver(),
            consul: options.consul.map { ConsulResolver($0.registry, transport.client($0.transportOptions)) },
            etcd: options.etcd.map { EtcdResolver($0.registry, transport.client($0.transportOptions)) })
        return (resolver, transport)
    }

    /// Nil: the URL's host is no service.
    func finder(url: String) -> ServiceFinder? {
        guard let candidate = hosts.candidate(url: url) else { return nil }
        let host = String(candidate)
        if let finder = finders[host] { return finder }
        guard let question = hosts.question(host: candidate) else { return nil }
        if finders.count >= Self.servicesMax { forgetOldest() }
        let finder = ServiceFinder(
            question, asking.resolver, timers: asking.timers, clock: clock, idleNanosecondsMax: Self.idleNanoseconds
        ) { _ in }
        finders[host] = finder
        return finder
    }

    /// Who waits for it is told that there is none.
    private func forgetOldest() {
        guard let oldest = finders.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return }
        let counts = oldest.value.counts
        past = (past.answered + counts.answered, past.failed + counts.failed)
        oldest.value.close()
        finders[oldest.key] = nil
    }

    /// Questions that were answered since the last call, and those that were not.
    func takeCounts() -> (answered: Int, failed: Int) {
        let now = finders.values.reduce(past) { sum, finder in
            let counts = finder.counts
            return (sum.answered + counts.answered, sum.failed + counts.failed)
        }
        defer { told = now }
        return (now.answered - told.answered, now.failed - told.failed)
    }

    func close() {
        for finder in finders.values { finder.close() }
        finders = [:]
    }
}

/// What the agent says of services.
struct FetchServiceOptions {
    struct Place {
        var registry: Registry
        var transportOptions = CurlTransport.Options()
    }

    var hosts = ServiceHosts()
    var consul: Place?
    var etcd: Place?

    /// Nil: `fetch` finds none.
    init?(_ configuration: JSON?) {
        guard let configuration else { return nil }
        consul = configuration["consul"].flatMap { Place($0) }
        etcd = configuration["etcd"].flatMap { Place($0) }
        hosts.consul = consul != nil
        hosts.etcd = etcd != nil
        if case .array(let servers) = configuration["dns"] { hosts.nameServers = servers.compactMap(\.string) }
    }
}

extension FetchServiceOptions.Place {
    fileprivate init?(_ json: JSON) {
        guard case .array(let urls) = json["urls"], !urls.isEmpty else { return nil }
        registry = Registry(urls: urls.compactMap(\.string))
        registry.token = json["token"]?.string
        registry.user = json["user"]?.string
        registry.password = json["password"]?.string ?? ""
        registry.folder = json["folder"]?.string ?? registry.folder
        transportOptions.authorityFile = json["ca"]?.string ?? getenv("SSL_CERT_FILE").map { String(cString: $0) }
        transportOptions.certificateFile = json["cert"]?.string
        transportOptions.keyFile = json["key"]?.string
    }
}
