import Configuration
import Pipeline
import Synchronization
import System
import Telemetry
import Testing
import Wire

@testable import Exporters

private final class Ear: Sendable {
    let events = Mutex<[ExporterEvent]>([])
}

private final class Bench: Sendable {
    let clock = HandClock()
    let timers = HandTimers()
    let transport = HandTransport()
    private let ear = Ear()
    let exporter: Exporter

    init(_ flags: [String] = ["otlp=http://backend:4318"], environment: [String: String] = [:]) throws {
        var values = FlagValues()
        values.exports = flags
        let configuration = try AgentConfiguration.parse(values, environment: environment).get().value.exporters[0]
        exporter = Exporter(configuration, transport: transport, timers: timers, clock: clock) { [ear] event in
            ear.events.withLock { $0.append(event) }
        }
    }

    /// But for what was dropped.
    var heard: [ExporterEvent] {
        ear.events.withLock { events in
            events.filter { if case .dropped = $0 { false } else { true } }
        }
    }

    /// What was dropped.
    var drops: [ExporterEvent] {
        ear.events.withLock { events in
            events.filter { if case .dropped = $0 { true } else { false } }
        }
    }

    /// Lets time pass and runs what came due.
    func pass(_ nanoseconds: UInt64 = second) {
        clock.advance(nanoseconds)
        timers.fire(clock)
    }

    func answer(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        transport.answer(status: status, headers: headers, body: body)
        timers.fire(clock)
    }
}

extension Exporter {
    /// A flush that does not wait.
    fileprivate func look() -> Outcome { flush(0) }
}

private let resource = Resource(attributes: [Attribute("service.name", "shop")])

private func spans(_ names: String...) -> Batch {
    Batch(
        names.enumerated().map { index, name in
            SpanData(
                context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(UInt64(index + 1))), name: name,
                startTime: 1_700_000_000_123_456_789, endTime: 1_700_000_000_125_000_000)
        }, resource: resource)
}

private func logs(_ texts: String...) -> Batch {
    Batch(texts.map { LogRecord(time: 1_700_000_000_000_000_000, severity: 17, body: .string($0)) }, resource: resource)
}

private func points(_ name: String) -> Batch {
    Batch(
        [MetricPoint(instrument: MetricPoint.Instrument(name: name, type: .gauge), startTime: 1, time: 2, value: 3)],
        resource: resource)
}

@Suite struct ExporterRequestTests {
    @Test func eachSignalGoesToItsPathAsOTLP() throws {
        let bench = try Bench()
        for batch in [spans("a"), logs("b"), points("c")] { bench.exporter.accept(batch) }
        #expect(bench.transport.requests.isEmpty)
        bench.pass()
        let requests = bench.transport.requests
        #expect(requests.map(\.url) == ["traces", "logs", "metrics"].map { "http://backend:4318/v1/\($0)" })
        #expect(
            requests.allSatisfy {
                $0.method == "POST" && $0.headers.contains { $0 == ("Content-Type", "application/x-protobuf") }
            })
        #expect(requests[0].body == OTLP.exportRequest(batches: [spans("a")]))
        for _ in requests { bench.answer(status: 200) }
        #expect(bench.exporter.counters.exported == 3)
        #expect(bench.exporter.counters.queued == 0)
        #expect(bench.timers.count == 0)
    }

    @Test func configuredHeadersCompressionAndTimeoutAreUsed() throws {
        let bench = try Bench(environment: [
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1234",
        ])
        bench.exporter.accept(spans("a"))
        bench.pass()
        let request = bench.transport.requests[0]
        #expect(request.headers.contains { $0 == ("authorization", "Bearer x") })
        #expect(request.headers.contains { $0 == ("Content-Encoding", "gzip") })
        #expect(request.body.starts(with: [0x1F, 0x8B]))
        #expect(request.timeoutMilliseconds == 1_234)
    }

    @Test(arguments: [
        ("otlp-json=http://b", "http://b/v1/traces", "application/json", "{"),
        ("zipkin=http://b", "http://b/api/v2/spans", "application/json", "["),
        ("jaeger=http://b", "http://b/api/traces?format=jaeger.thrift", "application/vnd.apache.thrift.binary", ""),
    ])
    func otherEncodingsAreSentAsTheirProtocolsSay(flag: String, url: String, type: String, start: String) throws {
        let bench = try Bench([flag])
        bench.exporter.accept(spans("checkout"))
        bench.pass()
        let request = bench.transport.requests[0]
        #expect(request.url == url)
        #expect(request.headers.contains { $0 == ("Content-Type", type) })
        #expect(request.body.starts(with: Array(start.utf8)))
        #expect(request.body.firstRange(of: Array("checkout".utf8)) != nil)
        bench.answer(status: 202)
        #expect(bench.exporter.counters[.traces].exported == 1)
    }

    @Test func signalsAKindCannotCarryAreNotCounted() throws {
        let bench = try Bench(["zipkin=http://b"])
        bench.exporter.accept(logs("x"))
        bench.exporter.accept(points("x"))
        #expect(bench.exporter.counters == ExportAccounting())
        #expect(bench.timers.count == 0)
    }

    @Test func jaegerGetsARequestForEachResource() throws {
        let bench = try Bench(["jaeger=http://b"])
        var other = spans("b")
        other.resource = OTLP.message(Resource(attributes: [Attribute("service.name", "other")]))
        var sameWithSchema = spans("c")
        sameWithSchema.resourceSchemaURL = "https://opentelemetry.io/schemas/1.30.0"
        for batch in [spans("a"), spans("a"), other, sameWithSchema] { bench.exporter.accept(batch) }
        bench.pass()
        #expect(bench.transport.requests.count == 3)
    }

    @Test func batchesOfABurstShareOneRequestAndOneTimer() throws {
        let bench = try Bench()
        for _ in 0..<100 { bench.exporter.accept(spans("a", "b")) }
        #expect(bench.timers.count == 1)
        bench.pass()
        #expect(bench.transport.requests.count == 1)
        bench.answer(status: 200)
        #expect(bench.exporter.counters.exported == 200)
    }
}

