import Configuration
import Pipeline
import System
import Telemetry
import Testing
import Wire

@testable import Exporters

@Suite struct LokiExporterTests {
    private let transport = HandTransport()
    private let timers = HandTimers()
    private let clock = HandClock()
    private let logs = Batch(
        [LogRecord(time: 1, body: "a"), LogRecord(time: 2, body: "b"), LogRecord(time: 3, body: "c")],
        resource: Resource(attributes: [Attribute("service.name", "shop")]))

    private func exporter() throws -> Exporter {
        var flags = FlagValues()
        flags.exports = ["loki=http://l:3100"]
        let configuration = try AgentConfiguration.parse(flags, environment: [:]).get().value.exporters[0]
        let exporter = Exporter(configuration, transport: transport, timers: timers, clock: clock)
        exporter.accept(logs)
        clock.advance(second)
        timers.fire(clock)
        return exporter
    }

    @Test func logsAreACompressedPush() throws {
        let exporter = try exporter()
        let request = transport.requests[0]
        #expect(request.url == "http://l:3100/loki/api/v1/push")
        #expect(request.headers.map(\.name) == ["Content-Type"])
        #expect(request.headers[0].value == "application/x-protobuf")
        let push = Loki.encode(
            batches: [logs], labels: ExporterConfiguration.standardLabels, now: clock.unixNanoseconds())
        #expect(request.body == Snappy.compress(push.bytes))
        transport.answer(status: 204)
        #expect(exporter.counters[.logs].exported == 3)
        #expect(exporter.signals == [.logs])
    }

    @Test func linesThatWereTooOldAreCounted() throws {
        let exporter = try exporter()
        transport.answer(
            status: 400, body: Array("entry too far behind\nuser 'fake', total ignored: 2 out of 3 for stream: {}".utf8)
        )
        #expect(exporter.counters[.logs].exported == 1)
        #expect(exporter.counters[.logs].dropped(.rejected) == 2)
    }

    @Test(arguments: [400, 404]) func whatIsRefusedIsLost(status: Int) throws {
        let exporter = try exporter()
        transport.answer(status: status, body: Array("no".utf8))
        #expect(exporter.counters[.logs].dropped == 3 && exporter.counters.retries == 0)
    }

    @Test(arguments: [429, 500, 502, 503, 504]) func whatMayWorkLaterIsTriedAgain(status: Int) throws {
        let exporter = try exporter()
        transport.answer(status: status)
        #expect(exporter.counters.queued == 3 && exporter.counters.retries == 1)
    }
}
