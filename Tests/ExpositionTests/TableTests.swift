import Telemetry
import Testing
import Wire

@testable import Exposition

@Suite struct TableTests {
    private func gauge(_ name: String, _ value: Double, _ attributes: Attributes = [], time: UInt64 = 2) -> [UInt8] {
        metric(name, .gauge, [TestPoint(value: value, attributes: attributes, time: time)])
    }

    private func counter(_ name: String, _ value: Double, time: UInt64 = 2, temporality: UInt64 = 2) -> [UInt8] {
        metric(name, .sum, [TestPoint(value: value, time: time)], temporality: temporality)
    }

    private func values(_ table: inout MetricTable, now: UInt64 = 0) -> [String] {
        table.samples(now: now).map { $0.prefix { $0 != "{" && $0 != " " } + " " + $0.split(separator: " ").last! }
    }

    // MARK: Over time

    @Test func theLatestPointCountsWhateverTheOrder() {
        var table = table()
        for (value, time) in [(1.0, UInt64(10)), (3, 30), (2, 20)] {
            table.take(Sender().batch([gauge("g", value, time: time)]), source: .received, now: 0)
        }
        #expect(values(&table) == ["g 3"])
        #expect(table.dropped(.old) == 1)
    }

    @Test func deltasAreAddedUpAndOneThatComesTwiceCountsOnce() {
        var table = table()
        for (value, time) in [(5.0, UInt64(10)), (7, 20), (7, 20), (1, 30)] {
            table.take(Sender().batch([counter("c", value, time: time, temporality: 1)]), source: .received, now: 0)
        }
        #expect(values(&table) == ["c_total 13"])
        func histogram(_ time: UInt64) -> [UInt8] {
            metric("h", .histogram, [TestPoint(time: time, bounds: [1], counts: [1, 2], sum: 3)], temporality: 1)
        }
        for time in [UInt64(1), 2] { table.take(Sender().batch([histogram(time)]), source: .received, now: 0) }
        #expect(values(&table).suffix(4) == ["h_bucket 2", "h_bucket 6", "h_count 6", "h_sum 6"])
    }

