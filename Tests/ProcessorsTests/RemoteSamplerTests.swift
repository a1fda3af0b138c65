import Configuration
import Synchronization
import System
import Telemetry
import Testing
import Wire

@testable import Processors

/// A sampling server, a clock and timers, all by hand.
private final class World: HTTPTransport, TimerScheduler, SystemClock {
    private struct State {
        var now: UInt64 = 1_000 * second
        var timers: [(deadline: UInt64, action: @Sendable () -> Void)] = []
        var requests: [(url: String, completion: @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void)] = []
        var said: [String] = []
    }
    private let state = Mutex(State())

    func monotonicNanoseconds() -> UInt64 { state.withLock { $0.now } }
    func unixNanoseconds() -> UInt64 { 0 }
    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.timers.append((deadline, action)) }
    }

    func send(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void
    ) {
        state.withLock { $0.requests.append((request.url, completion)) }
    }

    func say(_ text: String) { state.withLock { $0.said.append(text) } }

    var said: [String] { state.withLock { $0.said } }
    var asked: [String] { state.withLock { $0.requests.map(\.url) } }

    func pass(_ nanoseconds: UInt64 = 0) {
        state.withLock { $0.now += nanoseconds }
        while true {
            let action: (@Sendable () -> Void)? = state.withLock { state in
                guard let index = state.timers.firstIndex(where: { $0.deadline <= state.now }) else { return nil }
                return state.timers.remove(at: index).action
            }
            guard let action else { return }
            action()
        }
    }

    /// Answers the oldest request.
    func answer(_ result: Result<HTTPResponse, HTTPTransportError>) {
        let completion = state.withLock { $0.requests.removeFirst().completion }
        completion(result)
        pass()
    }

    func answer(_ json: String, status: Int = 200) {
        answer(.success(HTTPResponse(status: status, body: Array(json.utf8))))
    }

    func strategies(_ change: (inout RemoteSampling) -> Void = { _ in }) throws -> (RemoteStrategies, HeadSampling) {
        var remote = RemoteSampling(endpoint: try EndpointURL(parsing: "http://sampler:5778/sampling"))
        remote.initial = .never
        change(&remote)
        let strategies = RemoteStrategies(remote, transport: self, timers: self, clock: self) { [weak self] in
            self?.say($0)
        }
        return (strategies, .remote(remote))
    }
}

private func traces(_ count: Int, seed: UInt64 = 3) -> [TraceID] {
    var generator = Generator(seed: seed)
    return (0..<count).map { _ in TraceID(high: generator.bits(), low: generator.bits()) }
}

private func batch(_ service: String?, _ spans: [(TraceID, String)]) -> Batch {
    let attributes = service.map { [Attribute("x", 1), Attribute("service.name", .string($0))] } ?? []
    var builder = BatchBuilder(signal: .traces, resource: Resource(attributes: attributes))
    for (trace, name) in spans {
        builder.append(
            SpanData(context: SpanContext(traceID: trace, spanID: SpanID(1)), name: name, startTime: 1, endTime: 2))
    }
    return builder.take()
}

extension ProcessorChain {
    fileprivate func chosen(_ service: String?, _ ids: [TraceID], name: String = "s", now: UInt64 = 0) -> [TraceID] {
        run(batch(service, ids.map { ($0, name) }), now: now).batch?.items.map(\.traceID) ?? []
    }
}

@Suite struct RemoteSamplerTests {
    @Test func theInitialSamplerStandsUntilTheFirstAnswer() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies { $0.initial = .ratio(0.5) }
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(2_000)
        let expected = Processors.ProcessorChain([("it", .sample(.ratio(0.5)))]).chosen("shop", ids)
        #expect(chain.chosen("shop", ids) == expected)
        // Nothing is asked on the pipeline's thread.
        #expect(world.asked.isEmpty)
        world.pass()
        #expect(world.asked == ["http://sampler:5778/sampling?service=shop"])
        #expect(chain.chosen("shop", ids) == expected)
        world.answer(#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.1}}"#)
        let some = chain.chosen("shop", ids)
        #expect((120...280).contains(some.count))
        #expect(Set(some).isSubset(of: expected))
        #expect(chain.counts.read()[0].counts.details == ["strategies": 1])
        #expect(chain.counts.read()[0].counts.isBalanced)
    }

