import Telemetry
import Wire

@testable import Exposition

/// Metrics as a sender writes them.
struct Sender {
    var resource = Resource(attributes: [
        Attribute("service.name", "shop"), Attribute("service.namespace", "eu"),
        Attribute("service.instance.id", "i-1"),
        Attribute("host.name", "h1"),
    ])
    var scope = InstrumentationScope(name: "cart")

    func batch(_ metrics: [[UInt8]]) -> Batch {
        var batch = Batch(signal: .metrics, resource: OTLP.message(resource), scopes: [OTLP.message(scope)])
        var writer = ProtobufWriter()
        for metric in metrics {
            let start = writer.count
            writer.putBytes(2, metric)
            batch.items.append(
                Batch.Item(
                    offset: UInt32(start), length: UInt32(writer.count - start), scope: 0, status: 0, kind: 0,
                    traceID: .invalid, spanID: .invalid, parentSpanID: .invalid, start: 0, end: 0))
        }
        batch.bytes = writer.takeBytes()
        return batch
    }
}

/// A data point.
struct TestPoint {
    var value = 0.0
    var attributes: Attributes = []
    var time: UInt64 = 2_000_000_000
    var start: UInt64 = 1_000_000_000
    var flags: UInt64 = 0
    var exemplars: [(value: Double, time: UInt64)] = []
    var bounds: [Double] = []
    var counts: [UInt64] = []
    var sum: Double?
    var scale: Int32 = 0
    var zeroCount: UInt64 = 0
    var positive = Prometheus.Buckets()
    var negative = Prometheus.Buckets()
    var quantiles: [(Double, Double)] = []
    var count: UInt64 = 0
}

enum TestKind: UInt32 { case gauge = 5, sum = 7, histogram = 9, exponential = 10, summary = 11 }

/// A `Metric` message.
func metric(
    _ name: String, _ kind: TestKind, _ points: [TestPoint], unit: String = "", help: String = "",
    isMonotonic: Bool = true, temporality: UInt64 = 2
) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.putString(1, name)
    writer.putString(2, help)
    writer.putString(3, unit)
    writer.message(kind.rawValue, lengthBytes: 2) { data in
        for point in points { data.message(1, lengthBytes: 2) { write(point, kind, &$0) } }
        if kind == .sum || kind == .histogram || kind == .exponential { data.putVarint(2, temporality) }
        if kind == .sum, isMonotonic { data.putVarint(3, 1) }
    }
    return writer.takeBytes()
}

private func write(_ point: TestPoint, _ kind: TestKind, _ out: inout ProtobufWriter) {
    out.putFixed64(2, point.start)
    out.putFixed64(3, point.time)
    let (attributes, flags, exemplars): (UInt32, UInt32, UInt32) =
        switch kind {
        case .gauge, .sum: (7, 8, 5)
        case .histogram: (9, 10, 8)
        case .exponential: (1, 10, 11)
        case .summary: (7, 8, 0)
        }
    OTLP.encode(attributes: point.attributes, field: attributes, into: &out)
    if point.flags != 0 { out.putVarint(flags, point.flags) }
    for exemplar in point.exemplars {
        out.message(exemplars) {
            $0.putFixed64(2, exemplar.time)
            $0.putDouble(3, exemplar.value)
            $0.putBytes(4, [UInt8](repeating: 2, count: 8))
            $0.putBytes(5, [UInt8](repeating: 1, count: 16))
        }
    }
    switch kind {
    case .gauge, .sum: out.putDouble(4, point.value)
    case .histogram:
        out.putFixed64(4, point.counts.isEmpty ? point.count : point.counts.reduce(0, &+))
        if let sum = point.sum { out.putDouble(5, sum) }
        for count in point.counts { out.putFixed64(6, count) }
        for bound in point.bounds { out.putDouble(7, bound) }
    case .exponential:
        out.putFixed64(4, point.count)
        if let sum = point.sum { out.putDouble(5, sum) }
        out.putVarint(6, UInt64(UInt32(bitPattern: point.scale << 1 ^ point.scale >> 31)))
        out.putFixed64(7, point.zeroCount)
        for (field, buckets) in [(UInt32(8), point.positive), (9, point.negative)] where !buckets.counts.isEmpty {
            out.message(field, lengthBytes: 2) {
                $0.putVarint(1, UInt64(UInt32(bitPattern: buckets.offset << 1 ^ buckets.offset >> 31)))
                for count in buckets.counts { $0.putVarint(2, count) }
            }
        }
    case .summary:
        out.putFixed64(4, point.count)
        if let sum = point.sum { out.putDouble(5, sum) }
        for (quantile, value) in point.quantiles {
            out.message(6) {
                $0.putDouble(1, quantile)
                $0.putDouble(2, value)
            }
        }
    }
}

let ownResource = Resource(attributes: [Attribute("service.name", "me"), Attribute("service.version", "1.0")])

func table(_ limits: ExpositionLimits = ExpositionLimits()) -> MetricTable {
    MetricTable(resource: ownResource, limits: limits)
}

extension MetricTable {
    /// The page without what every page has.
    mutating func lines(_ format: ExpositionFormat = ExpositionFormat(.text), now: UInt64 = 0) -> [String] {
        sweep(now: now)
        let text = String(decoding: page(format), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter {
            !$0.contains("target") && $0 != "# EOF"
        }
    }

    /// Of the lines, those that are series.
    mutating func samples(_ format: ExpositionFormat = ExpositionFormat(.text), now: UInt64 = 0) -> [String] {
        lines(format, now: now).filter { !$0.hasPrefix("#") }
    }
}
