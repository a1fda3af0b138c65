import System
import Testing
import Wire

@testable import Discovery
@testable import Registries

private let second: UInt64 = 1_000_000_000

/// Runs one session against a registry without faults.
private final class Talk<Session: RegistrySession> {
    var session: Session
    var now = 1_000 * second
    private(set) var requests: [HTTPRequest] = []
    let answer: (HTTPRequest, UInt64) -> Result<HTTPResponse, HTTPTransportError>

    init(_ session: Session, _ answer: @escaping (HTTPRequest, UInt64) -> Result<HTTPResponse, HTTPTransportError>) {
        self.session = session
        self.answer = answer
    }

    convenience init(_ session: Session, _ registry: any FakeRegistry) {
        self.init(session) { .success(registry.answer($0, now: $1)) }
    }

    func perform(_ operation: RegistryOperation) -> RegistryOutcome {
        requests = []
        var step = session.begin(operation)
        while case .send(let request) = step {
            requests.append(request)
            #expect(requests.count < 50)
            step = session.take(answer(request, now))
        }
        guard case .end(let outcome) = step else { fatalError() }
        return outcome
    }

    func register(
        _ instance: ServiceInstance = sampleInstance(), _ status: InstanceHealth.Status = .passing
    ) -> RegistryOutcome {
        perform(.register(instance, InstanceHealth(status)))
    }

    func beat(
        _ instance: ServiceInstance = sampleInstance(), _ status: InstanceHealth.Status = .passing
    ) -> RegistryOutcome {
        perform(.beat(instance, InstanceHealth(status, "as ever")))
    }

    func deregister(_ instance: ServiceInstance = sampleInstance()) -> RegistryOutcome {
        perform(.deregister(instance))
    }
}

private func other(process: String? = "p2", address: String = "10.0.0.1", port: UInt16 = 80) -> ServiceInstance {
    var instance = sampleInstance()
    instance.meta[ServiceInstance.processKey] = process
    (instance.address, instance.port) = (address, port)
    return instance
}

private func failureCode(_ outcome: RegistryOutcome) -> RegistryFailure.Code? {
    if case .failed(let failure) = outcome { failure.code } else { nil }
}

private func consulSettings() -> ConsulSession.Settings {
    ConsulSession.Settings(url: "http://consul", ttlSeconds: 15, deregisterSeconds: 600, timeoutMilliseconds: 2_000)
}

@Suite struct ConsulSessionTests {
    private let consul = FakeConsul()
    private var talk: Talk<ConsulSession> { Talk(ConsulSession(consulSettings()), consul) }

