import Synchronization
public import System

/// Asks whoever knows: DNS, Consul or etcd. Safe to use from any thread.
public final class ServiceResolver: NameResolver {
    private struct Registries {
        var consul: (any NameResolver)?
        var etcd: (any NameResolver)?
    }

    private let dns: any NameResolver
    private let registries: Mutex<Registries>

    /// - Parameters:
    ///   - consul: Nil: there is none.
    ///   - etcd: Nil: there is none.
    public init(dns: any NameResolver, consul: (any NameResolver)? = nil, etcd: (any NameResolver)? = nil) {
        self.dns = dns
        registries = Mutex(Registries(consul: consul, etcd: etcd))
    }

    /// Others are to be asked from now on.
    public func use(consul: (any NameResolver)?, etcd: (any NameResolver)?) {
        registries.withLock { $0 = Registries(consul: consul, etcd: etcd) }
    }

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        let resolver =
            switch question.source {
            case .dns: dns
            case .consul: registries.withLock { $0.consul }
            case .etcd: registries.withLock { $0.etcd }
            }
        guard let resolver else {
            return completion(.failure(ServiceFailure("it is not configured where that is to be asked for")))
        }
        resolver.ask(question, completion: completion)
    }
}