@Suite struct ExporterAnswerTests {
    @Test func partialSuccessIsCountedAndTold() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a", "b", "c"))
        bench.pass()
        var answer = ProtobufWriter()
        answer.message(1) { partial in
            partial.putVarint(1, 2)
            partial.putString(2, "too old")
        }
        bench.answer(status: 200, body: answer.takeBytes())
        #expect(bench.exporter.counters[.traces].exported == 1)
        #expect(bench.exporter.counters[.traces].dropped(.rejected) == 2)
        #expect(
            bench.heard == [
                .warning(.traces, message: "http://backend:4318/v1/traces: partial success, 2 rejected: too old")
            ])
        #expect(
            bench.drops == [
                .dropped(
                    .traces, .rejected, items: 2,
                    message: "http://backend:4318/v1/traces: partial success, 2 rejected: too old")
            ])
    }

    @Test(arguments: ["<html>hello</html>", "\u{FF}\u{FE}", "{\"partialSuccess\":"])
    func unreadableSuccessIsASuccessWithAWarning(body: String) throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a"))
        bench.pass()
        bench.answer(
            status: 200, headers: [("content-type", body.hasPrefix("{") ? "application/json" : "text/html")],
            body: Array(body.utf8))
        #expect(bench.exporter.counters.exported == 1)
        #expect(bench.exporter.counters.warnings == 1)
    }

    @Test func anOutageIsToldAtEachAttemptAndSoIsItsEnd() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a"))
        bench.pass()
        bench.transport.answer(.failure(HTTPTransportError(.connect, "backend:4318: Couldn't connect to server")))
        for _ in 0..<3 {
            bench.pass(10 * second)
            bench.answer(status: 503)
        }
        #expect(bench.exporter.isOutage)
        #expect(bench.exporter.counters.queued == 1)
        bench.pass(10 * second)
        bench.answer(status: 200)
        #expect(
            bench.heard.first
                == .outage(message: "http://backend:4318/v1/traces: Couldn't connect to server"))
        let outages = bench.heard.filter { if case .outage = $0 { true } else { false } }
        #expect(outages.count == 4)
        #expect(bench.heard.dropFirst(4) == [.recovered])
        #expect(bench.exporter.counters.exported == 1)
        #expect(bench.exporter.counters.retries == 4)
        #expect(bench.timers.count == 0)
    }

    @Test func retryAfterDateIsHonoured() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a"))
        bench.pass()
        // Ten seconds ahead of HandClock.
        bench.answer(status: 429, headers: [("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")])
        bench.pass(9 * second)
        #expect(bench.transport.openCount == 0)
        bench.pass(1 * second)
        #expect(bench.transport.openCount == 1)
    }

    @Test func aRefusalIsToldWithWhatTheBackendSays() throws {
        let bench = try Bench()
        for _ in 0..<3 {
            bench.exporter.accept(logs("a"))
            bench.pass()
            var status = ProtobufWriter()
            status.putString(2, "no such tenant\u{1B}[2J")
            bench.answer(status: 400, body: status.takeBytes())
        }
        #expect(bench.exporter.counters[.logs].dropped(.refused) == 3)
        #expect(bench.heard.count == 3)
        guard case .refused(.logs, let message)? = bench.heard.first else { return #expect(Bool(false)) }
        #expect(message.hasPrefix("http://backend:4318/v1/logs: answered 400"))
        #expect(message.contains("no such tenant"))
        #expect(!message.contains("\u{1B}"))
    }

    @Test func redirectIsRefusedWithItsLocation() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a"))
        bench.pass()
        bench.answer(status: 301, headers: [("location", "https://elsewhere/")])
        #expect(bench.exporter.look().lastError?.contains("a redirect to https://elsewhere/") == true)
    }

    @Test(arguments: ["otlp=http://b", "otlp-json=http://b", "zipkin=http://b", "jaeger=http://b"])
    func aServerErrorIsTriedAgain(flag: String) throws {
        let bench = try Bench([flag])
        bench.exporter.accept(spans("a"))
        bench.pass()
        bench.answer(status: 500, body: Array("storage is away".utf8))
        #expect(bench.exporter.counters.queued == 1)
        #expect(bench.exporter.counters.dropped(.refused) == 0)
        #expect(bench.exporter.look().lastError?.contains("storage is away") == true)
    }

    @Test func endlessAnswerIsNotRepeated() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a"))
        bench.pass()
        bench.transport.answer(.failure(HTTPTransportError(.tooLarge, "too large")))
        #expect(bench.exporter.counters.dropped(.invalidResponse) == 1)
    }

    @Test func itemsThatDoNotDecodeAreCountedAndTheOthersDelivered() throws {
        let bench = try Bench(["zipkin=http://b"])
        var broken = spans("good", "bad")
        let bad = broken.items[1]
        for index in Int(bad.offset) + 2..<Int(bad.offset + bad.length) { broken.bytes[index] = 0xFF }
        bench.exporter.accept(broken)
        bench.pass()
        bench.answer(status: 202)
        #expect(bench.exporter.counters.exported == 1)
        #expect(bench.exporter.counters.dropped(.notEncodable) == 1)
        for index in broken.bytes.indices.dropFirst(2) { broken.bytes[index] = 0xFF }
        bench.exporter.accept(broken)
        bench.pass()
        #expect(bench.exporter.counters.dropped(.notEncodable) == 3)
        #expect(bench.exporter.counters.queued == 0)
    }

    @Test func fullQueueIsToldOnce() throws {
        let bench = try Bench(environment: ["OTEL_BSP_MAX_QUEUE_SIZE": "3"])
        for _ in 0..<5 { bench.exporter.accept(spans("a")) }
        #expect(bench.exporter.counters.dropped(.queueFull) == 2)
        #expect(bench.heard == [.overflow])
    }
}