    @Test func deltasOfExponentialHistogramsOfOtherScalesAreAddedUp() {
        var table = table()
        func point(_ scale: Int32, _ offset: Int32, _ counts: [UInt64], _ time: UInt64) -> [UInt8] {
            var point = TestPoint(time: time, sum: 1, scale: scale)
            point.positive = Prometheus.Buckets(offset: offset, counts: counts)
            return metric("e", .exponential, [point], temporality: 1)
        }
        // (1, 2^½] and (2^½, 2]; then (2, 4].
        table.take(Sender().batch([point(1, 0, [3, 4], 1)]), source: .received, now: 0)
        table.take(Sender().batch([point(0, 1, [5], 2)]), source: .received, now: 0)
        #expect(
            values(&table) == ["e_bucket 7", "e_bucket 12", "e_bucket 12", "e_count 12", "e_sum 2"])
    }

    @Test func whatNobodySaysAnyMoreIsGoneAfterAWhile() {
        var table = table()
        let minutes: UInt64 = 60_000_000_000
        table.take(Sender().batch([gauge("a", 1), gauge("b", 1)]), source: .received, now: 0)
        table.take(Sender().batch([gauge("b", 2, time: 3)]), source: .received, now: 4 * minutes)
        #expect(values(&table, now: 5 * minutes) == ["a 1", "b 2"])
        #expect(values(&table, now: 5 * minutes + 1) == ["b 2"])
        #expect(table.seriesCount == 1)
        table.take(Sender().batch([gauge("a", 5, time: 9)]), source: .received, now: 6 * minutes)
        #expect(values(&table, now: 6 * minutes) == ["a 5", "b 2"])
        #expect(values(&table, now: 60 * minutes) == [])
        #expect(table.families.isEmpty && table.targets.count == 1)
        let whole = String(decoding: table.page(ExpositionFormat(.openMetrics)), as: UTF8.self)
        #expect(!whole.contains("shop"))
    }

    @Test func aPointWithNothingRecordedEndsItsSeries() {
        var table = table()
        table.take(Sender().batch([gauge("a", 1), gauge("b", 1)]), source: .received, now: 0)
        table.take(Sender().batch([metric("a", .gauge, [TestPoint(flags: 1)])]), source: .received, now: 0)
        #expect(values(&table) == ["b 1"])
    }

    @Test func whatAnOwnSourceDoesNotSayAnyMoreIsGoneAtOnce() {
        var table = table()
        table.take(Sender().batch([gauge("a", 1), gauge("b", 1)]), source: .own("x"), now: 0)
        table.take(Sender().batch([gauge("c", 1)]), source: .own("y"), now: 0)
        table.take(Sender().batch([gauge("b", 2, time: 1)]), source: .own("x"), now: 0)
        #expect(values(&table) == ["b 2", "c 1"])
        for _ in 0..<10 {
            table.take(Sender().batch([gauge("a", 7)]), source: .own("x"), now: 0)
            #expect(values(&table) == ["a 7", "c 1"])
        }
    }

    // MARK: Isolates

    @Test func isolatesAreAddedUpAndNothingThatCountsGoesBack() {
        var table = table()
        func say(_ isolate: UInt64, _ value: Double) {
            let batch = Sender().batch([
                counter("orders", value), gauge("depth", value),
                metric("open", .sum, [TestPoint(value: value)], isMonotonic: false),
                metric("lat", .histogram, [TestPoint(bounds: [1], counts: [UInt64(value), 1], sum: value)]),
            ])
            table.take(batch, source: .isolate(isolate), now: 0)
        }
        say(1, 10)
        say(2, 5)
        let whole = [
            "depth 5", "lat_bucket 15", "lat_bucket 17", "lat_count 17", "lat_sum 15", "open 15", "orders_total 15",
        ]
        #expect(values(&table) == whole)
        table.ended(isolate: 1)
        #expect(
            values(&table) == [
                "depth 5", "lat_bucket 15", "lat_bucket 17", "lat_count 17", "lat_sum 15", "open 5", "orders_total 15",
            ])
        // In its place another begins at nothing.
        say(3, 1)
        #expect(values(&table).last == "orders_total 16")
        table.ended(isolate: 2)
        table.ended(isolate: 3)
        #expect(
            values(&table, now: 1 << 60) == [
                "lat_bucket 16", "lat_bucket 19", "lat_count 19", "lat_sum 16", "orders_total 16",
            ])
        #expect(table.samples()[0].hasPrefix(#"lat_bucket{otel_scope_name="cart",le="1"}"#))
    }

    @Test func sumsInAnotherOrderDoNotGoBackByTheirLastDigits() {
        var table = table()
        let parts = [0.1, 0.2, 0.3]
        for (isolate, value) in parts.enumerated() {
            table.take(Sender().batch([counter("s", value)]), source: .isolate(UInt64(isolate)), now: 0)
        }
        var last = 0.0
        for isolate in [2, 1, 0] {
            let value = Double(table.samples()[0].split(separator: " ").last!)!
            #expect(value >= last)
            last = value
            table.ended(isolate: UInt64(isolate))
        }
        #expect(Double(table.samples()[0].split(separator: " ").last!)! >= last)
    }

    // MARK: Bounds

    @Test func furtherSeriesAreLeftOutAndCounted() {
        var limits = ExpositionLimits()
        limits.seriesMax = 10
        limits.metricSeriesMax = 4
        var table = table(limits)
        for name in ["a", "b", "c"] {
            let points = (0..<6).map { TestPoint(attributes: [Attribute("i", .int(Int64($0)))]) }
            table.take(Sender().batch([metric(name, .gauge, points)]), source: .received, now: 0)
        }
        #expect(table.samples().count == 10)
        #expect(table.dropped(.metricFull) == 4 && table.dropped(.full) == 4)
        // Those that are known go on.
        table.take(
            Sender().batch([metric("a", .gauge, [TestPoint(value: 9, attributes: [Attribute("i", 0)])])]),
            source: .received, now: 0)
        #expect(table.samples()[0].hasSuffix(" 9"))
        // There is room again when others are gone.
        let later = limits.staleNanoseconds * 2
        #expect(table.samples(now: later).isEmpty)
        table.take(Sender().batch([gauge("d", 1)]), source: .received, now: later)
        #expect(table.samples(now: later).count == 1)
    }

    @Test func aFullPageHasRoomForWhatTheProcessSaysOfItself() {
        var limits = ExpositionLimits()
        (limits.seriesMax, limits.metricsMax, limits.bytesMax, limits.ownMax) = (5, 5, 10_000, 2)
        var table = table(limits)
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            table.take(Sender().batch([gauge(name, 1)]), source: .received, now: 0)
        }
        #expect(table.samples().count == 5)
        table.take(Sender().batch([gauge("x", 1), gauge("y", 2), gauge("z", 3)]), source: .own("x"), now: 0)
        table.take(Sender().batch([gauge("w", 1)]), source: .isolate(1), now: 0)
        #expect(values(&table).suffix(2) == ["x 1", "y 2"])
        #expect(table.seriesCount == 7)
    }

    @Test func memoryHasABound() {
        var limits = ExpositionLimits()
        limits.bytesMax = 100_000
        var table = table(limits)
        for index in 0..<100 {
            let value = String(repeating: "x", count: 4_000) + "\(index)"
            table.take(Sender().batch([gauge("a", 1, [Attribute("k", .string(value))])]), source: .received, now: 0)
        }
        #expect(table.bytes <= limits.bytesMax && table.seriesCount < 20)
        table.take(
            Sender().batch([gauge("b", 1, [Attribute("k", .string(String(repeating: "x", count: 9_000)))])]),
            source: .received, now: 0)
        #expect(table.dropped(.tooLarge) == 1)
        #expect(table.dropped(.full) == 100 - UInt64(table.seriesCount))
    }

    @Test func manyTargetsHaveABound() {
        var limits = ExpositionLimits()
        limits.targetsMax = 5
        var table = table(limits)
        for index in 0..<9 {
            var sender = Sender()
            sender.resource = Resource(attributes: [Attribute("service.instance.id", .int(Int64(index)))])
            table.take(sender.batch([gauge("g", 1)]), source: .received, now: 0)
        }
        #expect(table.targets.count == 5 && table.dropped(.full) == 5)
    }

    // MARK: Conflicts

    @Test func aNameHasOneTypeAndNoLineTwoMeanings() {
        var table = table()
        table.take(
            Sender().batch([
                counter("a", 1), gauge("a", 1), gauge("a_total", 1), gauge("h_count", 1),
                metric("h", .histogram, [TestPoint(bounds: [1], counts: [1, 1])]), gauge("target_info", 1),
                metric("a", .summary, [TestPoint()]), gauge("a_created", 1),
            ]), source: .received, now: 0)
        #expect(values(&table) == ["a_total 1", "h_count 1"])
        #expect(table.dropped(.conflict) == 6)
    }

    @Test func namesAndLabelsThatBecomeOneAreOneSeries() {
        var table = table()
        table.take(
            Sender().batch([
                gauge("a.b", 1, [Attribute("k.x", "1")]), gauge("a_b", 2, [Attribute("k_x", "1")], time: 3),
            ]),
            source: .received, now: 0)
        #expect(values(&table) == ["a_b 2"])
    }

    @Test func nobodyElseWritesTheAgentsOwnSeries() {
        var table = table()
        let mine = MetricPoint(
            instrument: MetricPoint.Instrument(name: "mine", type: .counter), startTime: 0, time: 1, value: 1)
        table.take(Batch([mine], resource: Resource()), source: .own("x"), now: 0)
        var nobody = Sender()
        nobody.resource = Resource()
        nobody.scope = InstrumentationScope()
        table.take(nobody.batch([counter("mine", 99)]), source: .received, now: 0)
        #expect(table.samples() == ["mine_total 1"])
        #expect(table.dropped(.conflict) == 1)
    }

    @Test func aNameThatTheProcessNeedsIsNobodyElses() {
        var table = table()
        table.take(Sender().batch([gauge("mine_total", 99), gauge("theirs", 1)]), source: .received, now: 0)
        #expect(values(&table) == ["mine_total 99", "theirs 1"])
        let mine = MetricPoint(
            instrument: MetricPoint.Instrument(name: "mine", type: .counter), startTime: 0, time: 1, value: 1)
        table.take(Batch([mine], resource: Resource()), source: .own("x"), now: 0)
        table.take(Sender().batch([gauge("mine_total", 99, time: 9)]), source: .received, now: 0)
        #expect(values(&table) == ["mine_total 1", "theirs 1"])
        #expect(table.dropped(.conflict) == 1)
    }

    @Test func whatCannotBeIsLeftOut() {
        var table = table()
        var wide = TestPoint()
        wide.positive = Prometheus.Buckets(offset: .max, counts: [1, 1])
        table.take(
            Sender().batch([
                metric("a", .histogram, [TestPoint(bounds: [2, 1], counts: [1, 1, 1])]),
                metric("b", .histogram, [TestPoint(bounds: [.nan], counts: [1, 1])]),
                metric("c", .histogram, [TestPoint(bounds: [1], counts: [1])]),
                metric("d", .sum, [TestPoint()], temporality: 0),
                metric("e", .exponential, [wide]),
                metric("f", .summary, [TestPoint(quantiles: [(2, 1)])]),
                metric("ü", .gauge, [TestPoint()]),
                [0xFF, 0xFF],
                metric("ok", .histogram, [TestPoint(bounds: [1, .infinity], counts: [1, 1, 1])]),
            ]), source: .received, now: 0)
        #expect(table.dropped(.malformed) == 8)
        #expect(values(&table) == ["ok_bucket 1", "ok_bucket 3", "ok_count 3"])
    }

    @Test func aHistogramsCountIsTheSumOfItsBuckets() {
        var table = table()
        var point = TestPoint(bounds: [1], counts: [.max, 5])
        point.count = 1
        table.take(Sender().batch([metric("h", .histogram, [point])]), source: .received, now: 0)
        #expect(
            values(&table) == [
                "h_bucket 18446744073709551615", "h_bucket 18446744073709551615", "h_count 18446744073709551615",
            ])
    }

    @Test func theLatestExemplarOfEachBucketIsKept() {
        var table = table()
        func point(_ exemplars: [(Double, UInt64)]) -> [UInt8] {
            metric("h", .histogram, [TestPoint(exemplars: exemplars, bounds: [1, 2], counts: [9, 9, 9])])
        }
        table.take(Sender().batch([point([(0.1, 1), (1.5, 2), (9, 3)])]), source: .received, now: 0)
        table.take(Sender().batch([point([(0.9, 4)])]), source: .received, now: 0)
        table.take(Sender().batch([point([])]), source: .received, now: 0)
        #expect(table.series[0].exemplars.map(\.value) == [0.9, 1.5, 9])
    }
}
