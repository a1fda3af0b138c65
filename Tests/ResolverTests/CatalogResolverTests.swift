import Resolver
import System
import Testing
import Wire

private final class Bench {
    let transport = HandTransport()
    let answers = Answers()
    let resolver: any NameResolver
    let source: ServiceQuestion.Source

    init(consul urls: [String] = ["http://c:8500"], token: String? = nil) {
        var registry = Registry(urls: urls)
        registry.token = token
        resolver = ConsulResolver(registry, transport)
        source = .consul
    }

    init(etcd urls: [String], user: String? = nil) {
        var registry = Registry(urls: urls)
        (registry.user, registry.password) = (user, "geheim\"")
        resolver = EtcdResolver(registry, transport)
        source = .etcd
    }

    func ask(_ name: String, known: UInt64? = nil) {
        var question = ServiceQuestion(source, name: name)
        question.knownVersion = known
        resolver.ask(question) { [answers] in answers.take($0) }
    }

    var request: HTTPRequest { transport.requests[0] }
}

private let one = #"[{"Node":{"Address":"10.0.0.1"},"Service":{"Port":80}}]"#

@Suite struct CatalogResolverTests {
    // MARK: Consul

    @Test func consulIsAskedForWhatPasses() {
        let bench = Bench(token: "t-1")
        bench.ask("green.web.service.dc2.consul")
        #expect(bench.request.url == "http://c:8500/v1/health/service/web?passing=1&tag=green&dc=dc2")
        #expect(bench.request.headers.map(\.name) == ["X-Consul-Token"])
        #expect(bench.request.headers[0].value == "t-1")
        bench.transport.answer(index: 17, one)
        #expect(bench.answers.last?.records == [ServiceRecord(weight: 1, host: "10.0.0.1", port: 80)])
        #expect(bench.answers.last?.version == 17)
    }

    /// Has had an answer of this version.
    private func knowing(_ version: UInt64, _ bench: Bench = Bench()) -> Bench {
        bench.ask("web")
        bench.transport.answer(index: version, one)
        return bench
    }

    @Test func whatAnotherRegistryKnewIsNotWaitedOn() {
        let bench = knowing(16)
        bench.ask("web", known: 17)
        #expect(bench.request.url == "http://c:8500/v1/health/service/web?passing=1")
        bench.transport.answer(index: 16, one)
        #expect(bench.answers.last?.version == 16)
    }

    @Test func aKnownAnswerIsWaitedOn() {
        let bench = knowing(17)
        bench.ask("web", known: 17)
        #expect(bench.request.url == "http://c:8500/v1/health/service/web?passing=1&index=17&wait=30s")
        // Longer than Consul may take.
        #expect(bench.request.timeoutMilliseconds > 30_000 + 30_000 / 16)
        bench.transport.answer(index: 18, "[]")
        #expect(bench.answers.last?.version == 18)
        #expect(bench.answers.last?.records == [])
    }

    @Test(arguments: ["0", "16", "-1", "x", "", "99999999999999999999"]) func anIndexThatCannotBeIsNotWaitedOn(
        index: String
    ) {
        let bench = knowing(17)
        bench.ask("web", known: 17)
        bench.transport.answer(
            .success(
                HTTPResponse(status: 200, headers: [(name: "x-consul-index", value: index)], body: Array(one.utf8))))
        #expect(bench.answers.last?.version == nil)
        #expect(bench.answers.last?.records.count == 1)
    }

    @Test func aServerThatFailsIsLeftForTheNextWhichIsNotWaitedOn() {
        let bench = knowing(5, Bench(consul: ["http://a", "http://b", "http://c"]))
        bench.ask("web", known: 5)
        bench.transport.fail()
        #expect(bench.transport.urls == ["http://b/v1/health/service/web?passing=1"])
        #expect(bench.request.timeoutMilliseconds == 5_000)
        bench.transport.answer(500, "No cluster leader")
        bench.transport.answer(index: 3, one)
        #expect(bench.answers.last?.records.count == 1)
        // The one that answered is asked the next time.
        bench.ask("web")
        #expect(bench.transport.urls == ["http://c/v1/health/service/web?passing=1"])
        for _ in 0..<3 { bench.transport.fail() }
        #expect(bench.transport.urls.isEmpty)
        #expect(bench.answers.failure == "http://b: refused")
        #expect(bench.answers.count == 3)
    }