@Suite struct ExporterFlushTests {
    @Test func flushOfNothingIsDoneAtOnce() throws {
        let outcome = try Bench().exporter.flush(.max)
        #expect(outcome.isComplete)
        #expect(outcome.undelivered.isEmpty)
    }

    @Test func flushAtItsDeadlineSaysWhatIsLeft() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a", "b"))
        let outcome = bench.exporter.flush(0)
        #expect(!outcome.isComplete)
        #expect(outcome.undelivered.map(\.items.count) == [2])
        #expect(outcome.counters.queued == 2)
        bench.timers.fire(bench.clock)
        bench.answer(status: 200)
        #expect(bench.exporter.look().isComplete)
    }

    @Test func flushReturnsWhenTheLastAnswerIsIn() async throws {
        let bench = try Bench()
        bench.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        for _ in 0..<10 { bench.exporter.accept(spans("a")) }
        let exporter = bench.exporter
        async let outcome = Task.detached { exporter.flush(.max) }.value
        while exporter.counters.queued > 0 {
            bench.timers.fire(bench.clock)
            await Task.yield()
        }
        #expect(await outcome.isComplete)
        #expect(await outcome.counters.exported == 10)
    }

    @Test func shutdownHandsBackWhatIsUndelivered() throws {
        let bench = try Bench()
        bench.exporter.accept(spans("a", "b"))
        bench.pass()
        bench.exporter.accept(logs("c"))
        let outcome = bench.exporter.shutdown(0)
        #expect(outcome.undelivered.map(\.signal) == [.traces, .logs])
        #expect(outcome.counters.dropped(.undelivered) == 3)
        #expect(outcome.counters.isBalanced)
        bench.answer(status: 200)
        bench.exporter.accept(spans("late"))
        #expect(bench.exporter.counters.dropped(.shutDown) == 1)
        #expect(bench.exporter.counters.exported == 0)
        #expect(bench.exporter.shutdown(0).undelivered.isEmpty)
    }

    @Test func answersInsideSendDoNotRecurse() throws {
        let bench = try Bench(environment: ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"])
        bench.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        for _ in 0..<20_000 { bench.exporter.accept(spans("a")) }
        bench.pass()
        #expect(bench.exporter.counters.exported == 20_000)
    }

    @Test func timersDoNotPileUp() throws {
        let bench = try Bench(environment: ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2"])
        bench.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        for _ in 0..<1_000 {
            bench.exporter.accept(spans("a", "b", "c"))
            bench.timers.fire(bench.clock)
            #expect(bench.timers.count <= 3)
        }
    }
}
