// A backend of swift-metrics, <https://github.com/apple/swift-metrics>. It keeps what is recorded as OpenTelemetry's SDK would, cumulative, and gives it as
// Prometheus text, OpenMetrics or an OTLP request; the agent's own components use it, and Swift programs may.
//
// A value that is recorded costs an atomic addition (counters and meters) or a short lock (timers and recorders), no memory and no look-up: handlers are made once
// and kept by those who record.

public import CoreMetrics
internal import Exposition
internal import Synchronization
package import Telemetry
internal import Wire

/// `MetricsSystem.bootstrap(SidelightMetrics(service: "shop"))`, or given to single metrics as their factory. Any thread.
public final class SidelightMetrics: MetricsFactory {
    /// Metrics by label and dimensions; further ones record nothing, and are counted.
    public static let metricsMax = 10_000
    /// Seconds: OpenTelemetry's bounds for durations.
    public static let durationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    /// The SDK's standard bounds, <https://opentelemetry.io/docs/specs/otel/metrics/sdk/#explicit-bucket-histogram-aggregation>.
    public static let valueBounds: [Double] = [
        0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000,
    ]

    struct Key: Hashable {
        let label: String
        let dimensions: [Dimension]
        let kind: MetricKind
    }

    struct Dimension: Hashable {
        let name: String
        let value: String
    }

    private struct Entry {
        let handler: any RecordedMetric
        /// How often it was asked for and not given back.
        var uses: Int
    }

    private struct State {
        var metrics: [Key: Entry] = [:]
        var leftOut: UInt64 = 0
    }

    private let state = Mutex(State())
    private let resource: Resource
    private let descriptions: [String: String]
    private let startTime: UInt64
    private let time: @Sendable () -> UInt64
    private static let scope = InstrumentationScope(name: "swift-metrics")

    /// - Parameters:
    ///   - service: `service.name` of what is pushed, and of `target_info`.
    ///   - attributes: More of the resource.
    ///   - descriptions: What metrics are, by their labels, for the page's HELP lines.
    ///   - time: Nanoseconds since 1970.
    public init(
        service: String, attributes: [String: String] = [:], descriptions: [String: String] = [:],
        time: @escaping @Sendable () -> UInt64 = systemTime
    ) {
        resource = Resource(
            attributes: [Attribute("service.name", .string(service))]
                + attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, .string($0.value)) })
        self.descriptions = descriptions
        self.time = time
        startTime = time()
    }

    /// Metrics that there was no room for.
    public var leftOut: UInt64 { state.withLock { $0.leftOut } }

    // MARK: what was recorded

    /// A page for Prometheus, and its content type: text, OpenMetrics or protobuf, by what the scraper's header `Accept` says.
    public func page(accept: String? = nil) -> (contentType: String, body: [UInt8]) {
        let format = ExpositionFormat(accept: accept)
        var table = MetricTable(resource: resource)
        table.take(batch, source: .own("swift-metrics"), now: 0)
        table.sweep(now: 0)
        return (format.contentType, table.page(format))
    }

    /// The body of an OTLP request, `application/x-protobuf` for `/v1/metrics`. Nil: nothing was recorded.
    public func otlpRequest() -> [UInt8]? {
        let batch = batch
        return batch.isEmpty ? nil : OTLP.exportRequest(batches: [batch])
    }

    private var batch: Batch { Batch(points(), resource: resource, scope: Self.scope) }

    /// The points of every metric, in the order of their names.
    package func points() -> [MetricPoint] {
        let now = time()
        let metrics = state.withLock { $0.metrics }
        return metrics.sorted { $0.key.label < $1.key.label }.map { key, entry in
            var point = MetricPoint(
                instrument: MetricPoint.Instrument(
                    name: key.label, description: descriptions[key.label] ?? "", type: .gauge),
                attributes: key.dimensions.map { Attribute($0.name, .string($0.value)) }, startTime: startTime,
                time: now,
                value: 0)
            entry.handler.fill(&point)
            return point
        }
    }

    // MARK: MetricsFactory

    /// The one of this label and these dimensions; what comes beyond `metricsMax` records where nobody looks.
    private func metric<Handler: RecordedMetric>(
        _ label: String, _ dimensions: [(String, String)], _ make: () -> Handler
    ) -> Handler {
        let key = Key(
            label: label,
            dimensions: dimensions.map { Dimension(name: $0.0, value: $0.1) }.sorted { $0.name < $1.name },
            kind: Handler.kind)
        return state.withLock { state in
            if let known = state.metrics[key], let handler = known.handler as? Handler {
                state.metrics[key]?.uses += 1
                return handler
            }
            let handler = make()
            if state.metrics.count < Self.metricsMax {
                state.metrics[key] = Entry(handler: handler, uses: 1)
            } else {
                state.leftOut += 1
            }
            return handler
        }
    }

    private func giveBack(_ handler: AnyObject) {
        state.withLock { state in
            guard let key = state.metrics.first(where: { $0.value.handler === handler })?.key else { return }
            state.metrics[key]?.uses -= 1
            if state.metrics[key]?.uses == 0 { state.metrics[key] = nil }
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        metric(label, dimensions) { RecordedCounter() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        metric(label, dimensions) { RecordedSum() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        metric(label, dimensions) { RecordedGauge() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return metric(label, dimensions) { RecordedGauge() } }
        return metric(label, dimensions) { RecordedDistribution(bounds: Self.valueBounds) }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        metric(label, dimensions) { RecordedTimer(bounds: Self.durationBounds) }
    }

    public func destroyCounter(_ handler: any CounterHandler) { giveBack(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { giveBack(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { giveBack(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { giveBack(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { giveBack(handler) }
}
