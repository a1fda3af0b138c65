import Configuration
import Foundation
import System
import Telemetry
import Testing
import Wire

@testable import Processors

/// Stands still until it is set.
final class HandClock: SystemClock, @unchecked Sendable {
    // Used by one thread.
    var unix: UInt64 = 1_700_000_000_000_000_000

    func monotonicNanoseconds() -> UInt64 { 0 }
    func unixNanoseconds() -> UInt64 { unix }
}

extension [Batch] {
    /// All points, with the metric's name.
    func points(_ name: String) throws -> [MetricPoint] {
        try flatMap { batch in try batch.items.indices.flatMap { try batch.metric(at: $0).points } }.filter {
            $0.instrument.name == name
        }
    }
}

extension MetricPoint {
    func text(_ key: String) -> String? {
        guard case .string(let text)? = attributes.first(where: { $0.key == key })?.value else { return nil }
        return text
    }
}

extension StatefulProcessor {
    func end(at seconds: Double) -> ProcessorOutput {
        var output = ProcessorOutput()
        end(now: UInt64(seconds * 1e9), &output)
        return output
    }
}

@Suite struct SpanMetricsTests {
    private static let calls = "traces.span.metrics.calls"
    private static let duration = "traces.span.metrics.duration"

    private static func metrics(
        _ clock: HandClock = HandClock(), _ edit: (inout SpanMetricsConfiguration) -> Void = { _ in }
    ) -> SpanMetrics {
        var configuration = SpanMetricsConfiguration()
        edit(&configuration)
        return SpanMetrics(configuration, name: "red", clock: clock)
    }

