// Boards as metrics. Names are those of the semantic conventions where there is one:
// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>, <https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics/>,
// <https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/>; the rest starts with `sidelight.`. docs/specs/board-format.md
// section 6 lists them.

/// Sums the boards of one workload, dead workers included, so that nothing that counts goes back. Pure.
public struct BoardMetrics: Sendable {
    /// What workers that are gone have left.
    private var retired = BoardSnapshot()
    /// When the workload was started, Unix nanoseconds.
    private let startTime: UInt64
    /// What the gauges of an interval start from.
    private var before = BoardSnapshot()
    /// What was ever said: its 0 is news from then on.
    private var seen: Set<String> = []

    public init(startTime: UInt64) { self.startTime = startTime }

    /// A worker is gone; this was the last its board said.
    public mutating func retire(_ snapshot: BoardSnapshot) { retired.add(snapshot.withoutGauges) }

    /// The sum of all workers so far.
    public func total(_ live: [BoardSnapshot]) -> BoardSnapshot {
        var total = retired
        for snapshot in live { total.add(snapshot) }
        return total
    }

    /// Points of everything the workload counts.
    /// - Parameters:
    ///   - live: one snapshot a living worker.
    ///   - time: Unix nanoseconds.
    public mutating func points(_ live: [BoardSnapshot], time: UInt64) -> [MetricPoint] {
        let total = total(live)
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
                UInt64(live.count), time))
        before = total
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
            guard value > 0 || seen.contains("\(counter)") else { continue }
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

    /// The gauges tell of the time since the points before.
    private func eventLoop(_ total: BoardSnapshot, _ time: UInt64, _ points: inout [MetricPoint]) {
        func gauge(_ name: String, _ unit: String, _ description: String, _ value: Double) {
            points.append(number(Instrument(name, unit, description, .gauge, isInteger: false), [], value, time))
        }
        let active = Double(total[.loopActive] - before[.loopActive])
        let whole = active + Double(total[.loopIdle] - before[.loopIdle])
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
    fileprivate init(
        _ name: String, _ unit: String, _ description: String, _ type: InstrumentType, isInteger: Bool = true
    ) {
        self.init(name: name, unit: unit, description: description, type: type, isInteger: isInteger)
    }
}

extension BoardCollection {
    public var label: String {
        switch self {
        case .minor: "minor"
        case .major: "major"
        case .incremental: "incremental"
        case .weakCallbacks: "weakcb"
        }
    }
}

extension BoardSnapshot.SeriesKey {
    /// For a fixed order.
    public var order: String {
        "\(kind.rawValue) \(isOverflow) \(route) \(host):\(port) \(method) \(status) \(errorType) \(protocolVersion) \(isHTTPS)"
    }

    fileprivate var instrument: MetricPoint.Instrument {
        switch kind {
        case .serverDuration:
            MetricPoint.Instrument(
                "http.server.request.duration", "s", "Duration of HTTP server requests.", .histogram, isInteger: false)
        case .clientDuration:
            MetricPoint.Instrument(
                "http.client.request.duration", "s", "Duration of HTTP client requests.", .histogram, isInteger: false)
        }
    }

    /// <https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute>
    public var attributes: Attributes {
        if isOverflow { return [Attribute("otel.metric.overflow", true)] }
        var attributes = [
            Attribute("http.request.method", .string(BoardMethod.names[method])),
            Attribute("url.scheme", isHTTPS ? "https" : "http"),
        ]
        if status != 0 { attributes.append(Attribute("http.response.status_code", .int(Int64(status)))) }
        if !route.isEmpty { attributes.append(Attribute("http.route", .string(route))) }
        if !host.isEmpty { attributes.append(Attribute("server.address", .string(host))) }
        if port != 0 { attributes.append(Attribute("server.port", .int(Int64(port)))) }
        if !protocolVersion.isEmpty {
            attributes.append(Attribute("network.protocol.version", .string(protocolVersion)))
        }
        if !errorType.isEmpty { attributes.append(Attribute("error.type", .string(errorType))) }
        return attributes
    }
}

