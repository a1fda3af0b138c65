// What boards say as metrics. Where the names come from is said in BoardMetrics.swift.

/// Sums of boards as points. Pure.
public struct BoardPoints: Sendable {
    /// When the workload was started, Unix nanoseconds.
    private let startTime: UInt64
    /// What the gauges start from.
    private var window = BoardWindow()
    /// What was ever said: its 0 is news from then on.
    private var seen: Set<String> = []

    public init(startTime: UInt64) { self.startTime = startTime }

    /// Points of everything the workload counts.
    /// - Parameters:
    ///   - total: of all workers that there ever were.
    ///   - isolates: how many live.
    ///   - time: Unix nanoseconds.
    public mutating func points(_ total: BoardSnapshot, isolates: Int, time: UInt64) -> [MetricPoint] {
        var points: [MetricPoint] = []
        for (key, histogram) in total.series.sorted(by: { $0.key.order < $1.key.order }) {
            points.append(point(key, histogram, time))
        }
        activeRequests(total, time, &points)
        counters(total, time, &points)
        collections(total, time, &points)
        spaces(total, time, &points)
        eventLoop(total, time, &points)
        points.append(
            number(
                Instrument("sidelight.isolates", "{isolate}", "Isolates that serve.", .upDownCounter), [],
                UInt64(isolates), time))
        window.add(total, time: time)
        return points
    }

    private typealias Instrument = MetricPoint.Instrument

    private func number(
        _ instrument: Instrument, _ attributes: Attributes, _ value: UInt64, _ time: UInt64
    ) -> MetricPoint {
        MetricPoint(
            instrument: instrument, attributes: attributes, startTime: startTime, time: max(time, startTime),
            value: Double(value))
    }

    private func number(
        _ instrument: Instrument, _ attributes: Attributes, _ value: Double, _ time: UInt64
    ) -> MetricPoint {
        MetricPoint(
            instrument: instrument, attributes: attributes, startTime: startTime, time: max(time, startTime),
            value: value)
    }

    // MARK: durations

    private func point(
        _ key: BoardSnapshot.SeriesKey, _ histogram: BoardSnapshot.Histogram, _ time: UInt64
    ) -> MetricPoint {
        MetricPoint(
            instrument: key.instrument, attributes: key.attributes, startTime: startTime, time: max(time, startTime),
            value: histogram.sum,
            histogram: MetricPoint.Histogram(
                count: histogram.count, min: histogram.min.isFinite ? histogram.min : .nan, max: histogram.max,
                bounds: BoardLayout.durationBounds, bucketCounts: histogram.buckets))
    }

    private mutating func activeRequests(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        let instrument = Instrument(
            "http.server.active_requests", "{request}", "Number of active HTTP server requests.", .upDownCounter)
        for (index, count) in total.active.enumerated() {
            guard count > 0 || seen.contains("active \(index)") else { continue }
            seen.insert("active \(index)")
            let attributes = [
                Attribute("http.request.method", .string(BoardMethod.names[index % BoardLayout.methods])),
                Attribute("url.scheme", index < BoardLayout.methods ? "http" : "https"),
            ]
            points.append(number(instrument, attributes, count, time))
        }
    }

    // MARK: the rest

    private mutating func counters(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        for counter in BoardCounter.allCases {
            guard let metric = counter.metric else { continue }
            let value = total[counter]
            // That none is detached is worth telling once it is known how many there are.
            let isKnown = counter == .detachedContexts && total[.nativeContexts] > 0
            guard value > 0 || isKnown || seen.contains("\(counter)") else { continue }
            seen.insert("\(counter)")
            points.append(
                metric.instrument.isInteger
                    ? number(metric.instrument, metric.attributes, value, time)
                    : number(metric.instrument, metric.attributes, Double(value) / 1e9, time))
        }
    }

    private func collections(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        let instrument = Instrument(
            "v8js.gc.duration", "s", "Garbage collection duration.", .histogram, isInteger: false)
        for kind in BoardCollection.allCases {
            let collection = total.collections[kind.rawValue]
            guard collection.count > 0 else { continue }
            var point = number(
                instrument, [Attribute("v8js.gc.type", .string(kind.label))], Double(collection.sum) / 1e9, time)
            point.histogram = MetricPoint.Histogram(
                count: collection.count, min: .nan, max: Double(collection.max) / 1e9,
                bounds: BoardLayout.collectionBounds,
                bucketCounts: collection.buckets)
            points.append(point)
        }
    }

