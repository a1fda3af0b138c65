import System
import Wire

@testable import Discovery
@testable import Registries

/// A registry as the tests have it: no I/O, time by hand.
protocol FakeRegistry: AnyObject {
    func answer(_ request: HTTPRequest, now: UInt64) -> HTTPResponse
    /// Instances that somebody who looks for the service finds.
    func found(now: UInt64) -> [ServiceInstance]
    /// As if it were started again without what it knew.
    func forget()
}

func response(_ status: Int, _ text: String = "") -> HTTPResponse {
    HTTPResponse(status: status, body: Array(text.utf8))
}

/// Consul's agent, as far as it is used.
final class FakeConsul: FakeRegistry {
    struct Service {
        var json: JSONValue
        var status: String
        var output = ""
        var expiresAt: UInt64
        var criticalSince: UInt64?
    }

    var services: [String: Service] = [:]
    /// What is wanted in `X-Consul-Token`; nil: nothing.
    var token: String?
    var mayRead = true
    var isOld = false

    func forget() { services = [:] }

    func expire(now: UInt64) {
        for (id, service) in services {
            if service.expiresAt <= now, service.status != "critical" {
                services[id]!.status = "critical"
                services[id]!.criticalSince = service.expiresAt
            }
            if let since = services[id]!.criticalSince, now >= since + 60_000_000_000 { services[id] = nil }
        }
    }

    func found(now: UInt64) -> [ServiceInstance] {
        expire(now: now)
        return services.values.filter { $0.status != "critical" }.map {
            ServiceInstance($0.json, name: $0.json["Name"]!.string!, id: $0.json["ID"]!.string!)
        }.sorted { $0.id < $1.id }
    }

    func answer(_ request: HTTPRequest, now: UInt64) -> HTTPResponse {
        expire(now: now)
        if let token, request.headers.first(where: { $0.name == "X-Consul-Token" })?.value != token {
            return response(403, "Permission denied: token with AccessorID '00000000' lacks permission")
        }
        let target = request.url.dropFirst("http://consul".count)
        let path = String(target.prefix { $0 != "?" })
        func last(_ prefix: String) -> String? { path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil }
        if request.method == "GET" {
            guard mayRead else { return response(403, "Permission denied") }
            if let id = last("/v1/agent/health/service/id/") {
                guard let service = services[id] else { return response(404) }
                return response(["passing": 200, "warning": 429][service.status] ?? 503)
            }
            guard let id = last("/v1/agent/service/") else { return response(404) }
            guard let service = services[id] else { return response(404, "unknown service ID: \(id)") }
            return response(200, Self.shown(service.json))
        }
        precondition(request.method == "PUT")
        if path == "/v1/agent/service/register" {
            let json = try! JSONValue(parsing: request.body)
            let status = json["Check"]!["Status"]!.string!
            services[json["ID"]!.string!] = Service(
                json: json, status: status, expiresAt: now + Self.seconds(json["Check"]!["TTL"]!.string!),
                criticalSince: status == "critical" ? now : nil)
            return response(200)
        }
        if let id = last("/v1/agent/check/update/service:") {
            guard var service = services[id] else {
                return isOld
                    ? response(500, "CheckID \"service:\(id)\" does not have associated TTL")
                    : response(
                        404,
                        "Unknown check ID \"service:\(id)\". Ensure that the check ID is passed, not the check name.")
            }
            let json = try! JSONValue(parsing: request.body)
            service.status = json["Status"]!.string!
            service.output = json["Output"]!.string!
            service.criticalSince = service.status == "critical" ? service.criticalSince ?? now : nil
            service.expiresAt = now + Self.seconds(service.json["Check"]!["TTL"]!.string!)
            services[id] = service
            return response(200)
        }
        if let id = last("/v1/agent/service/deregister/") {
            return services.removeValue(forKey: id) != nil
                ? response(200) : response(404, "Unknown service ID \"\(id)\"")
        }
        return response(404)
    }

    private static func seconds(_ text: String) -> UInt64 { UInt64(text.dropLast())! * 1_000_000_000 }

    private static func shown(_ json: JSONValue) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("ID", json["ID"]!.string!)
            writer.field("Service", json["Name"]!.string!)
            writer.field("Address", json["Address"]!.string!)
            writer.name("Port")
            writer.integer(json["Port"]!.integer!)
            writer.name("Meta")
            writer.object { writer in
                guard case .object(let meta)? = json["Meta"] else { return }
                for (key, value) in meta { writer.field(key, value.string!) }
            }
        }
        return writer.text
    }
}

/// etcd's JSON gateway, as far as it is used.
final class FakeEtcd: FakeRegistry {
    struct Key {
        var value: [UInt8]
        var lease: Int64
        var revision: Int64
    }

    struct Lease {
        var seconds: UInt64
        var expiresAt: UInt64
    }