extension BoardCounter {
    /// What it is called outside; of those without `isInteger` the cell holds nanoseconds and the metric seconds.
    public var metric: (instrument: MetricPoint.Instrument, attributes: Attributes)? {
        func counter(
            _ name: String, _ unit: String, _ text: String, _ attributes: Attributes = []
        ) -> (
            MetricPoint.Instrument, Attributes
        ) {
            (
                MetricPoint.Instrument(name, unit, text, isGauge ? .upDownCounter : .counter, isInteger: unit != "s"),
                attributes
            )
        }
        func closed(_ reason: AttributeValue) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "sidelight.http.server.connections.closed", "{connection}", "Connections that are over.",
                [Attribute("sidelight.reason", reason)])
        }
        func malformed(_ status: Int64) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "sidelight.http.server.malformed", "{request}", "Requests refused before the program saw them.",
                [Attribute("http.response.status_code", .int(status))])
        }
        func bytes(_ direction: AttributeValue) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "sidelight.http.server.io", "By", "Bytes on the connections.",
                [Attribute("network.io.direction", direction)])
        }
        func loop(_ state: AttributeValue) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "nodejs.eventloop.time", "s", "Cumulative duration of time the event loop has been in each state.",
                [Attribute("nodejs.eventloop.state", state)])
        }
        func scheduled(_ name: String, _ text: String) -> (MetricPoint.Instrument, Attributes) {
            counter("sidelight.scheduled.\(name)", "{run}", text)
        }
        func handshakes(resumed: Bool) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "sidelight.tls.server.handshakes", "{handshake}", "TLS handshakes that were completed.",
                [Attribute("tls.resumed", .bool(resumed))])
        }
        func failed(_ reason: AttributeValue) -> (MetricPoint.Instrument, Attributes) {
            counter(
                "sidelight.tls.server.handshake_failures", "{handshake}", "TLS handshakes that were not completed.",
                [Attribute("error.type", reason)])
        }
        return switch self {
        case .connectionsAccepted:
            counter("sidelight.http.server.connections.accepted", "{connection}", "Connections accepted.")
        case .closedByClient: closed("client")
        case .closedByServer: closed("server")
        case .closedIdle: closed("idle")
        case .closedTimeout: closed("timeout")
        case .closedMalformed: closed("malformed")
        case .closedLimit: closed("limit")
        case .closedReset: closed("reset")
        case .closedDraining: closed("draining")
        case .requests: counter("sidelight.http.server.requests", "{request}", "Requests received.")
        case .malformed400: malformed(400)
        case .malformed408: malformed(408)
        case .malformed411: malformed(411)
        case .malformed413: malformed(413)
        case .malformed414: malformed(414)
        case .malformed417: malformed(417)
        case .malformed421: malformed(421)
        case .malformed431: malformed(431)
        case .malformed501: malformed(501)
        case .malformed505: malformed(505)
        case .malformedOther: malformed(0)
        case .bytesIn: bytes("receive")
        case .bytesOut: bytes("transmit")
        case .requestsTimedOut:
            counter("sidelight.http.server.timeouts", "{request}", "Requests that took longer than they may.")
        case .requestsAbandoned:
            counter(
                "sidelight.http.server.abandoned", "{request}",
                "Requests whose client left before the response was written.")
        case .loopTurns: counter("sidelight.eventloop.turns", "{turn}", "Turns of the event loop.")
        case .loopActive: loop("active")
        case .loopIdle: loop("idle")
        case .unhandledErrors: counter("sidelight.unhandled_errors", "{error}", "Errors and rejections nobody caught.")
        case .isolateCPU: counter("sidelight.isolate.cpu.time", "s", "CPU time of the isolates' threads.")
        case .slotsFull:
            counter("sidelight.board.slots_full", "{request}", "Requests that had no place among those in flight.")
        case .seriesFull:
            counter("sidelight.board.series_full", "{observation}", "Durations that went to the overflow series.")
        case .scheduledRuns: scheduled("runs", "Runs of scheduled handlers.")
        case .scheduledFailures: scheduled("failures", "Runs of scheduled handlers that failed.")
        case .loopStalls:
            counter("sidelight.eventloop.stalls", "{turn}", "Turns of the event loop longer than 50 ms.")
        case .tlsHandshakes: handshakes(resumed: false)
        case .tlsResumptions: handshakes(resumed: true)
        case .tlsFailedProtocol: failed("protocol")
        case .tlsFailedPlaintext: failed("plaintext")
        case .tlsFailedTimeout: failed("timeout")
        case .tlsFailedClosed: failed("closed")
        case .connectionsOpen:
            counter("sidelight.http.server.connections.open", "{connection}", "Connections that are open.")
        case .timersActive: counter("sidelight.timers.active", "{timer}", "Timers that are set.")
        case .heapUsed: counter("sidelight.heap.used", "By", "Heap in use, all spaces.")
        case .heapTotal: counter("sidelight.heap.total", "By", "Heap committed, all spaces.")
        case .heapLimit: counter("sidelight.heap.limit", "By", "Largest the heaps may become.")
        case .heapExternal: counter("sidelight.heap.external", "By", "Memory outside the heap that objects of it hold.")
        case .arrayBuffers: counter("sidelight.heap.array_buffers", "By", "Memory of array buffers.")
        case .isolateWorkers: counter("sidelight.workers.active", "{worker}", "Child workers that run.")
        case .code: counter("sidelight.v8.code", "By", "Machine code and its metadata.")
        case .bytecode: counter("sidelight.v8.bytecode", "By", "Bytecode and its metadata.")
        case .externalScriptSource:
            counter("sidelight.v8.script_source", "By", "Texts of scripts outside of the heap.")
        case .globalHandles: counter("sidelight.v8.global_handles.size", "By", "Memory set aside for global handles.")
        case .globalHandlesUsed: counter("sidelight.v8.global_handles.used", "By", "Global handles in use.")
        case .nativeContexts: counter("sidelight.v8.contexts.native", "{context}", "Native contexts.")
        case .detachedContexts:
            counter("sidelight.v8.contexts.detached", "{context}", "Contexts that are detached and not yet collected.")
        case .malloced: counter("sidelight.v8.malloced", "By", "Memory that V8 has allocated outside of the heap.")
        }
    }
}
