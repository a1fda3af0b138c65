import Synchronization
public import System
import Wire

/// Asks etcd for the instances of a service, over its JSON gateway. Safe to use from any thread.
public final class EtcdResolver: NameResolver {
    /// Between two questions.
    private static let pollSeconds: UInt32 = 2

    private let servers: RegistryServers
    private let registry: Registry
    /// Of the user, once there is one.
    private let token = Mutex<String?>(nil)

    /// - Parameter transport: TLS is its business.
    public init(_ registry: Registry, _ transport: any HTTPTransport) {
        servers = RegistryServers(registry.urls, transport)
        self.registry = registry
    }

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        guard let name = EtcdName(question.name) else {
            return completion(.failure(ServiceFailure("that is no name of a service in etcd")))
        }
        let body = EtcdMessages.rangeRequest(folder: "\(registry.folder)\(name.service)/")
        guard let user = registry.user else { return range(body, token: nil) { completion(Self.answer($0)) } }
        let known = token.withLock { $0 }
        guard let known else { return authenticate(user, body, completion) }
        range(body, token: known) { [self] result in
            // It has expired, or users and roles have changed since.
            guard case .success(let response) = result, [400, 401, 403].contains(response.status) else {
                return completion(Self.answer(result))
            }
            token.withLock { if $0 == known { $0 = nil } }
            authenticate(user, body, completion)
        }
    }

    private func range(_ body: [UInt8], token: String?, _ taker: @escaping RegistryServers.Taker) {
        let headers = token.map { [(name: "Authorization", value: $0)] } ?? []
        servers.ask(
            RegistryServers.Question(method: "POST", path: { _ in "/v3/kv/range" }, headers: headers, body: body),
            taker)
    }

    private func authenticate(
        _ user: String, _ body: [UInt8],
        _ completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        let request = EtcdMessages.authenticateRequest(user: user, password: registry.password)
        servers.ask(
            RegistryServers.Question(method: "POST", path: { _ in "/v3/auth/authenticate" }, body: request)
        ) { [self] result in
            guard case .success(let response) = result, response.status == 200 else {
                return completion(Self.answer(result))
            }
            guard let new = EtcdMessages.token(response.body) else {
                return completion(.failure(ServiceFailure("etcd gives no token to \(user)")))
            }
            token.withLock { $0 = new }
            range(body, token: new) { completion(Self.answer($0)) }
        }
    }

    private static func answer(_ result: Result<HTTPResponse, ServiceFailure>) -> Result<ServiceAnswer, ServiceFailure>
    {
        let response: HTTPResponse
        switch result {
        case .failure(let why): return .failure(why)
        case .success(let answer): response = answer
        }
        guard response.status == 200 else {
            return .failure(ServiceFailure("etcd: \(RegistryServers.complaint(response))"))
        }
        do throws(DecodeError) {
            let found = try EtcdMessages.instances(response.body)
            return found.answer(seconds: pollSeconds)
        } catch {
            return .failure(ServiceFailure("what etcd answers cannot be read: \(error)"))
        }
    }
}