    @Test func countsByServiceNameKindAndStatus() throws {
        let clock = HandClock()
        let metrics = Self.metrics(clock)
        let failed = { (span: inout SpanData) in
            span.status = SpanStatus(code: .error)
            span.kind = .server
        }
        let first = batch([span(1, 1, milliseconds: 3), span(1, 2, milliseconds: 70), span(2, 3, failed)], ticket: 7)
        let output = metrics.take([first, batch([span(3, 4)], service: "stock")], at: 1)
        #expect(output.batches.map(\.bytes)[0] == first.bytes && output.batches[0].ticket == 7)
        #expect(output.derived.isEmpty && metrics.wakeAt == 16_000_000_000 && metrics.oldestHeld == nil)
        clock.unix += 15 * second
        let told = metrics.tick(at: 16)
        #expect(told.derived.count == 2)
        for batch in told.derived {
            try batch.checkIndex()
            #expect(batch.signal == .metrics && batch.ticket == 0)
        }
        #expect(
            try told.derived.map { try $0.decodedResource().attributes }
                == [[Attribute("service.name", "shop")], [Attribute("service.name", "stock")]])
        let calls = try told.derived.points(Self.calls)
        #expect(calls.map(\.value) == [2, 1, 1])
        #expect(
            calls[1].attributes == [
                Attribute("service.name", "shop"), Attribute("span.name", "work"),
                Attribute("span.kind", "SPAN_KIND_SERVER"), Attribute("status.code", "STATUS_CODE_ERROR"),
            ])
        #expect(calls[0].instrument.type == .counter && calls[0].instrument.isInteger)
        #expect(calls[0].startTime == clock.unix - 15 * second && calls[0].time == clock.unix)
        let durations = try told.derived.points(Self.duration)
        #expect(durations[0].value == 73 && durations[0].attributes == calls[0].attributes)
        let histogram = try #require(durations[0].histogram)
        #expect(histogram.count == 2 && histogram.min == 3 && histogram.max == 70)
        #expect(histogram.bounds == [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000])
        #expect(histogram.bucketCounts == [0, 1, 0, 0, 0, 0, 1] + Array(repeating: 0, count: 10))
        // It goes on counting from there.
        #expect(metrics.wakeAt == 31_000_000_000)
        _ = metrics.take([batch([span(1, 5)])], at: 17)
        #expect(try metrics.tick(at: 31).derived.points(Self.calls).map(\.value) == [3, 1, 1])
        #expect(metrics.counts.isBalanced && metrics.counts.passed[.traces] == 5)
    }

    @Test func theEndTellsWhatWasCounted() throws {
        let metrics = Self.metrics()
        #expect(metrics.end(at: 1).derived.isEmpty)
        _ = metrics.take([batch([span(1, 1)])], at: 1)
        #expect(try metrics.end(at: 2).derived.points(Self.calls).map(\.value) == [1])
    }

    @Test func attributesAreTheSpansOrTheResources() throws {
        let metrics = Self.metrics { $0.attributes = ["http.route", "service.name", "zone"] }
        var spans = [span(1, 1), span(1, 2), span(1, 3)]
        spans[0].attributes = [Attribute("http.route", "/a"), Attribute("zone", 5), Attribute("other", 1)]
        spans[1].attributes = [Attribute("http.route", "/b")]
        var resource = Resource(attributes: [Attribute("service.name", "shop"), Attribute("zone", "eu")])
        resource.schemaURL = "x"
        _ = metrics.take([Batch(spans, resource: resource)], at: 0)
        let calls = try metrics.tick(at: 15).derived.points(Self.calls)
        #expect(calls.map { $0.text("http.route") } == ["/a", "/b", nil])
        #expect(calls.allSatisfy { $0.attributes.count { $0.key == "service.name" } == 1 })
        #expect(calls.map { $0.attributes.first { $0.key == "zone" }?.value } == [5, "eu", "eu"])
    }

    @Test func whatThereIsNoRoomForOverflows() throws {
        let metrics = Self.metrics { $0.seriesMax = 2 }
        let spans = (1...5 as ClosedRange<UInt64>).map { id in span(1, id) { $0.name = "n\(id)" } }
        _ = metrics.take([batch(spans + [span(1, 6) { $0.name = String(repeating: "n", count: 3_000) }])], at: 0)
        let derived = metrics.tick(at: 15).derived
        let calls = try derived.points(Self.calls)
        #expect(calls.map(\.value).sorted() == [1, 1, 4])
        let overflow = try #require(calls.first { $0.value == 4 })
        #expect(overflow.attributes == [Attribute("otel.metric.overflow", true)])
        #expect(metrics.counts.details == ["overflow": 4] && metrics.seriesCount == 2)
    }

    /// Metrics are told as a whole: what one bad span says may not spoil them.
    @Test func whatNoDecoderWouldTakeMakesNoSeries() throws {
        let metrics = Self.metrics { $0.attributes = ["list", "ok"] }
        var one = batch([
            span(1, 1) { $0.name = "abcdef" }, span(1, 2) { $0.attributes = [Attribute("list", .array([1]))] },
            span(1, 3) { $0.attributes = [Attribute("ok", true)] },
        ])
        let name = try #require(one.bytes.firstRange(of: Array("abcdef".utf8)))
        one.bytes[name.lowerBound + 2] = 0xFF
        _ = metrics.take([one], at: 0)
        let calls = try metrics.tick(at: 15).derived.points(Self.calls)
        #expect(calls.map { $0.text("span.name") } == [nil, "work"] && calls.map(\.value) == [2, 1])
        #expect(metrics.counts.details == ["overflow": 2])
    }

    @Test func seriesThatCountNothingAreRemoved() throws {
        let clock = HandClock()
        let metrics = Self.metrics(clock) { $0.idleNanoseconds = 40 * second }
        _ = metrics.take([batch([span(1, 1) { $0.name = "a" }, span(1, 2) { $0.name = "b" }])], at: 0)
        _ = metrics.tick(at: 15)
        _ = metrics.take([batch([span(1, 3) { $0.name = "b" }])], at: 20)
        #expect(try metrics.tick(at: 45).derived.points(Self.calls).map { $0.text("span.name") } == ["b"])
        #expect(metrics.counts.details == ["idle_series": 1])
        // One that comes back begins anew, and says since when.
        clock.unix += 50 * second
        _ = metrics.take([batch([span(1, 4) { $0.name = "a" }])], at: 50)
        let again = try #require(
            try metrics.tick(at: 60).derived.points(Self.calls).first { $0.text("span.name") == "a" })
        #expect(again.value == 1 && again.startTime == clock.unix)
        #expect(metrics.tick(at: 500).derived.isEmpty)
        #expect(metrics.wakeAt == nil && metrics.seriesCount == 0)
    }

    /// The exemplars of a point of a histogram, by what its fields say.
    private static func exemplars(_ batch: Batch, histogram: UInt32, field: UInt32) -> [(trace: [UInt8], value: Double)]
    {
        var found: [(trace: [UInt8], value: Double)] = []
        batch.bytes.withUnsafeBytes { bytes in
            func messages(_ fields: FieldCursor, _ number: UInt32) -> [FieldCursor] {
                var fields = fields
                var messages: [FieldCursor] = []
                while fields.next() { if fields.number == number { messages.append(fields.message) } }
                return messages
            }
            for item in batch.items {
                let frame = bytes[Int(item.offset)..<Int(item.offset + item.length)]
                let metric = FieldCursor.item(UnsafeRawBufferPointer(rebasing: frame))!
                let points = messages(metric, histogram).flatMap { messages($0, 1) }
                for var exemplar in points.flatMap({ messages($0, field) }) {
                    var one: (trace: [UInt8], value: Double) = ([], 0)
                    while exemplar.next() {
                        if exemplar.number == 5 { one.trace = Array(exemplar.bytes(exemplar.value)) }
                        if exemplar.number == 3 { one.value = Double(bitPattern: exemplar.fixed64Value) }
                    }
                    found.append(one)
                }
            }
        }
        return found
    }

    @Test func exemplarsAreTheLastOfEachBucketAndToldOnce() throws {
        let metrics = Self.metrics()
        _ = metrics.take([batch([span(1, 1), span(2, 2), span(3, 3, milliseconds: 3_000)])], at: 0)
        let told = metrics.tick(at: 15).derived[0]
        let exemplars = Self.exemplars(told, histogram: 9, field: 8)
        #expect(exemplars.map(\.trace) == [traceID(2).bytes, traceID(3).bytes])
        #expect(exemplars.map(\.value) == [1, 3_000])
        #expect(Self.exemplars(metrics.tick(at: 30).derived[0], histogram: 9, field: 8).isEmpty)
        let without = Self.metrics { $0.exemplars = false }
        _ = without.take([batch([span(1, 1)])], at: 0)
        #expect(Self.exemplars(without.tick(at: 15).derived[0], histogram: 9, field: 8).isEmpty)
    }

    @Test func anExponentialHistogramIsToldAsOne() throws {
        let metrics = Self.metrics { $0.histogram = .exponential }
        _ = metrics.take([batch((1...20).map { span($0, $0, milliseconds: $0) })], at: 0)
        let told = metrics.tick(at: 15).derived[0]
        try told.checkIndex()
        #expect(Self.exemplars(told, histogram: 10, field: 11).count == 8)
        #expect(try told.metric(at: 1).unsupportedPoints == 1)
    }

    /// Every value is in the bucket whose bounds are around it, whatever the scale has become.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func exponentialBucketsHoldWhatTheyShould(seed: UInt64) {
        var generator = Generator(seed: seed)
        var histogram = LatencyHistogram(.exponential)
        var values: [Double] = []
        let spread = generator.pick([0.01, 1, 8, 50])
        for _ in 0..<500 {
            var value = Foundation.exp2(Double(generator.bits() % 1_000_000) / 1e6 * spread - spread / 2)
            if generator.chance(10) { value = Foundation.exp2((value * 4).exponent > 0 ? 3 : -2) }
            if generator.chance(5) { value = 0 }
            values.append(value)
            histogram.add(value, .exponential)
        }
        let (scale, offset, counts, zeros) = histogram.exponential
        #expect(counts.count <= HistogramShape.exponentialBucketsMax)
        #expect(Int(zeros) == values.count { $0 == 0 })
        func bound(_ index: Int) -> Double { Foundation.exp2(Double(index) * Foundation.exp2(-Double(scale))) }
        for (place, count) in counts.enumerated() {
            // With a little room: at the bounds themselves powers are not exact.
            let low = bound(Int(offset) + place)
            let high = bound(Int(offset) + place + 1)
            let least = values.count { $0 > low * (1 + 1e-9) && $0 < high * (1 - 1e-9) }
            let most = values.count { $0 > low * (1 - 1e-9) && $0 < high * (1 + 1e-9) }
            #expect((least...most).contains(Int(count)), "seed \(seed), scale \(scale), bucket \(place)")
        }
        #expect(counts.reduce(zeros, +) == 500)
    }

    @Test func powersOfTwoAreUpperBounds() {
        for (value, scale, index) in [
            (1.0, 0, -1), (2, 0, 0), (4, 0, 1), (0.25, 0, -3), (2, 3, 7), (4, -1, 0), (1, -1, -1), (8, -1, 1),
        ]
            as [(Double, Int32, Int32)]
        {
            #expect(LatencyHistogram.index(value, scale) == index, "\(value) at \(scale)")
        }
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func damagedBatchesPass(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let metrics = Self.metrics {
            $0.seriesMax = 50
            $0.attributes = ["kept", "http.route"]
            $0.histogram = seed == 1 ? .exponential : .explicit
        }
        let graph = ServiceGraph(ServiceGraphConfiguration(), name: "graph", clock: HandClock())
        var (received, now) = (0, 0.0)
        for _ in 0..<1_000 {
            var batch = generator.batch(generator.pick(Signal.allCases))
            for _ in 0..<generator.below(4) { mutate(&batch.bytes, &generator) }
            if generator.chance(20) { mutate(&batch.resource, &generator) }
            if generator.chance(10), !batch.items.isEmpty {
                let index = generator.below(batch.items.count)
                batch.items[index].offset = UInt32(generator.below(batch.bytes.count + 10))
                batch.items[index].kind = UInt8(generator.below(256))
                batch.items[index].status = UInt8(generator.below(256))
            }
            received += batch.items.count
            now += 0.1
            for processor in [metrics, graph] as [any StatefulProcessor] {
                let output = processor.take([batch], at: now)
                #expect(output.batches.map(\.bytes) == [batch.bytes])
                for batch in output.derived { try batch.checkIndex() }
                #expect(processor.counts.isBalanced)
            }
        }
        #expect(metrics.counts.received.values.reduce(0, +) == received)
        #expect(metrics.seriesCount <= 50)
    }
}
