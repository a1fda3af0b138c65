public import System

/// Asks whoever knows: DNS, Consul or etcd. Safe to use from any thread.
public final class ServiceResolver: NameResolver {
    private let dns: any NameResolver
    private let consul: (any NameResolver)?
    private let etcd: (any NameResolver)?

    /// - Parameters:
    ///   - consul: Nil: there is none.
    ///   - etcd: Nil: there is none.
    public init(dns: any NameResolver, consul: (any NameResolver)?, etcd: (any NameResolver)?) {
        self.dns = dns
        self.consul = consul
        self.etcd = etcd
    }

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        let resolver =
            switch question.source {
            case .dns: dns
            case .consul: consul
            case .etcd: etcd
            }
        guard let resolver else {
            return completion(.failure(ServiceFailure("it is not configured where that is to be asked for")))
        }
        resolver.ask(question, completion: completion)
    }
}
