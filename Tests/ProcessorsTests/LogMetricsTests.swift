import Configuration
import Telemetry
import Testing

@testable import Processors

@Suite struct LogMetricsTests {
    private static func metrics(
        _ clock: HandClock = HandClock(), _ edit: (inout LogMetricsConfiguration) -> Void = { _ in }
    ) -> LogMetrics {
        var configuration = LogMetricsConfiguration()
        edit(&configuration)
        return LogMetrics(configuration, name: "levels", clock: clock)
    }

    private static func counts(_ batches: [Batch]) throws -> [String: Double] {
        var counts: [String: Double] = [:]
        for point in try batches.points("log.record.count") {
            let attributes = point.attributes.map { "\($0.key)=\(point.text($0.key) ?? "\($0.value)")" }
            counts[attributes.joined(separator: " ")] = point.value
        }
        return counts
    }

    @Test func countsByServiceAndLevel() throws {
        let clock = HandClock()
        let metrics = Self.metrics(clock)
        let shop = logs([0, 1, 4, 5, 9, 12, 13, 17, 21, 24, 25, 255].map { record("x", severity: $0) })
        let output = metrics.take([shop, logs([record("y")], service: "cart")], at: 1)
        #expect(output.batches.map(\.bytes) == [shop.bytes, logs([record("y")]).bytes] && output.derived.isEmpty)
        #expect(metrics.wakeAt == 16 * second)
        let derived = metrics.tick(at: 16).derived
        for batch in derived { try batch.checkIndex() }
        #expect(
            try Self.counts(derived) == [
                "service.name=shop severity=unspecified": 3, "service.name=shop severity=trace": 2,
                "service.name=shop severity=debug": 1, "service.name=shop severity=info": 2,
                "service.name=shop severity=warn": 1, "service.name=shop severity=error": 1,
                "service.name=shop severity=fatal": 2, "service.name=cart severity=info": 1,
            ])
        #expect(
            try derived.map { try $0.decodedResource().attributes } == [
                [Attribute("service.name", "shop")], [Attribute("service.name", "cart")],
            ])
        #expect(try derived.points("log.record.count").allSatisfy { $0.startTime == clock.unix })
        // It goes on counting from there; the end tells what is not told.
        _ = metrics.take([shop], at: 17)
        #expect(try Self.counts(metrics.end(at: 18).derived)["service.name=shop severity=info"] == 4)
        #expect(metrics.counts.isBalanced && metrics.counts.passed[.logs] == 25)
    }

    @Test func attributesMakeSeries() throws {
        let metrics = Self.metrics {
            $0.attributes = ["k", "severity", "zone"]
            $0.seriesMax = 2
        }
        let records = ["a", "b", "a", "c"].map { value in
            record("x") { $0.attributes = [Attribute("k", .string(value))] }
        }
        _ = metrics.take([logs(records), batch([span(1, 1)])], at: 0)
        #expect(
            try Self.counts(metrics.tick(at: 15).derived) == [
                "service.name=shop severity=info k=a": 2, "service.name=shop severity=info k=b": 1,
                "otel.metric.overflow=\(AttributeValue.bool(true))": 1,
            ])
        #expect(metrics.counts.details == ["overflow": 1] && metrics.seriesCount == 2)
        // Series that count nothing for five minutes go.
        #expect(metrics.tick(at: 400).derived.isEmpty && metrics.seriesCount == 0)
    }

    @Test func aServiceNameThatIsTooLongOverflows() throws {
        let metrics = Self.metrics()
        _ = metrics.take([logs([record("x")], service: String(repeating: "s", count: 3_000))], at: 0)
        #expect(metrics.counts.details == ["overflow": 1])
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func damagedBatchesPass(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let metrics = Self.metrics {
            $0.seriesMax = 50
            if seed > 0 { $0.attributes = ["kept", "a"] }
        }
        var now = 0.0
        for _ in 0..<1_000 {
            var batch = generator.batch(generator.pick(Signal.allCases))
            for _ in 0..<generator.below(4) { mutate(&batch.bytes, &generator) }
            if generator.chance(20) { mutate(&batch.resource, &generator) }
            now += 0.1
            let output = metrics.take([batch], at: now)
            #expect(output.batches.map(\.bytes) == [batch.bytes])
            for batch in output.derived { try batch.checkIndex() }
            #expect(metrics.counts.isBalanced)
        }
    }
}
