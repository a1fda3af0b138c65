import Foundation
import Testing

@testable import Telemetry

extension [MetricPoint] {
    fileprivate func named(_ name: String) -> [MetricPoint] { filter { $0.instrument.name == name } }
}

@Suite struct BoardMetricsTests {
    private func snapshot(requests: UInt64, open: UInt64 = 0) -> BoardSnapshot {
        var snapshot = BoardSnapshot()
        snapshot.counters[BoardCounter.requests.rawValue] = requests
        snapshot.counters[BoardCounter.connectionsOpen.rawValue] = open
        snapshot.active[1] = open
        var key = BoardSnapshot.SeriesKey(kind: .serverDuration)
        (key.method, key.status, key.route, key.protocolVersion) = (1, 200, "/", "1.1")
        var histogram = BoardSnapshot.Histogram()
        histogram.buckets[1] = requests
        (histogram.sum, histogram.min, histogram.max) = (0.01 * Double(requests), 0.01, 0.01)
        snapshot.series[key] = histogram
        return snapshot
    }

    @Test func workersAreSummedAndTheDeadAreCarriedOver() throws {
        var metrics = BoardMetrics(startTime: 100)
        let first = metrics.points([snapshot(requests: 3, open: 2), snapshot(requests: 4, open: 1)], time: 200)
        #expect(first.named("sidelight.http.server.requests").map(\.value) == [7])
        #expect(first.named("sidelight.http.server.connections.open").map(\.value) == [3])
        #expect(first.named("http.server.active_requests").map(\.value) == [3])
        metrics.retire(snapshot(requests: 5, open: 2))
        let second = metrics.points([snapshot(requests: 4)], time: 300)
        #expect(second.named("sidelight.http.server.requests").map(\.value) == [9])
        #expect(second.named("sidelight.http.server.connections.open").map(\.value) == [0])
        #expect(second.named("http.server.active_requests").map(\.value) == [0])
        let duration = try #require(second.named("http.server.request.duration").first)
        #expect(duration.histogram?.count == 9)
        #expect(duration.histogram?.bounds == BoardLayout.durationBounds)
        #expect(duration.startTime == 100 && duration.time == 300)
        #expect(duration.attributes["http.response.status_code"] == 200)
        #expect(duration.attributes["http.route"] == "/")
        #expect(second.named("sidelight.isolates").map(\.value) == [1])
    }

    @Test func loopFiguresAreOfTheLastMinute() throws {
        var metrics = BoardMetrics(startTime: 0)
        var board = BoardSnapshot()
        func put(_ counter: BoardCounter, _ value: UInt64) { board.counters[counter.rawValue] = value }
        put(.loopActive, 100)
        put(.loopIdle, 300)
        board.delay.buckets[BoardDelay.bucket(1_000_000)] = 10
        board.delay.sum = 1e7
        board.delay.squares = 1e13
        let first = metrics.points([board], time: 1)
        #expect(first.named("nodejs.eventloop.utilization").map(\.value) == [0.25])
        #expect(first.named("nodejs.eventloop.delay.mean").map(\.value) == [0.001])
        #expect(first.named("nodejs.eventloop.delay.stddev").map(\.value) == [0])
        put(.loopActive, 200)
        put(.loopIdle, 300)
        // Whoever asks in between does not change what others are told.
        let soon = metrics.points([board], time: 2)
        #expect(soon.named("nodejs.eventloop.utilization").map(\.value) == [0.4])
        #expect(soon.named("nodejs.eventloop.delay.mean").map(\.value) == [0.001])
        let second = metrics.points([board], time: 60_000_000_001)
        #expect(second.named("nodejs.eventloop.utilization").map(\.value) == [1])
        #expect(second.named("nodejs.eventloop.delay.mean").isEmpty)
        #expect(second.named("nodejs.eventloop.time").map(\.value) == [2e-7, 3e-7])
    }

    @Test func readingsOfTheLoopAreBounded() {
        var window = BoardWindow()
        var board = BoardSnapshot()
        for second in 0..<1_000 as Range<UInt64> {
            board.counters[BoardCounter.loopActive.rawValue] = second
            window.add(board, time: second * 1_000_000_000)
            window.add(board, time: second * 1_000_000_000 + 1)
        }
        #expect(window.readings.count <= 60)
        #expect((935...939).contains(window.start(time: 999_000_000_000).active))
    }

    @Test func thatNoContextIsDetachedIsToldWhenThereAreSome() {
        var metrics = BoardMetrics(startTime: 0)
        var board = BoardSnapshot()
        #expect(metrics.points([board], time: 1).named("sidelight.v8.contexts.detached").isEmpty)
        board.counters[BoardCounter.nativeContexts.rawValue] = 2
        let points = metrics.points([board], time: 2)
        #expect(points.named("sidelight.v8.contexts.native").map(\.value) == [2])
        #expect(points.named("sidelight.v8.contexts.detached").map(\.value) == [0])
    }

    @Test func delayBucketsAreAQuarterWide() {
        var last = 0
        for exponent in 10..<34 {
            for value in [1 << exponent, (1 << exponent) * 5 / 4, (1 << exponent) * 7 / 4 + 1] as [UInt64] {
                let bucket = BoardDelay.bucket(value)
                #expect(bucket >= last)
                last = bucket
                guard bucket < BoardLayout.delayBuckets - 1 else { continue }
                #expect(Double(value) < BoardDelay.upperBound(bucket))
                #expect(Double(value) * 1.26 > BoardDelay.upperBound(bucket))
            }
        }
    }

    @Test func everyCounterHasANameOfItsOwn() {
        var names: Set<String> = []
        for counter in BoardCounter.allCases {
            guard let metric = counter.metric else { continue }
            #expect(names.insert("\(metric.instrument.name) \(metric.attributes)").inserted)
        }
        #expect(names.count == BoardCounter.allCases.count)
    }

    @Test func everyCounterIsOnTheFormatsPage() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/specs/board-format.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        for counter in BoardCounter.allCases {
            let name = try #require(counter.metric?.instrument.name)
            #expect(text.contains("`\(name)`"), "\(counter)")
        }
    }

    @Test func seriesOfTheDeadAreBounded() {
        var metrics = BoardMetrics(startTime: 0)
        for generation in 0..<20 {
            var board = BoardSnapshot()
            for route in 0..<200 {
                var key = BoardSnapshot.SeriesKey(kind: .serverDuration)
                key.route = "/\(generation)/\(route)"
                board.series[key] = BoardSnapshot.Histogram(
                    sum: 1, min: 1, max: 1,
                    buckets: [1] + [UInt64](repeating: 0, count: BoardLayout.durationBuckets - 1))
            }
            metrics.retire(board)
        }
        let total = metrics.total([])
        #expect(total.series.count == BoardSnapshot.seriesMax + 1)
        #expect(total.series.values.reduce(0) { $0 + $1.count } == 4000)
    }
}