    @Test func eachServiceHasItsOwnAndNamesAreEscaped() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(100)
        for service in ["shop", "a&b=c d/é", nil] { #expect(chain.chosen(service, ids).isEmpty) }
        world.pass()
        #expect(
            world.asked.map { $0.drop { $0 != "?" } }
                == ["?service=shop", "?service=a%26b%3Dc%20d%2F%C3%A9", "?service=unknown_service"])
        world.answer(#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}"#)
        #expect(chain.chosen("shop", ids).count == 100)
        #expect(chain.chosen("a&b=c d/é", ids).isEmpty)
    }

    @Test func theServerIsAskedEveryIntervalAndWhatItSaysIsTaken() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies { $0.intervalNanoseconds = 30 * second }
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(100)
        _ = chain.chosen("shop", ids)
        world.pass()
        for rate in [1, 0, 1] {
            world.answer(#"{"probabilisticSampling":{"samplingRate":\#(rate)}}"#)
            #expect(chain.chosen("shop", ids).count == rate * 100)
            world.pass(30 * second - 1)
            #expect(world.asked.isEmpty)
            world.pass(1)
            #expect(world.asked.count == 1)
        }
    }

    @Test func aServerThatFailsOrTalksNonsenseChangesNothingAndIsToldOfOnce() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(100)
        _ = chain.chosen("shop", ids)
        world.pass()
        world.answer(#"{"probabilisticSampling":{"samplingRate":1}}"#)
        let bad: [Result<HTTPResponse, HTTPTransportError>] =
            [.failure(HTTPTransportError(.connect, "refused")), .success(HTTPResponse(status: 500))]
            + [
                "", "nonsense", "{}", "[]", "null", #"{"probabilisticSampling":{"samplingRate":1.5}}"#,
                #"{"probabilisticSampling":{"samplingRate":-0.1}}"#,
                #"{"probabilisticSampling":{"samplingRate":"NaN"}}"#,
                #"{"probabilisticSampling":{"samplingRate":1e999}}"#, #"{"strategyType":"OTHER"}"#,
                #"{"strategyType":"RATE_LIMITING"}"#,
                #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":-1}}"#,
                #"{"strategyType":"PROBABILISTIC","rateLimitingSampling":{"maxTracesPerSecond":1}}"#,
                #"{"operationSampling":{"perOperationStrategies":7}}"#,
                #"{"probabilisticSampling":{"samplingRate":0},"probabilisticSampling":{"samplingRate":0}}"#,
                #"{"probabilisticSampling":{"samplingRate":0}} trailing"#,
            ].map { .success(HTTPResponse(status: 200, body: Array($0.utf8))) }
        for result in bad {
            while world.asked.isEmpty { world.pass(10 * second) }
            world.answer(result)
            #expect(chain.chosen("shop", ids).count == 100)
        }
        #expect(
            world.said
                == [
                    "http://sampler:5778/sampling: no sampling strategy for \"shop\": refused; what it said before stands"
                ])
        #expect(chain.counts.read()[0].counts.details == ["strategies": 1, "strategies_failed": bad.count])
        while world.asked.isEmpty { world.pass(10 * second) }
        world.answer(#"{"probabilisticSampling":{"samplingRate":0}}"#)
        #expect(world.said.last == "http://sampler:5778/sampling: sampling strategies come again")
        #expect(chain.chosen("shop", ids).isEmpty)
    }

