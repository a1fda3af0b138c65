// etcd 3 by its JSON gateway <https://etcd.io/docs/latest/dev-guide/api_grpc_gateway/>, of 3.4 and later.
//
// An instance is one key, `/sidelight/services/NAME/ID`, with a lease that each beat keeps alive: who is not there any more is gone when it runs out. etcd has no
// word for how an instance is, so one that is critical is taken out.
//
// The key is written by transactions only. To register: put it if it is not there; else look whose it is, and put it over what was seen. A beat asks, after the
// lease was kept alive, whether the key is still of that lease. So no answer that is lost, and no second agent, makes a key that nobody keeps or that two do.
//
// A member that cannot be reached, has no leader, or takes too long is left for the next one; only when all have failed has the operation.

public import Discovery
public import System
internal import Wire

public struct EtcdSession: RegistrySession {
    public struct Settings: Hashable, Sendable {
        public static let prefix = "/sidelight/services/"

        /// Of the members, without a "/" at the end; at least one.
        public var urls: [String]
        public var user: String?
        public var password: String?
        public var ttlSeconds: Int
        public var timeoutMilliseconds: Int

        public init(urls: [String], ttlSeconds: Int, timeoutMilliseconds: Int) {
            self.urls = urls
            self.ttlSeconds = ttlSeconds
            self.timeoutMilliseconds = timeoutMilliseconds
        }

        public static func key(_ instance: ServiceInstance) -> String { "\(prefix)\(instance.name)/\(instance.id)" }
    }

    private enum Phase: Sendable {
        case idle, authenticating, granting
        /// Puts the key: at first where there is none, then over the one that was seen at this revision.
        case putting(over: String?)
        case keepingAlive, verifying, revoking
    }

    /// Requests of one operation; more than it takes where everything goes wrong once.
    private static let requestsMax = 16

    private let settings: Settings
    /// Which member is asked.
    private var member = 0
    private var token: String?
    private var lease: String?
    private var phase = Phase.idle
    private var operation: RegistryOperation?
    private var membersLeft = 0
    private var requestsLeft = 0
    private var mayAuthenticate = false
    /// A request of this operation may have entered the key.
    private var isUncertain = false

    public init(_ settings: Settings) {
        precondition(!settings.urls.isEmpty, "no member")
        self.settings = settings
    }

    public mutating func begin(_ operation: RegistryOperation) -> RegistryStep {
        guard case .idle = phase else { preconditionFailure("an operation is under way: \(phase)") }
        self.operation = operation
        membersLeft = settings.urls.count - 1
        requestsLeft = Self.requestsMax
        mayAuthenticate = settings.user != nil
        isUncertain = false
        return start()
    }

    /// From the beginning: after a log-in, and at another member.
    private mutating func start() -> RegistryStep {
        guard let operation else { preconditionFailure("nothing to start") }
        if settings.user != nil, token == nil { return authenticate() }
        switch operation {
        case .register: return lease == nil ? grant() : put(over: nil)
        case .beat:
            guard let lease else { return end(.forgotten) }
            phase = .keepingAlive
            return send("/v3/lease/keepalive") { $0.field("ID", lease) }
        case .deregister:
            guard let lease else { return end(.done) }
            phase = .revoking
            return send("/v3/lease/revoke") { $0.field("ID", lease) }
        }
    }

    public mutating func take(_ answer: Result<HTTPResponse, HTTPTransportError>) -> RegistryStep {
        switch answer {
        case .failure(let error):
            if error.isUncertain, case .putting = phase { isUncertain = true }
            return atNextMember(.unavailable, error.message)
        case .success(let response):
            let json = try? JSONValue(parsing: response.body)
            guard response.status == 200, let json, json["error"] == nil else {
                return takeFailure(response, json)
            }
            return take(json, response.body)
        }
    }