    private func spaces(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        let figures: [(String, String, KeyPath<BoardSnapshot.Space, UInt64>)] = [
            ("v8js.memory.heap.used", "Heap Memory size allocated.", \.used),
            ("v8js.memory.heap.limit", "Total heap memory size pre-allocated.", \.size),
            ("v8js.memory.heap.space.available_size", "Heap space available size.", \.available),
            ("v8js.memory.heap.space.physical_size", "Committed size of a heap space.", \.physical),
        ]
        for (name, description, figure) in figures {
            for (space, sizes) in total.spaces.sorted(by: { $0.key < $1.key }) {
                points.append(
                    number(
                        Instrument(name, "By", description, .upDownCounter),
                        [Attribute("v8js.heap.space.name", .string(space))],
                        sizes[keyPath: figure], time))
            }
        }
    }

    /// The gauges tell of the last minute, however often and by whomever they are asked for.
    private func eventLoop(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        func gauge(_ name: String, _ unit: String, _ description: String, _ value: Double) {
            points.append(number(Instrument(name, unit, description, .gauge, isInteger: false), [], value, time))
        }
        let before = window.start(time: time)
        let active = Double(total[.loopActive] &- min(before.active, total[.loopActive]))
        let whole = active + Double(total[.loopIdle] &- min(before.idle, total[.loopIdle]))
        if whole > 0 { gauge("nodejs.eventloop.utilization", "1", "Event loop utilization.", active / whole) }
        guard let delay = DelayFigures(from: before.delay, to: total.delay) else { return }
        gauge("nodejs.eventloop.delay.min", "s", "Event loop minimum delay.", delay.quantile(0))
        gauge("nodejs.eventloop.delay.max", "s", "Event loop maximum delay.", delay.quantile(1))
        gauge("nodejs.eventloop.delay.mean", "s", "Event loop mean delay.", delay.mean)
        gauge("nodejs.eventloop.delay.stddev", "s", "Event loop standard deviation delay.", delay.deviation)
        gauge("nodejs.eventloop.delay.p50", "s", "Event loop 50 percentile delay.", delay.quantile(0.5))
        gauge("nodejs.eventloop.delay.p90", "s", "Event loop 90 percentile delay.", delay.quantile(0.9))
        gauge("nodejs.eventloop.delay.p99", "s", "Event loop 99 percentile delay.", delay.quantile(0.99))
    }
}

/// What the event loop stood at during the last minute.
struct BoardWindow: Sendable {
    struct Reading: Sendable {
        /// Unix nanoseconds.
        var time: UInt64 = 0
        var active: UInt64 = 0
        var idle: UInt64 = 0
        var delay = BoardSnapshot.Delay()
    }

    static let nanoseconds: UInt64 = 60_000_000_000
    private static let readingsMax = 60

    /// The oldest first.
    private(set) var readings: [Reading] = []

    /// What the last minute began with: the latest reading that is as old; at the beginning, nothing.
    func start(time: UInt64) -> Reading {
        readings.last { $0.time <= time && time - $0.time >= Self.nanoseconds } ?? Reading()
    }

    mutating func add(_ total: BoardSnapshot, time: UInt64) {
        let spacing = Self.nanoseconds / UInt64(Self.readingsMax - 1)
        if let last = readings.last, time < last.time &+ spacing { return }
        readings.append(Reading(time: time, active: total[.loopActive], idle: total[.loopIdle], delay: total.delay))
        // One that is as old as the window is long stays.
        while readings.count > Self.readingsMax || (readings.count > 1 && readings[1].time &+ Self.nanoseconds <= time)
        {
            readings.removeFirst()
        }
    }
}

/// Figures of the delays between two readings. Seconds; quantiles are upper bounds of buckets, so up to a quarter too large.
struct DelayFigures {
    private var buckets: [UInt64]
    private let count: UInt64
    let mean: Double
    let deviation: Double

    /// Nil when there was none.
    init?(from before: BoardSnapshot.Delay, to now: BoardSnapshot.Delay) {
        buckets = zip(now.buckets, before.buckets).map { $0 >= $1 ? $0 - $1 : 0 }
        count = buckets.reduce(0, saturatingSum)
        guard count > 0 else { return nil }
        let mean = max(0, now.sum - before.sum) / Double(count)
        let squares = max(0, now.squares - before.squares) / Double(count)
        self.mean = mean / 1e9
        deviation = max(0, squares - mean * mean).squareRoot() / 1e9
    }

    func quantile(_ part: Double) -> Double {
        let rank = max(1, (part * Double(count)).rounded(.up))
        var sum = 0.0
        for (index, bucket) in buckets.enumerated() {
            sum += Double(bucket)
            if sum >= rank { return BoardDelay.upperBound(index) / 1e9 }
        }
        return BoardDelay.upperBound(buckets.count - 1) / 1e9
    }
}

extension MetricPoint.Instrument {
    init(
        _ name: String, _ unit: String, _ description: String, _ type: InstrumentType, isInteger: Bool = true
    ) {
        self.init(name: name, unit: unit, description: description, type: type, isInteger: isInteger)
    }
}
