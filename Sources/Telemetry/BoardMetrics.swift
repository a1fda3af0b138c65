// Boards as metrics. Names are those of the semantic conventions where there is one:
// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>, <https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics/>,
// <https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/>; the rest starts with `sidelight.`. docs/specs/board-format.md
// section 6 lists them.

/// Sums the boards of one workload, dead workers included, so that nothing that counts goes back. Pure.
public struct BoardMetrics: Sendable {
    /// What workers that are gone have left.
    private var retired = BoardSnapshot()
    private var figures: BoardPoints

    /// - Parameter startTime: when the workload was started, Unix nanoseconds.
    public init(startTime: UInt64) { figures = BoardPoints(startTime: startTime) }

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
        figures.points(total(live), isolates: live.count, time: time)
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

    var instrument: MetricPoint.Instrument {
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