    private mutating func take(_ json: JSONValue, _ body: [UInt8]) -> RegistryStep {
        switch phase {
        case .idle: preconditionFailure("an answer to nothing")
        case .authenticating:
            guard let token = json["token"]?.string else { return nonsense(body) }
            self.token = token
            return start()
        case .granting:
            guard let id = json["ID"]?.integer else { return nonsense(body) }
            lease = String(id)
            return put(over: nil)
        case .putting:
            if json["succeeded"] == .bool(true) { return end(.done) }
            return takeHolder(json, wasOurs: false)
        case .keepingAlive:
            guard let result = json["result"] else { return nonsense(body) }
            // Of a lease that is no more, it says nothing of its time.
            guard let seconds = result["TTL"]?.integer, seconds > 0 else {
                lease = nil
                return end(.forgotten)
            }
            return verify()
        case .verifying:
            if json["succeeded"] == .bool(true) { return end(.done) }
            return takeHolder(json, wasOurs: true)
        case .revoking:
            lease = nil
            return end(.done)
        }
    }

    /// The key was not as expected: here is how it is.
    private mutating func takeHolder(_ json: JSONValue, wasOurs: Bool) -> RegistryStep {
        guard let operation else { preconditionFailure("an answer to nothing") }
        var found: JSONValue?
        if case .array(let answers)? = json["responses"],
            case .array(let keys)? = answers.first?["response_range"]?["kvs"]
        {
            found = keys.first
        }
        guard let found else { return wasOurs ? end(.forgotten) : put(over: nil) }
        let holder = found["value"]?.bytes.flatMap { ServiceInstance(json: $0) }
        // What cannot be read is nobody's.
        if case .taken = IDClaim(of: holder, for: operation.instance, wasOurs: wasOurs), let holder {
            return end(.taken(place: holder.place))
        }
        guard !wasOurs else { return end(.forgotten) }
        guard let revision = found["mod_revision"]?.integer else { return nonsense([]) }
        return put(over: String(revision))
    }

    // MARK: Failures

    /// As gRPC counts them <https://grpc.io/docs/guides/status-codes/>.
    private enum Status {
        static let invalidArgument: Int64 = 3, notFound: Int64 = 5, denied: Int64 = 7, failedPrecondition: Int64 = 9,
            unauthenticated: Int64 = 16
    }

    private mutating func takeFailure(_ response: HTTPResponse, _ json: JSONValue?) -> RegistryStep {
        // Of a stream: {"error": {"grpc_code", "message", …}}; else {"error": "…", "code"}.
        let code = json?["code"]?.integer ?? json?["error"]?["grpc_code"]?.integer
        let message = json?["message"]?.string ?? json?["error"]?["message"]?.string
        let said = RegistryRequest.shown(message.map { Array($0.utf8) } ?? response.body)
        let text = "etcd answers \(response.status): \(said)"
        switch code {
        case Status.notFound?:
            // The lease is no more.
            lease = nil
            switch phase {
            case .putting: return grant()
            case .revoking: return end(.done)
            default: return end(.forgotten)
            }
        case Status.unauthenticated?: return authenticateAnew(or: text)
        case Status.invalidArgument? where said.contains("auth store"): return authenticateAnew(or: text)
        case Status.denied?: return fail(.denied, text)
        // "authentication failed", "user name is empty"; "authentication is not enabled".
        case Status.invalidArgument?, Status.failedPrecondition?:
            if case .authenticating = phase { return fail(.denied, text) }
            return fail(said.contains("user name is empty") ? .denied : .refused, text)
        default:
            if case .putting = phase { isUncertain = true }
            guard response.status >= 500 || response.status == 200 || response.status == 429 else {
                return fail(.refused, text)
            }
            return atNextMember(.unavailable, text)
        }
    }

    private mutating func authenticateAnew(or text: String) -> RegistryStep {
        token = nil
        guard mayAuthenticate else { return fail(.denied, text) }
        return authenticate()
    }