    @Test func aRefusalIsSaid() {
        let bench = Bench()
        bench.ask("web")
        bench.transport.answer(403, "Permission denied:\n\u{1B}[31m token" + String(repeating: "x", count: 999))
        #expect(bench.answers.failure?.hasPrefix("Consul: it answered 403: Permission denied:  [31m token") == true)
        #expect(bench.answers.failure?.count ?? 0 < 250)
        bench.ask("web")
        bench.transport.answer(200, "<html>")
        #expect(bench.answers.failure == "what Consul answers cannot be read: not valid JSON, at byte 0")
        bench.ask("web")
        bench.transport.answer(200, #"[{"Service":{"Port":0}},{}]"#)
        #expect(bench.answers.failure == "none of its 2 instances has an address and a port")
        bench.ask("a/../../v1/agent")
        #expect(bench.answers.failure == "that is no name of a service in Consul")
        #expect(bench.transport.urls.isEmpty)
    }

    // MARK: etcd

    private func range(_ address: String) -> String {
        var json = JSONWriter()
        Array(#"{"Name":"web","Address":"\#(address)","Port":80}"#.utf8).withUnsafeBytes { json.base64($0) }
        return #"{"kvs":[{"value":\#(json.text)}]}"#
    }

    @Test func etcdIsAskedForTheFolder() {
        let bench = Bench(etcd: ["http://e:2379"])
        bench.ask("web.service.etcd")
        #expect(bench.request.url == "http://e:2379/v3/kv/range")
        #expect(bench.request.method == "POST")
        #expect(bench.request.body == EtcdMessages.rangeRequest(folder: "/sidelight/services/web/"))
        #expect(bench.request.headers.isEmpty)
        bench.transport.answer(200, range("10.0.0.1"))
        #expect(bench.answers.last?.records == [ServiceRecord(weight: 1, host: "10.0.0.1", port: 80)])
        #expect(bench.answers.last?.version == nil)
        bench.ask("web")
        bench.transport.answer(200, #"{"header":{}}"#)
        #expect(bench.answers.last?.records == [])
    }

    @Test func etcdWithoutALeaderIsLeftForAnotherMember() {
        let bench = Bench(etcd: ["http://a", "http://b"])
        bench.ask("web")
        bench.transport.answer(503, #"{"error":"etcdserver: no leader","code":14}"#)
        #expect(bench.transport.urls == ["http://b/v3/kv/range"])
        bench.transport.answer(200, range("10.0.0.1"))
        #expect(bench.answers.last?.records.count == 1)
    }

    @Test func aUserGetsATokenWhichIsKeptUntilItIsRefused() throws {
        let bench = Bench(etcd: ["http://e"], user: "shop")
        bench.ask("web")
        #expect(bench.transport.urls == ["http://e/v3/auth/authenticate"])
        let asked = try JSONValue(parsing: bench.request.body)
        #expect(asked["name"]?.string == "shop")
        #expect(asked["password"]?.string == "geheim\"")
        bench.transport.answer(200, #"{"token":"x.1"}"#)
        #expect(bench.request.url == "http://e/v3/kv/range")
        #expect(bench.request.headers[0].value == "x.1")
        bench.transport.answer(200, range("10.0.0.1"))
        bench.ask("web")
        #expect(bench.request.headers[0].value == "x.1")
        bench.transport.answer(401, #"{"error":"etcdserver: invalid auth token","code":16}"#)
        #expect(bench.transport.urls == ["http://e/v3/auth/authenticate"])
        bench.transport.answer(200, #"{"token":"x.2"}"#)
        #expect(bench.request.headers[0].value == "x.2")
        // A second refusal is the answer.
        bench.transport.answer(403, #"{"error":"etcdserver: permission denied","code":7}"#)
        #expect(bench.transport.urls.isEmpty)
        #expect(bench.answers.failure?.contains("permission denied") == true)
        #expect(bench.answers.count == 2)
    }

    @Test func aWrongPasswordIsSaidAndNotKept() {
        let bench = Bench(etcd: ["http://e"], user: "shop")
        for body in [#"{"error":"etcdserver: authentication failed, invalid user ID or password","code":3}"#, "{}"] {
            bench.ask("web")
            bench.transport.answer(body == "{}" ? 200 : 400, body)
            #expect(bench.transport.urls.isEmpty)
        }
        #expect(bench.answers.failure == "etcd gives no token to shop")
        #expect(bench.answers.count == 2)
    }

    @Test func whoIsNotConfiguredIsNotAsked() {
        let answers = Answers()
        let resolver = ServiceResolver(dns: NoResolver(), consul: nil, etcd: nil)
        resolver.ask(ServiceQuestion(.consul, name: "web")) { answers.take($0) }
        resolver.ask(ServiceQuestion(.etcd, name: "web")) { answers.take($0) }
        #expect(answers.count == 2)
        #expect(answers.failure == "it is not configured where that is to be asked for")
    }
}
