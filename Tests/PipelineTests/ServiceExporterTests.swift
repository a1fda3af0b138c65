import Configuration
import Pipeline
import Synchronization
import System
import Telemetry
import Testing

@testable import Exporters

/// Keeps questions until the test answers them.
private final class HandResolver: NameResolver {
    typealias Answer = Result<ServiceAnswer, ServiceFailure>
    private let open = Mutex<[(ServiceQuestion, @Sendable (Answer) -> Void)]>([])

    var questions: [ServiceQuestion] { open.withLock { $0.map(\.0) } }

    func ask(_ question: ServiceQuestion, completion: @escaping @Sendable (Answer) -> Void) {
        open.withLock { $0.append((question, completion)) }
    }

    func answer(_ answer: Answer) {
        let completion = open.withLock { $0.removeFirst().1 }
        completion(answer)
    }
}

private final class Bench: Sendable {
    let clock = HandClock()
    let timers = HandTimers()
    let transport = HandTransport()
    let resolver = HandResolver()
    let exporter: Exporter
    private let heard: Heard

    private final class Heard: Sendable { let events = Mutex<[ExporterEvent]>([]) }

    init(
        _ urls: [String] = ["dnssrv+http://_otlp._tcp.shop.example/v1/traces"], kind: ExporterConfiguration.Kind = .otlp
    ) throws {
        let parsed = try urls.map { try EndpointURL(parsing: $0, allowsService: true) }
        var target = ExporterConfiguration.Target(url: parsed[0])
        target.alternatives = Array(parsed.dropFirst())
        target.nameServers = ["127.0.0.1:8600"]
        var configuration = ExporterConfiguration(kind: kind, targets: [.traces: target, .logs: target])
        configuration.inFlightMax = 4
        let heard = Heard()
        self.heard = heard
        exporter = Exporter(
            configuration, transport: transport, timers: timers, resolver: resolver, clock: clock
        ) { event in heard.events.withLock { $0.append(event) } }
    }

    var lookupEvents: [String] {
        heard.events.withLock { events in
            events.compactMap {
                switch $0 {
                case .lookupFailed(let message): message
                case .lookupWorks(let message): "works: " + message
                default: nil
                }
            }
        }
    }

    func pass(_ nanoseconds: UInt64 = second) {
        clock.advance(nanoseconds)
        timers.fire(clock)
    }

    /// A trace of one span, sent by now or waiting for an answer.
    func put(_ signal: Signal = .traces) {
        let resource = Resource(attributes: [Attribute("service.name", "shop")])
        if signal == .logs {
            exporter.accept(Batch([LogRecord(time: 1, severity: 9, body: .string("x"))], resource: resource))
        } else {
            let context = SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3))
            exporter.accept(
                Batch([SpanData(context: context, name: "a", startTime: 1, endTime: 2)], resource: resource))
        }
        pass()
    }

    func found(_ hosts: String..., seconds: UInt32 = 300, addresses: [String] = []) {
        let records = hosts.enumerated().map { index, host in
            ServiceRecord(priority: UInt16(index), weight: 1, host: host, port: 4318, addresses: addresses)
        }
        resolver.answer(.success(ServiceAnswer(records: records, seconds: seconds)))
        timers.fire(clock)
    }

    func notFound(_ why: String = "there is no such name") {
        resolver.answer(.failure(ServiceFailure(why)))
        timers.fire(clock)
    }

    func answer(_ status: Int) {
        transport.answer(status: status)
        timers.fire(clock)
    }

    func refuse() {
        transport.answer(.failure(HTTPTransportError(.connect, "refused")))
        timers.fire(clock)
    }

    var urls: [String] { transport.requests.map(\.url) }
    var counters: ExportAccounting { exporter.counters }
}

