// Consul by its agent's HTTP API <https://developer.hashicorp.com/consul/api-docs/agent/service>.
//
// An instance is a service of the local agent with one TTL check, which each beat sets and winds up. The agent copies both to the servers when there is a leader;
// so the loss of that is no affair of ours. What we find under our id before we register says whether the id is free; what we find after a beat, whether it is
// still ours. A token may not have the right to look: then it is not looked.

public import Discovery
public import System
internal import Wire

public struct ConsulSession: RegistrySession {
    public struct Settings: Hashable, Sendable {
        /// Of the agent, without a "/" at the end: `http://127.0.0.1:8500`.
        public var url: String
        public var token: String?
        /// Of Consul Enterprise.
        public var namespace: String?
        public var partition: String?
        /// Seconds after which a check is critical that had no beat.
        public var ttlSeconds: Int
        /// Seconds after which the agent forgets an instance that is critical. Consul takes no less than a minute.
        public var deregisterSeconds: Int
        public var timeoutMilliseconds: Int

        public init(url: String, ttlSeconds: Int, deregisterSeconds: Int, timeoutMilliseconds: Int) {
            self.url = url
            self.ttlSeconds = ttlSeconds
            self.deregisterSeconds = deregisterSeconds
            self.timeoutMilliseconds = timeoutMilliseconds
        }
    }

    private enum Phase: Sendable {
        case idle
        /// Who has the id?
        case looking
        /// Is the one who has it dead?
        case checkingHolder(place: String)
        case registering
        case beating
        /// Is it still ours?
        case verifying
        case deregistering
    }

    private let settings: Settings
    private var phase = Phase.idle
    private var operation: RegistryOperation?

    public init(_ settings: Settings) { self.settings = settings }

    public mutating func begin(_ operation: RegistryOperation) -> RegistryStep {
        guard case .idle = phase else { preconditionFailure("an operation is under way: \(phase)") }
        self.operation = operation
        switch operation {
        case .register(let instance, _):
            phase = .looking
            return .send(request("GET", "/v1/agent/service/" + PercentEncoding.encoded(instance.id)))
        case .beat(let instance, let health):
            phase = .beating
            return .send(
                request("PUT", "/v1/agent/check/update/" + Self.checkID(instance.id), body: Self.update(health)))
        case .deregister(let instance):
            phase = .deregistering
            return .send(request("PUT", "/v1/agent/service/deregister/" + PercentEncoding.encoded(instance.id)))
        }
    }

    public mutating func take(_ answer: Result<HTTPResponse, HTTPTransportError>) -> RegistryStep {
        guard let operation else { preconditionFailure("an answer to nothing") }
        switch answer {
        case .failure(let error):
            var isUncertain = error.isUncertain
            if case .looking = phase { isUncertain = false }
            if case .checkingHolder = phase { isUncertain = false }
            return end(.failed(RegistryFailure(.unavailable, error.message, isUncertain: isUncertain)))
        case .success(let response):
            return take(response, operation)
        }
    }

    private mutating func take(_ response: HTTPResponse, _ operation: RegistryOperation) -> RegistryStep {
        let instance = operation.instance
        switch (phase, response.status) {
        case (.looking, 404), (.looking, 403): return register(operation)
        case (.looking, 200):
            let holder = Self.instance(response.body)
            guard case .taken = IDClaim(of: holder, for: instance, wasOurs: false), let holder else {
                return register(operation)
            }
            phase = .checkingHolder(place: holder.place)
            return .send(request("GET", "/v1/agent/health/service/id/" + PercentEncoding.encoded(instance.id)))
        // Critical: whoever had it says nothing any more, or says that it does not work.
        case (.checkingHolder, 503), (.checkingHolder, 404), (.checkingHolder, 403): return register(operation)
        case (.checkingHolder(let place), 200), (.checkingHolder(let place), 429): return end(.taken(place: place))
        case (.registering, 200): return end(.done)
        case (.beating, 200):
            phase = .verifying
            return .send(request("GET", "/v1/agent/service/" + PercentEncoding.encoded(instance.id)))
        // Since 1.11 a check that is not known is 404, before it was 500 with these words.
        case (.beating, 404): return end(.forgotten)
        case (.beating, 500) where Self.saysUnknownCheck(response.body): return end(.forgotten)
        case (.verifying, 404): return end(.forgotten)
        case (.verifying, 200):
            let holder = Self.instance(response.body)
            guard case .taken = IDClaim(of: holder, for: instance, wasOurs: true), let holder else { return end(.done) }
            return end(.taken(place: holder.place))
        // The beat itself was taken.
        case (.verifying, 403): return end(.done)
        case (.deregistering, 200), (.deregistering, 404): return end(.done)
        // Before 1.11 as well.
        case (.deregistering, 500) where Self.saysUnknownService(response.body): return end(.done)
        default: return end(.failed(failure(response)))
        }
    }