    @Test func tracesASecond() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(100)
        _ = chain.chosen("shop", ids)
        world.pass()
        world.answer(#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#)
        let first = chain.chosen("shop", ids, now: 10 * second)
        #expect(first.count == 5)
        // The same answer again leaves the bucket as it is, and later spans of a trace follow.
        world.pass(60 * second)
        world.answer(#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":5.0}}"#)
        #expect(chain.chosen("shop", ids, now: 10 * second) == first)
        #expect(chain.chosen("shop", traces(100, seed: 9), now: 11 * second).count == 5)
    }

    @Test func operationsHaveTheirOwnProbabilitiesAndALowerBound() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        let chain = chain(.sample(sampling, strategies))
        let ids = traces(1_000)
        _ = chain.chosen("shop", ids)
        world.pass()
        world.answer(
            #"""
            {"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1},"operationSampling":
            {"defaultSamplingProbability":0.5,"defaultLowerBoundTracesPerSecond":3,"defaultUpperBoundTracesPerSecond":9,
            "perOperationStrategies":[{"operation":"all","probabilisticSampling":{"samplingRate":1}},
            {"operation":"none","probabilisticSampling":{}},{"operation":"none","probabilisticSampling":{"samplingRate":1}}]}}
            """#)
        #expect(chain.chosen("shop", ids, name: "all").count == 1_000)
        let few = chain.chosen("shop", ids, name: "none")
        #expect(few.count == 3)
        #expect(few == Array(ids[..<3]))
        #expect(chain.chosen("shop", ids, name: "none") == few)
        let half = chain.chosen("shop", ids, name: "other")
        #expect((430...570).contains(half.count))
        let expected = Set(Processors.ProcessorChain([("it", .sample(.ratio(0.5)))]).chosen("shop", ids))
        #expect(expected.isSubset(of: half))
        #expect(Set(half).subtracting(expected).isSubset(of: ids[..<3]))
    }

    @Test func servicesBeyondTheBoundHaveTheInitialSamplerAndAreNotAskedFor() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies {
            $0.servicesMax = 3
            $0.initial = .always
        }
        let chain = chain(.sample(sampling, strategies))
        for number in 0..<10 { #expect(chain.chosen("s\(number)", traces(5)).count == 5) }
        #expect(chain.chosen(String(repeating: "x", count: 10_000), traces(5)).count == 5)
        world.pass()
        #expect(world.asked.count == 3)
        #expect(chain.counts.read()[0].counts.details["services_over"] == 8)
    }

    @Test func requestsAreFewAtATimeAndServicesThatAreGoneAreForgotten() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        let chain = chain(.sample(sampling, strategies))
        for number in 0..<100 { _ = chain.chosen("s\(number)", traces(1)) }
        world.pass()
        for left in (0..<100).reversed() {
            #expect(world.asked.count == min(8, left + 1))
            world.answer(#"{"probabilisticSampling":{"samplingRate":1}}"#)
        }
        for _ in 0..<20 {
            world.pass(60 * second)
            _ = chain.chosen("s0", traces(1))
            while !world.asked.isEmpty { world.answer(#"{"probabilisticSampling":{"samplingRate":1}}"#) }
        }
        world.pass(60 * second)
        #expect(world.asked == ["http://sampler:5778/sampling?service=s0"])
    }

    @Test func aSamplerThatIsGoneAsksNoMore() throws {
        let world = World()
        do {
            let (strategies, sampling) = try world.strategies()
            _ = chain(.sample(sampling, strategies)).chosen("shop", traces(1))
            world.pass()
        }
        world.answer("nonsense")
        for _ in 0..<10 { world.pass(60 * second) }
        #expect(world.asked.isEmpty)
        #expect(world.said.isEmpty)
    }

    @Test func logsAndMetricsPass() throws {
        let world = World()
        let (strategies, sampling) = try world.strategies()
        var builder = BatchBuilder(signal: .logs, resource: Resource())
        builder.append(LogRecord(time: 1, severity: 9, body: .string("x")))
        #expect(chain(.sample(sampling, strategies)).run(builder.take()).batch?.items.count == 1)
        world.pass()
        #expect(world.asked.isEmpty)
    }
}