    @Test func itSaysWhatConsulReads() throws {
        var settings = consulSettings()
        (settings.token, settings.namespace, settings.partition) = ("secret", "team a", "p")
        let talk = Talk(ConsulSession(settings)) { _, _ in .success(response(404)) }
        _ = talk.register(sampleInstance(), .warning)
        #expect(talk.requests.map(\.method) == ["GET", "PUT"])
        let put = talk.requests[1]
        #expect(
            put.url == "http://consul/v1/agent/service/register?replace-existing-checks=true&ns=team%20a&partition=p")
        #expect(put.headers.contains { $0 == ("X-Consul-Token", "secret") })
        #expect(put.timeoutMilliseconds == 2_000)
        #expect(
            String(decoding: put.body, as: UTF8.self)
                == #"{"ID":"shop-web1-80","Name":"shop","Address":"10.0.0.1","Port":80,"Tags":["a","b"],"Meta":{"sidelight-process":"p1","version":"2"},"Weights":{"Passing":3,"Warning":1},"Check":{"CheckID":"service:shop-web1-80","Name":"Health of shop as Sidelight sees it","TTL":"15s","Status":"warning","DeregisterCriticalServiceAfter":"600s"}}"#
        )
    }

    @Test func itRegistersBeatsAndDeregisters() {
        let talk = talk
        #expect(talk.register() == .done)
        #expect(talk.beat(sampleInstance(), .critical) == .done)
        #expect(consul.services["shop-web1-80"]?.status == "critical")
        #expect(consul.services["shop-web1-80"]?.output == "as ever")
        #expect(talk.beat() == .done)
        #expect(consul.found(now: talk.now) == [sampleInstance(weight: 1)])
        #expect(talk.deregister() == .done)
        #expect(talk.deregister() == .done)
        #expect(consul.services.isEmpty)
    }

    @Test(arguments: [false, true]) func whatTheAgentForgotIsForgotten(isOld: Bool) {
        let talk = talk
        consul.isOld = isOld
        _ = talk.register()
        consul.forget()
        #expect(talk.beat() == .forgotten)
    }

    @Test func itsOwnEntryAndThatOfACrashedOneAreTakenOver() {
        let talk = talk
        for process in ["p1", "p2", nil] {
            let before = Talk(ConsulSession(consulSettings()), consul)
            #expect(before.register(other(process: process)) == .done)
            #expect(talk.register() == .done)
            #expect(talk.beat() == .done)
        }
    }

    @Test func anEntryOfOneElsewhereIsNotTakenUnlessThatIsDead() {
        let talk = talk
        let before = Talk(ConsulSession(consulSettings()), consul)
        #expect(before.register(other(address: "10.0.0.9")) == .done)
        #expect(talk.register() == .taken(place: "10.0.0.9:80"))
        #expect(before.beat(other(address: "10.0.0.9"), .warning) == .done)
        #expect(talk.register() == .taken(place: "10.0.0.9:80"))
        talk.now += 16 * second
        #expect(talk.register() == .done)
        #expect(before.beat(other(address: "10.0.0.9")) == .taken(place: "10.0.0.1:80"))
    }

    @Test func aTokenThatMayNotReadIsEnough() {
        let talk = talk
        consul.mayRead = false
        #expect(talk.register() == .done)
        #expect(talk.beat() == .done)
        consul.forget()
        #expect(talk.beat() == .forgotten)
    }

    @Test func withoutTheTokenItIsDenied() {
        let talk = talk
        consul.token = "secret"
        #expect(failureCode(talk.register()) == .denied)
        #expect(failureCode(talk.beat()) == .denied)
        #expect(failureCode(talk.deregister()) == .denied)
    }

    @Test(arguments: [
        (500, "No cluster leader", RegistryFailure.Code.unavailable), (503, "", .unavailable),
        (429, "rate", .unavailable), (400, "Invalid", .refused), (301, "", .refused),
    ])
    func otherAnswersAreFailures(status: Int, body: String, code: RegistryFailure.Code) {
        let talk = Talk(ConsulSession(consulSettings())) { _, _ in .success(response(status, body)) }
        #expect(failureCode(talk.register()) == code)
        #expect(failureCode(talk.beat()) == code)
        #expect(failureCode(talk.deregister()) == code)
        #expect(talk.requests.count == 1)
    }

    @Test func whatIsCertainAndWhatIsNot() {
        func failure(_ number: Int, _ code: HTTPTransportError.Code) -> RegistryFailure? {
            var count = 0
            let talk = Talk(ConsulSession(consulSettings())) { _, _ in
                count += 1
                return count == number ? .failure(HTTPTransportError(code, "x")) : .success(response(404))
            }
            if case .failed(let failure) = talk.register() { return failure }
            return nil
        }
        #expect(failure(1, .timeout)?.isUncertain == false)
        #expect(failure(2, .timeout)?.isUncertain == true)
        #expect(failure(2, .connect)?.isUncertain == false)
    }

    @Test(arguments: ["", "[]", "{\"ID\":1}", "\u{0}", String(repeating: "[", count: 100_000)])
    func anAgentThatTalksNonsenseHasNothing(body: String) {
        let talk = Talk(ConsulSession(consulSettings())) { _, _ in .success(response(200, body)) }
        #expect(talk.register() == .done)
        #expect(talk.beat() == .done)
    }
}

@Suite struct EtcdSessionTests {
    private let etcd = FakeEtcd()

    private func settings(_ urls: [String] = ["http://etcd"]) -> EtcdSession.Settings {
        EtcdSession.Settings(urls: urls, ttlSeconds: 15, timeoutMilliseconds: 2_000)
    }

    private var talk: Talk<EtcdSession> { Talk(EtcdSession(settings()), etcd) }