    private mutating func register(_ operation: RegistryOperation) -> RegistryStep {
        guard case .register(let instance, let health) = operation else {
            preconditionFailure("registers while it was to \(operation.kind)")
        }
        phase = .registering
        // An agent that kept what a crashed process has registered may have another check of it.
        return .send(
            request(
                "PUT", "/v1/agent/service/register", query: "replace-existing-checks=true",
                body: registration(instance, health)))
    }

    private mutating func end(_ outcome: RegistryOutcome) -> RegistryStep {
        phase = .idle
        operation = nil
        return .end(outcome)
    }

    private func failure(_ response: HTTPResponse) -> RegistryFailure {
        let code: RegistryFailure.Code =
            switch response.status {
            case 401, 403: .denied
            case 429, 500...599: .unavailable
            default: .refused
            }
        return RegistryFailure(
            code, "Consul answers \(response.status): \(RegistryRequest.shown(response.body))",
            isUncertain: response.status >= 500)
    }

    // MARK: Words

    private func request(_ method: String, _ path: String, query: String? = nil, body: [UInt8] = []) -> HTTPRequest {
        var parts = query.map { [$0] } ?? []
        if let namespace = settings.namespace { parts.append("ns=" + PercentEncoding.encoded(namespace)) }
        if let partition = settings.partition { parts.append("partition=" + PercentEncoding.encoded(partition)) }
        let url = settings.url + path + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&"))
        let headers = settings.token.map { [(name: "X-Consul-Token", value: $0)] } ?? []
        return RegistryRequest.make(
            method, url, headers: headers, body: body, timeoutMilliseconds: settings.timeoutMilliseconds)
    }

    private static func checkID(_ id: String) -> String { "service:" + PercentEncoding.encoded(id) }

    private func registration(_ instance: ServiceInstance, _ health: InstanceHealth) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("ID", instance.id)
            json.field("Name", instance.name)
            json.field("Address", instance.address)
            json.name("Port")
            json.integer(instance.port)
            instance.writeTagsAndMeta(to: &json)
            json.name("Weights")
            json.object { json in
                json.name("Passing")
                json.integer(instance.weight)
                json.name("Warning")
                json.integer(1)
            }
            json.name("Check")
            json.object { json in
                json.field("CheckID", "service:" + instance.id)
                json.field("Name", "Health of \(instance.name) as Sidelight sees it")
                json.field("TTL", "\(settings.ttlSeconds)s")
                json.field("Status", health.status.rawValue)
                json.field("DeregisterCriticalServiceAfter", "\(settings.deregisterSeconds)s")
            }
        }
        return json.bytes
    }

    private static func update(_ health: InstanceHealth) -> [UInt8] {
        var json = JSONWriter(capacity: 128)
        json.object { json in
            json.field("Status", health.status.rawValue)
            json.field("Output", health.output)
        }
        return json.bytes
    }

    /// Nil: it makes no sense, and then it is nobody's.
    private static func instance(_ body: [UInt8]) -> ServiceInstance? {
        guard let json = try? JSONValue(parsing: body), let id = json["ID"]?.string else { return nil }
        return ServiceInstance(json, name: json["Service"]?.string ?? "", id: id)
    }

    private static func saysUnknownCheck(_ body: [UInt8]) -> Bool {
        let text = String(decoding: body.prefix(500), as: UTF8.self)
        return text.contains("does not have associated TTL") || text.contains("Unknown check")
    }

    private static func saysUnknownService(_ body: [UInt8]) -> Bool {
        String(decoding: body.prefix(500), as: UTF8.self).contains("Unknown service")
    }
}