    private mutating func atNextMember(_ code: RegistryFailure.Code, _ message: String) -> RegistryStep {
        member = (member + 1) % settings.urls.count
        guard membersLeft > 0 else { return fail(code, message) }
        membersLeft -= 1
        return start()
    }

    private mutating func nonsense(_ body: [UInt8]) -> RegistryStep {
        fail(.refused, "etcd answers what is none: \(RegistryRequest.shown(body))")
    }

    private mutating func fail(_ code: RegistryFailure.Code, _ message: String) -> RegistryStep {
        end(.failed(RegistryFailure(code, message, isUncertain: isUncertain)))
    }

    private mutating func end(_ outcome: RegistryOutcome) -> RegistryStep {
        phase = .idle
        operation = nil
        return .end(outcome)
    }

    // MARK: Requests

    private mutating func authenticate() -> RegistryStep {
        mayAuthenticate = false
        phase = .authenticating
        let (user, password) = (settings.user ?? "", settings.password ?? "")
        return send("/v3/auth/authenticate") { json in
            json.field("name", user)
            json.field("password", password)
        }
    }

    private mutating func grant() -> RegistryStep {
        phase = .granting
        let seconds = settings.ttlSeconds
        return send("/v3/lease/grant") { $0.field("TTL", String(seconds)) }
    }

    /// - Parameter revision: Of the key that is to be overwritten; nil: there is none.
    private mutating func put(over revision: String?) -> RegistryStep {
        guard let instance = operation?.instance, let lease else { preconditionFailure("nothing to put") }
        phase = .putting(over: revision)
        let key = Array(Settings.key(instance).utf8)
        return transaction(key, revision.map { ("MOD", "mod_revision", $0) } ?? ("VERSION", "version", "0")) { json in
            json.object { json in
                json.name("requestPut")
                json.object { json in
                    json.base64("key", key)
                    json.base64("value", instance.json)
                    json.field("lease", lease)
                }
            }
        }
    }

    private mutating func verify() -> RegistryStep {
        guard let instance = operation?.instance, let lease else { preconditionFailure("nothing to verify") }
        phase = .verifying
        return transaction(Array(Settings.key(instance).utf8), ("LEASE", "lease", lease)) { _ in }
    }

    /// Does what `success` says if the key is so, else tells how it is.
    private mutating func transaction(
        _ key: [UInt8], _ condition: (target: String, field: String, value: String), success: (inout JSONWriter) -> Void
    ) -> RegistryStep {
        send("/v3/kv/txn") { json in
            json.name("compare")
            json.array { json in
                json.object { json in
                    json.base64("key", key)
                    json.field("target", condition.target)
                    json.field("result", "EQUAL")
                    json.field(condition.field, condition.value)
                }
            }
            json.name("success")
            json.array(success)
            json.name("failure")
            json.array { json in
                json.object { json in
                    json.name("requestRange")
                    json.object { $0.base64("key", key) }
                }
            }
        }
    }

    private mutating func send(_ path: String, _ body: (inout JSONWriter) -> Void) -> RegistryStep {
        guard requestsLeft > 0 else {
            return fail(.refused, "etcd has answered \(Self.requestsMax) requests, and nothing has come of it")
        }
        requestsLeft -= 1
        var json = JSONWriter()
        json.object(body)
        var headers: [(name: String, value: String)] = []
        if let token, !isAuthenticating { headers.append(("Authorization", token)) }
        return .send(
            RegistryRequest.make(
                "POST", settings.urls[member] + path, headers: headers, body: json.bytes,
                timeoutMilliseconds: settings.timeoutMilliseconds))
    }

    private var isAuthenticating: Bool {
        if case .authenticating = phase { true } else { false }
    }
}

extension JSONWriter {
    fileprivate mutating func base64(_ name: String, _ bytes: [UInt8]) {
        self.name(name)
        bytes.withUnsafeBytes { base64($0) }
    }
}