    @Test func itSaysWhatEtcdReads() {
        let talk = talk
        #expect(talk.register() == .done)
        #expect(talk.requests.map(\.url) == ["http://etcd/v3/lease/grant", "http://etcd/v3/kv/txn"])
        #expect(String(decoding: talk.requests[0].body, as: UTF8.self) == #"{"TTL":"15"}"#)
        let key = "L3NpZGVsaWdodC9zZXJ2aWNlcy9zaG9wL3Nob3Atd2ViMS04MA=="
        #expect(
            String(decoding: talk.requests[1].body, as: UTF8.self).hasPrefix(
                #"{"compare":[{"key":"\#(key)","target":"VERSION","result":"EQUAL","version":"0"}],"success":[{"requestPut":{"key":"\#(key)","value":"ey"#
            ))
        #expect(etcd.keys["/sidelight/services/shop/shop-web1-80"]?.value == sampleInstance().json)
    }

    @Test func itRegistersBeatsAndDeregisters() {
        let talk = talk
        #expect(talk.register() == .done)
        for _ in 0..<5 {
            talk.now += 10 * second
            #expect(talk.beat() == .done)
        }
        #expect(etcd.found(now: talk.now) == [sampleInstance()])
        #expect(talk.deregister() == .done)
        #expect(etcd.found(now: talk.now).isEmpty)
        #expect(talk.deregister() == .done)
        #expect(talk.requests.isEmpty)
    }

    @Test func aLeaseThatRanOutIsForgottenAndAnotherGranted() {
        let talk = talk
        _ = talk.register()
        talk.now += 16 * second
        #expect(talk.beat() == .forgotten)
        #expect(talk.register() == .done)
        #expect(talk.beat() == .done)
    }

    @Test func aKeyThatSomebodyDeletedIsForgotten() {
        let talk = talk
        _ = talk.register()
        etcd.keys = [:]
        #expect(talk.beat() == .forgotten)
        #expect(talk.register() == .done)
        #expect(etcd.leases.count == 1)
        #expect(etcd.found(now: talk.now) == [sampleInstance()])
    }

    @Test func aLeaseThatIsGoneBetweenIsGrantedAnew() {
        let talk = talk
        _ = talk.register()
        etcd.forget()
        #expect(talk.register() == .done)
        #expect(talk.requests.map { $0.url.dropFirst("http://etcd/v3/".count) } == ["kv/txn", "lease/grant", "kv/txn"])
    }

    @Test func itsOwnEntryAndThatOfACrashedOneAreTakenOver() {
        for process in ["p1", "p2", nil] {
            let talk = talk
            etcd.put(other(process: process), seconds: 10, now: talk.now)
            #expect(talk.register() == .done)
            talk.now += 11 * second
            #expect(talk.beat() == .done)
            #expect(etcd.found(now: talk.now) == [sampleInstance()])
        }
    }

    @Test func anEntryOfOneElsewhereIsNotTakenOver() {
        let talk = talk
        etcd.put(other(port: 81), seconds: 10, now: talk.now)
        #expect(talk.register() == .taken(place: "10.0.0.1:81"))
        #expect(etcd.found(now: talk.now) == [other(port: 81)])
    }

    @Test func whoeverComesLaterAtTheSamePlaceKeepsIt() {
        let talk = talk
        _ = talk.register()
        etcd.put(other(), seconds: 10, now: talk.now)
        #expect(talk.beat() == .taken(place: "10.0.0.1:80"))
    }

    @Test func aValueThatIsNoneIsWrittenOver() {
        let talk = talk
        etcd.put(sampleInstance(), seconds: 10, now: talk.now)
        etcd.keys[EtcdSession.Settings.key(sampleInstance())]!.value = [0xFF, 0x00]
        #expect(talk.register() == .done)
    }

    @Test func itLogsInAndAgainWhenTheTokenIsNoMore() {
        var settings = settings()
        (settings.user, settings.password) = ("agent", "secret")
        etcd.password = "secret"
        let talk = Talk(EtcdSession(settings), etcd)
        #expect(talk.register() == .done)
        #expect(talk.requests.map { $0.headers.contains { $0.name == "Authorization" } } == [false, true, true])
        etcd.token += 1
        #expect(talk.beat() == .done)
        #expect(talk.requests.count == 4)
        etcd.password = "other"
        etcd.token += 1
        #expect(failureCode(talk.beat()) == .denied)
    }

    @Test func withoutAUserItIsDenied() {
        etcd.password = "secret"
        let talk = talk
        #expect(failureCode(talk.register()) == .denied)
        #expect(talk.requests.count == 1)
    }

    @Test func aTokenThatIsNeverGoodEndsTheOperation() {
        var settings = settings()
        (settings.user, settings.password) = ("agent", "secret")
        let talk = Talk(EtcdSession(settings)) { request, _ in
            .success(
                request.url.hasSuffix("authenticate")
                    ? response(200, #"{"token":"t"}"#)
                    : response(401, #"{"error":"etcdserver: invalid auth token","code":16}"#))
        }
        #expect(failureCode(talk.register()) == .denied)
        #expect(talk.requests.count == 2)
    }

    // MARK: Members

    @Test func aMemberThatFailsIsLeftForTheNext() {
        var gone: Set<String> = ["http://a"]
        let talk = Talk(EtcdSession(settings(["http://a", "http://b", "http://c"]))) { [etcd] request, now in
            let host = String(request.url.prefix(8))
            if gone.contains(host) { return .failure(HTTPTransportError(.timeout, "\(host) is silent")) }
            return .success(etcd.answer(request, now: now))
        }
        #expect(talk.register() == .done)
        #expect(talk.requests.map { $0.url.prefix(8) } == ["http://a", "http://b", "http://b"])
        #expect(talk.beat() == .done)
        #expect(talk.requests.count == 2)
        gone = ["http://a", "http://b", "http://c"]
        #expect(failureCode(talk.beat()) == .unavailable)
        #expect(talk.requests.count == 3)
        gone = ["http://b"]
        #expect(talk.beat() == .done)
    }

    @Test(arguments: [
        (503, #"{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}"#),
        (504, #"{"error":"context deadline exceeded","code":4}"#), (502, "<html>bad gateway</html>"),
        (200, #"{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: leader changed"}}"#),
    ])
    func aMemberWithoutALeaderIsLeftForTheNext(status: Int, body: String) {
        let talk = Talk(EtcdSession(settings(["http://a", "http://b"]))) { [etcd] request, now in
            .success(request.url.hasPrefix("http://a") ? response(status, body) : etcd.answer(request, now: now))
        }
        #expect(talk.register() == .done)
        #expect(talk.beat() == .done)
    }

    @Test func aPutWhoseAnswerIsLostIsFoundToBeOurs() {
        var isLost = true
        let talk = Talk(EtcdSession(settings(["http://a", "http://b"]))) { [etcd] request, now in
            let answer = etcd.answer(request, now: now)
            if request.url == "http://a/v3/kv/txn", isLost {
                isLost = false
                return .failure(HTTPTransportError(.timeout, "no answer"))
            }
            return .success(answer)
        }
        #expect(talk.register() == .done)
        #expect(etcd.found(now: talk.now) == [sampleInstance()])
        #expect(talk.beat() == .done)
        #expect(talk.deregister() == .done)
        #expect(etcd.keys.isEmpty)
    }

    @Test func whatIsCertainAndWhatIsNot() {
        func failure(at number: Int) -> RegistryFailure? {
            var count = 0
            let talk = Talk(EtcdSession(settings())) { [etcd] request, now in
                count += 1
                return count == number
                    ? .failure(HTTPTransportError(.timeout, "x")) : .success(etcd.answer(request, now: now))
            }
            if case .failed(let failure) = talk.register() { return failure }
            return nil
        }
        #expect(failure(at: 1)?.isUncertain == false)
        #expect(failure(at: 2)?.isUncertain == true)
    }

    @Test(arguments: [
        "", "null", "{}", "[]", #"{"ID":"x"}"#, #"{"ID":7,"responses":[{"response_range":{"kvs":[{}]}}]}"#,
        #"{"ID":"7","succeeded":"true","responses":7}"#,
        #"{"token":7,"ID":"9","responses":[{"response_range":{"kvs":[{"value":"%","mod_revision":"1"}]}}]}"#,
    ])
    func nonsenseEndsTheOperation(body: String) {
        for status in [200, 400, 404, 500] {
            let talk = Talk(EtcdSession(settings())) { _, _ in .success(response(status, body)) }
            for outcome in [talk.register(), talk.beat(), talk.register(), talk.deregister()] {
                #expect(outcome != .done || talk.requests.isEmpty || status == 200)
            }
            #expect(talk.requests.count <= 16)
        }
    }
}

extension ServiceInstance {
    /// Consul says the weight elsewhere.
    fileprivate func with(weight: UInt16) -> ServiceInstance {
        var instance = self
        instance.weight = weight
        return instance
    }
}

private func sampleInstance(weight: UInt16) -> ServiceInstance { sampleInstance().with(weight: weight) }