@Suite struct ServiceExporterTests {
    @Test func nothingIsAskedBeforeThereIsSomethingToSendAndItWaitsForTheFirstAnswer() throws {
        let bench = try Bench()
        bench.pass(60 * second)
        #expect(bench.resolver.questions.isEmpty)
        bench.put()
        #expect(
            bench.resolver.questions == [ServiceQuestion(name: "_otlp._tcp.shop.example", servers: ["127.0.0.1:8600"])])
        #expect(bench.transport.requests.isEmpty)
        bench.found("a.example", addresses: ["10.0.0.7"])
        #expect(bench.urls == ["http://a.example:4318/v1/traces"])
        #expect(bench.transport.requests[0].address == "10.0.0.7")
        bench.answer(200)
        #expect(bench.counters.exported == 1)
        #expect(bench.counters.retries == 0)
        #expect(bench.exporter.lookups! == (1, 0, 1))
    }

    @Test func signalsShareOneQuestionAndWhatIsKnown() throws {
        let bench = try Bench()
        bench.put()
        bench.put(.logs)
        #expect(bench.resolver.questions.count == 1)
        bench.found("a.example")
        #expect(bench.transport.openCount == 2)
    }

    @Test func gRPCGoesThereToo() throws {
        let bench = try Bench(["dnssrv+http://_grpc._tcp.shop.example"], kind: .otlpGRPC)
        bench.put()
        bench.found("a.example", addresses: ["::1"])
        #expect(bench.urls == ["http://a.example:4318/opentelemetry.proto.collector.trace.v1.TraceService/Export"])
        #expect(bench.transport.requests[0].address == "::1")
        #expect(bench.transport.requests[0].isHTTP2)
    }

    @Test func registriesAreAskedByTheServicesNameAndTheInstancesAddressIsWhereItGoes() throws {
        for (scheme, source) in [("consul", ServiceQuestion.Source.consul), ("etcd", .etcd)] {
            let bench = try Bench(["\(scheme)+http://green.collector/v1/traces?a"])
            bench.put()
            #expect(bench.resolver.questions == [ServiceQuestion(source, name: "green.collector")])
            bench.found("fd00::7", "10.0.0.7")
            #expect(bench.urls == ["http://[fd00::7]:4318/v1/traces?a"])
            #expect(bench.transport.requests[0].address == nil)
            bench.refuse()
            bench.pass(second * 9 / 10)
            #expect(bench.urls.last == "http://10.0.0.7:4318/v1/traces?a")
            bench.answer(200)
            #expect(bench.counters.exported == 1)
        }
    }

    @Test func itIsAskedForAgainWhenTheTimeToLiveIsOverThoughNothingIsSent() throws {
        let bench = try Bench()
        bench.put()
        bench.found("a.example", seconds: 30)
        bench.answer(200)
        bench.pass(30 * second - 1)
        #expect(bench.resolver.questions.isEmpty)
        bench.pass(1)
        #expect(bench.resolver.questions.count == 1)
        bench.found("b.example", seconds: 30)
        bench.put()
        #expect(bench.urls.last == "http://b.example:4318/v1/traces")
    }

    @Test func whatIsUnderWayToOneThatGoesEndsThereAndNothingIsSentTwice() throws {
        let bench = try Bench()
        bench.put()
        bench.found("a.example", seconds: 5)
        bench.pass(5 * second)
        bench.found("b.example")
        #expect(bench.transport.openCount == 1)
        bench.put()
        #expect(bench.urls == ["http://a.example:4318/v1/traces", "http://b.example:4318/v1/traces"])
        bench.answer(200)
        bench.answer(200)
        #expect(bench.counters.exported == 2)
        #expect(bench.counters.queued == 0)
        #expect(bench.counters.attempts == 2)
    }

    @Test func oneThatFailsIsLeftForTheNextAndTheNameIsAskedForAgain() throws {
        let bench = try Bench()
        bench.put()
        bench.found("a.example", "b.example")
        bench.pass(5 * second)
        bench.refuse()
        #expect(bench.resolver.questions.count == 1)
        bench.pass(second / 4)
        #expect(bench.urls.last == "http://b.example:4318/v1/traces")
        bench.answer(200)
        #expect(bench.counters.exported == 1)
        #expect(bench.counters.retries == 1)
    }

    @Test func withoutAnAnswerTheLastOneStandsAndThatIsSaidOnce() throws {
        let bench = try Bench()
        bench.put()
        bench.found("a.example", seconds: 5)
        bench.answer(200)
        for _ in 0..<6 {
            bench.pass(30 * second)
            bench.notFound("no name server answered")
        }
        #expect(
            bench.lookupEvents
                == ["_otlp._tcp.shop.example: no name server answered; going on with the endpoint of before"])
        bench.put()
        #expect(bench.urls.last == "http://a.example:4318/v1/traces")
        bench.answer(200)
        #expect(bench.exporter.lookups! == (1, 6, 1))
        bench.pass(30 * second)
        bench.found("a.example")
        #expect(bench.lookupEvents.last == "works: _otlp._tcp.shop.example: the name server answers again")
    }

    @Test func withoutAFirstAnswerItIsKeptAndTriedAgain() throws {
        let bench = try Bench()
        bench.put()
        bench.notFound()
        #expect(bench.counters.queued == 1)
        for _ in 0..<20 {
            bench.pass()
            if !bench.resolver.questions.isEmpty { bench.notFound() }
        }
        #expect(bench.counters.queued == 1)
        #expect(bench.counters.dropped == 0)
        #expect(bench.lookupEvents.count == 1)
        while bench.resolver.questions.isEmpty { bench.pass() }
        bench.found("a.example")
        bench.pass(2 * second)
        #expect(bench.urls == ["http://a.example:4318/v1/traces"])
        bench.answer(200)
        #expect(bench.counters.exported == 1)
    }

    @Test func aFixedEndpointMayStandInForAServiceAndTheOtherWayRound() throws {
        let bench = try Bench(["dnssrv+http://_otlp._tcp.shop.example/v1/traces", "http://spare:4318/v1/traces"])
        bench.put()
        bench.notFound()
        bench.pass(2 * second)
        #expect(bench.urls == ["http://spare:4318/v1/traces"])
        while bench.resolver.questions.isEmpty { bench.pass() }
        bench.found("a.example", "b.example")
        bench.refuse()
        bench.pass(2 * second)
        #expect(bench.urls.last == "http://a.example:4318/v1/traces")
        // It fails, but another endpoint of the service may work: the spare one is not asked.
        bench.refuse()
        bench.pass(second * 9 / 10)
        #expect(bench.urls.last == "http://b.example:4318/v1/traces")
    }

    @Test func aServiceThatIsNotAvailableIsNotSentTo() throws {
        let bench = try Bench()
        bench.put()
        bench.found(seconds: 5)
        #expect(bench.transport.requests.isEmpty)
        let outcome = bench.exporter.flush(0)
        #expect(outcome.lastError == "_otlp._tcp.shop.example: its SRV record says that the service is not available")
        #expect(outcome.counters.queued == 1)
    }

    @Test func theEndDoesNotWaitForAnAnswerAndBooksBalance() throws {
        let bench = try Bench()
        bench.put()
        let outcome = bench.exporter.shutdown(0)
        #expect(outcome.undelivered.count == 1)
        #expect(outcome.counters.isBalanced)
        bench.found("a.example")
        bench.pass(600 * second)
        #expect(bench.transport.requests.isEmpty)
        #expect(bench.resolver.questions.isEmpty)
        #expect(bench.timers.count == 0)
    }

    /// Everything at random, with the books looked at all the time.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func nothingIsLostOrSentTwice(seed: UInt64) throws {
        let bench = try Bench()
        var state = seed
        func random(_ count: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % count
        }
        var put = 0
        for _ in 0..<2_000 {
            switch random(6) {
            case 0:
                bench.put()
                put += 1
            case 1:
                guard !bench.resolver.questions.isEmpty else { continue }
                if random(3) == 0 {
                    bench.notFound()
                } else {
                    bench.found("h\(random(4))", "h\(random(4))", seconds: UInt32(random(20)))
                }
            case 2: bench.pass(random(10) * second)
            case 3 where bench.transport.openCount > 0: bench.refuse()
            default: if bench.transport.openCount > 0 { bench.answer([200, 200, 503][Int(random(3))]) }
            }
            #expect(bench.counters.isBalanced)
        }
        for _ in 0..<500 where bench.counters.queued > 0 {
            bench.pass(10 * second)
            if !bench.resolver.questions.isEmpty { bench.found("h0") }
            while bench.transport.openCount > 0 { bench.answer(200) }
        }
        #expect(bench.counters.exported == put)
        #expect(bench.counters.dropped == 0)
    }
}