    var keys: [String: Key] = [:]
    var leases: [Int64: Lease] = [:]
    var revision: Int64 = 1
    private var nextLease: Int64 = 7_000_000_000_000_000_000
    /// Nil: no log-in is asked for.
    var password: String?
    var token = 0

    func forget() { (keys, leases, token) = ([:], [:], token + 1) }

    func expire(now: UInt64) {
        for (id, lease) in leases where lease.expiresAt <= now { revoke(id) }
    }

    private func revoke(_ id: Int64) {
        leases[id] = nil
        keys = keys.filter { $0.value.lease != id }
    }

    func found(now: UInt64) -> [ServiceInstance] {
        expire(now: now)
        return keys.values.compactMap { ServiceInstance(json: $0.value) }.sorted { $0.id < $1.id }
    }

    func put(_ instance: ServiceInstance, seconds: UInt64, now: UInt64) {
        nextLease += 1
        revision += 1
        leases[nextLease] = Lease(seconds: seconds, expiresAt: now + seconds * 1_000_000_000)
        keys[EtcdSession.Settings.key(instance)] = Key(value: instance.json, lease: nextLease, revision: revision)
    }

    private func error(_ status: Int, _ code: Int, _ message: String) -> HTTPResponse {
        response(status, #"{"error":"\#(message)","message":"\#(message)","code":\#(code)}"#)
    }

    func answer(_ request: HTTPRequest, now: UInt64) -> HTTPResponse {
        expire(now: now)
        let path = String(request.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
        let json = try! JSONValue(parsing: request.body)
        if path == "/v3/auth/authenticate" {
            guard json["password"]?.string == password else {
                return error(400, 3, "etcdserver: authentication failed, invalid user ID or password")
            }
            return response(200, #"{"header":{},"token":"t\#(token)"}"#)
        }
        if password != nil {
            let given = request.headers.first { $0.name == "Authorization" }?.value
            guard let given else { return error(400, 3, "etcdserver: user name is empty") }
            guard given == "t\(token)" else { return error(401, 16, "etcdserver: invalid auth token") }
        }
        switch path {
        case "/v3/lease/grant":
            nextLease += 1
            let seconds = UInt64(json["TTL"]!.integer!)
            leases[nextLease] = Lease(seconds: seconds, expiresAt: now + seconds * 1_000_000_000)
            return response(200, #"{"header":{},"ID":"\#(nextLease)","TTL":"\#(seconds)"}"#)
        case "/v3/lease/keepalive":
            let id = json["ID"]!.integer!
            guard let lease = leases[id] else { return response(200, #"{"result":{"header":{},"ID":"\#(id)"}}"#) }
            leases[id]!.expiresAt = now + lease.seconds * 1_000_000_000
            return response(200, #"{"result":{"header":{},"ID":"\#(id)","TTL":"\#(lease.seconds)"}}"#)
        case "/v3/lease/revoke":
            let id = json["ID"]!.integer!
            guard leases[id] != nil else { return error(404, 5, "etcdserver: requested lease not found") }
            revoke(id)
            return response(200, #"{"header":{}}"#)
        case "/v3/kv/txn": return transaction(json)
        default: return response(404, "Not Found")
        }
    }

    private func transaction(_ json: JSONValue) -> HTTPResponse {
        guard case .array(let compares)? = json["compare"], compares.count == 1,
            case .array(let success)? = json["success"]
        else { return error(400, 3, "what?") }
        let name = String(decoding: compares[0]["key"]!.bytes!, as: UTF8.self)
        let key = keys[name]
        let isSo =
            switch compares[0]["target"]!.string! {
            case "VERSION": key == nil && compares[0]["version"]!.integer! == 0
            case "MOD": key != nil && compares[0]["mod_revision"]!.integer! == key!.revision
            case "LEASE": key != nil && compares[0]["lease"]!.integer! == key!.lease
            default: fatalError()
            }
        guard isSo else {
            guard let key else {
                return response(200, #"{"header":{},"responses":[{"response_range":{"header":{}}}]}"#)
            }
            var json = JSONWriter()
            json.object { json in
                json.name("value")
                key.value.withUnsafeBytes { json.base64($0) }
                json.field("mod_revision", String(key.revision))
                json.field("lease", String(key.lease))
            }
            return response(
                200, #"{"header":{},"responses":[{"response_range":{"header":{},"kvs":[\#(json.text)],"count":"1"}}]}"#)
        }
        if let put = success.first?["requestPut"] {
            let lease = put["lease"]!.integer!
            guard leases[lease] != nil else { return error(404, 5, "etcdserver: requested lease not found") }
            revision += 1
            keys[name] = Key(value: put["value"]!.bytes!, lease: lease, revision: revision)
        }
        return response(200, #"{"header":{},"succeeded":true}"#)
    }
}
