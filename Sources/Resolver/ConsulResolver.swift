import Synchronization
public import System
import Wire

/// Asks Consul for the instances of a service whose checks pass, by blocking queries: a question that says which answer is known is answered when there is another
/// one. <https://developer.hashicorp.com/consul/api-docs/features/blocking>. Safe to use from any thread.
public final class ConsulResolver: NameResolver {
    /// How long Consul is asked to wait for a change. It adds up to a sixteenth.
    private static let waitSeconds = 30
    private static let waitMilliseconds = (waitSeconds + waitSeconds / 16 + 1) * 1_000
    /// Between two questions when it has not said how to wait.
    private static let pollSeconds: UInt32 = 5

    /// Names whose versions are remembered.
    private static let namesMax = 1_024

    private let servers: RegistryServers
    /// The last version that was given of each name: those of another registry mean nothing here.
    private let given = Mutex<[String: UInt64]>([:])
    private let headers: [(name: String, value: String)]

    /// - Parameter transport: TLS is its business.
    public init(_ registry: Registry, _ transport: any HTTPTransport) {
        servers = RegistryServers(registry.urls, transport)
        headers = registry.token.map { [(name: "X-Consul-Token", value: $0)] } ?? []
    }

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        guard let name = ConsulName(question.name) else {
            return completion(.failure(ServiceFailure("that is no name of a service in Consul")))
        }
        let known = given.withLock { $0[question.name] == question.knownVersion ? question.knownVersion : nil }
        var asked = RegistryServers.Question(path: { Self.path(name, known: $0 ? known : nil) }, headers: headers)
        if known != nil { asked.firstTimeoutMilliseconds += Self.waitMilliseconds }
        servers.ask(asked) { [self] result in
            switch result {
            case .failure(let why): completion(.failure(why))
            case .success(let response):
                let answer = Self.answer(response, known: known)
                remember((try? answer.get())?.version, of: question.name)
                completion(answer)
            }
        }
    }

    private func remember(_ version: UInt64?, of name: String) {
        given.withLock { given in
            if given.count >= Self.namesMax { given = [:] }
            given[name] = version
        }
    }

    private static func path(_ name: ConsulName, known: UInt64?) -> String {
        var path = "/v1/health/service/\(name.service)?passing=1"
        if let tag = name.tag { path += "&tag=\(tag)" }
        if let datacenter = name.datacenter { path += "&dc=\(datacenter)" }
        if let known { path += "&index=\(known)&wait=\(waitSeconds)s" }
        return path
    }

    private static func answer(_ response: HTTPResponse, known: UInt64?) -> Result<ServiceAnswer, ServiceFailure> {
        guard response.status == 200 else {
            return .failure(ServiceFailure("Consul: \(RegistryServers.complaint(response))"))
        }
        do throws(DecodeError) {
            let found = try ConsulAnswer.instances(response.body)
            var version = response.header("x-consul-index").flatMap { UInt64($0) }
            // One that went back is of another life of the servers: what they know now is asked for at once. 0 would be no version.
            if let now = version, now == 0 || now < known ?? 0 { version = nil }
            let seconds = version == nil && known != nil ? 0 : pollSeconds
            return found.answer(seconds: seconds, version: version)
        } catch {
            return .failure(ServiceFailure("what Consul answers cannot be read: \(error)"))
        }
    }
}

extension FoundInstances {
    /// An answer of nothing but entries that cannot be used says nothing.
    func answer(seconds: UInt32, version: UInt64? = nil) -> Result<ServiceAnswer, ServiceFailure> {
        guard !all.isEmpty || unusable == 0 else {
            return .failure(ServiceFailure("none of its \(unusable) instances has an address and a port"))
        }
        let records = all.map { ServiceRecord(weight: $0.weight, host: $0.host, port: $0.port) }
        return .success(ServiceAnswer(records: records, seconds: seconds, version: version))
    }
}
