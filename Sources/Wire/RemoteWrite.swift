// Prometheus' remote write 1.0, <https://prometheus.io/docs/specs/prw/remote_write_spec/>: the message `WriteRequest` of
// <https://github.com/prometheus/prometheus/blob/main/prompb/remote.proto>, before it is compressed. What of OTLP becomes what follows the compatibility
// specification, <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>.
//
// Points of delta temporality have no place in Prometheus and are left out: to add them up is the sender's business, who knows when it began.

public import Telemetry

public enum RemoteWrite {
    /// A `WriteRequest`. Samples of a series are in the order of their times, one for each millisecond. Metrics of which nothing could be written are
    /// skipped. Traps when a batch is not of metrics.
    /// - Parameter now: For points that have no time, nanoseconds since 1970.
    public static func encode(batches: [Batch], now: UInt64) -> EncodedItems {
        var encoder = RemoteWriteEncoder(now: now)
        for batch in batches {
            precondition(batch.signal == .metrics, "a batch of \(batch.signal) for Prometheus")
            encoder.put(batch)
        }
        return encoder.finish()
    }
}

/// Gathers series out of batches.
struct RemoteWriteEncoder {
    /// `MetricMetadata.MetricType`.
    private enum MetricType: UInt64 { case counter = 1, gauge = 2, histogram = 3, summary = 5 }

    private struct Series {
        var labels: PrometheusLabels
        /// Milliseconds since 1970, and an encoded `Sample` or `Histogram`.
        var samples: [(time: Int64, value: Double)] = []
        var histograms: [(time: Int64, message: [UInt8])] = []
        var exemplars: [(time: Int64, message: [UInt8])] = []
    }

    private struct Family: Hashable {
        var name: String
        var type: UInt64
        var help: String
        var unit: String
    }

    /// Prometheus' value for "there is no more": one NaN of many.
    private static let stale = Double(bitPattern: 0x7FF0_0000_0000_0002)

    private let now: UInt64
    private var series: [Series] = []
    private var seriesOfLabels: [PrometheusLabels: Int] = [:]
    private var families: [Family] = []
    private var knownFamilies: Set<String> = []
    private var items = 0
    private var skipped = 0

    init(now: UInt64) { self.now = now }

    // MARK: In

    mutating func put(_ batch: Batch) {
        guard let resource = try? batch.decodedResource(), let scopes = try? batch.decodedScopes() else {
            return skipped += batch.items.count
        }
        let target = PrometheusLabels(target: resource)
        let scopeLabels = scopes.map { PrometheusLabels($0) }
        var last: UInt64 = 0
        for index in batch.items.indices {
            let scope = Int(batch.items[index].scope)
            var (metric, points) = (Prometheus.Metric(), [Prometheus.Point]())
            let isWhole: Void? = try? batch.withMessage(at: index) { (reader) throws(DecodeError) in
                try Prometheus.decode(reader) { one, point in
                    metric = one
                    points.append(point)
                }
            }
            guard isWhole != nil, scope < scopes.count else {
                skipped += 1
                continue
            }
            var common = target
            common.add(scopeLabels[scope])
            if put(metric, points, common) {
                items += 1
                last = max(last, points.reduce(0) { max($0, $1.time) })
            } else {
                skipped += 1
            }
        }
        if last > 0 { putTarget(resource, target, last) }
    }

    /// The rest of what is known of the resource, as labels of a series of its own.
    private mutating func putTarget(_ resource: Resource, _ target: PrometheusLabels, _ time: UInt64) {
        var labels = target
        labels.add(PrometheusLabels(rest: resource))
        guard !target.pairs.isEmpty, labels != target else { return }
        putFamily("target_info", .gauge, Prometheus.Metric(description: "Target metadata"))
        put(labels.setting("__name__", "target_info"), milliseconds(time), 1)
    }

    /// False: nothing of it could be written.
    private mutating func put(
        _ metric: Prometheus.Metric, _ points: [Prometheus.Point], _ common: PrometheusLabels
    ) -> Bool {
        guard let kind = metric.kind, metric.temporality == .cumulative else { return points.isEmpty }
        let isCounter = kind == .sum && metric.isMonotonic
        let name = Prometheus.familyName(
            metric.name, unit: metric.unit, isCounter: isCounter, isGauge: kind == .gauge)
        guard !name.isEmpty else { return false }
        var written = 0
        for point in points {
            guard let attributes = try? point.attributes() else { return false }
            var labels = common
            for pair in PrometheusLabels(attributes).pairs { labels.set(pair.name, pair.value) }
            let isWritten =
                switch kind {
                case .gauge, .sum: putNumber(name, labels, point)
                case .histogram: putHistogram(name, labels, point)
                case .exponentialHistogram: putExponential(name, labels, point)
                case .summary: putSummary(name, labels, point)
                }
            if isWritten { written += 1 }
        }
        guard written > 0 || points.isEmpty else { return false }
        let type: MetricType =
            switch kind {
            case .gauge: .gauge
            case .sum: isCounter ? .counter : .gauge
            case .histogram, .exponentialHistogram: .histogram
            case .summary: .summary
            }
        putFamily(name, type, metric)
        return true
    }

    private mutating func putFamily(_ name: String, _ type: MetricType, _ metric: Prometheus.Metric) {
        guard knownFamilies.insert(name).inserted else { return }
        families.append(Family(name: name, type: type.rawValue, help: metric.description, unit: metric.unit))
    }

    private func milliseconds(_ time: UInt64) -> Int64 { Int64((time == 0 ? now : time) / 1_000_000) }

    private mutating func index(_ labels: PrometheusLabels) -> Int {
        if let known = seriesOfLabels[labels] { return known }
        series.append(Series(labels: labels))
        seriesOfLabels[labels] = series.count - 1
        return series.count - 1
    }

    private mutating func put(_ labels: PrometheusLabels, _ time: Int64, _ value: Double) {
        series[index(labels)].samples.append((time, value))
    }

    // MARK: Points

    private mutating func putNumber(_ name: String, _ labels: PrometheusLabels, _ point: Prometheus.Point) -> Bool {
        let labels = labels.setting("__name__", name)
        put(labels, milliseconds(point.time), point.isMissing ? Self.stale : point.value)
        for exemplar in point.exemplars { put(exemplar, labels) }
        return true
    }

    private mutating func putHistogram(_ name: String, _ labels: PrometheusLabels, _ point: Prometheus.Point) -> Bool {
        guard !point.isMissing, point.bucketCounts.count == (point.bucketCounts.isEmpty ? 0 : point.bounds.count + 1)
        else { return false }
        let time = milliseconds(point.time)
        let buckets = labels.setting("__name__", name + "_bucket")
        var bounds = point.bucketCounts.isEmpty ? [] : point.bounds
        // The last bucket has no end, whether it says so or not.
        if bounds.last == .infinity { bounds.removeLast() }
        var count: UInt64 = 0
        for (bound, inBucket) in zip(bounds, point.bucketCounts) {
            count &+= inBucket
            put(buckets.setting("le", Prometheus.bound(bound)), time, Double(count))
        }
        put(buckets.setting("le", "+Inf"), time, Double(point.count))
        for exemplar in point.exemplars {
            let bound = bounds.first { exemplar.value <= $0 } ?? .infinity
            put(exemplar, buckets.setting("le", Prometheus.bound(bound)))
        }
        putCountAndSum(name, labels, point)
        return true
    }

    private mutating func putSummary(_ name: String, _ labels: PrometheusLabels, _ point: Prometheus.Point) -> Bool {
        guard !point.isMissing else { return false }
        let quantiles = labels.setting("__name__", name)
        for pair in point.quantiles {
            put(quantiles.setting("quantile", Prometheus.bound(pair.quantile)), milliseconds(point.time), pair.value)
        }
        putCountAndSum(name, labels, point)
        return true
    }

    private mutating func putCountAndSum(_ name: String, _ labels: PrometheusLabels, _ point: Prometheus.Point) {
        put(labels.setting("__name__", name + "_count"), milliseconds(point.time), Double(point.count))
        guard let sum = point.sum else { return }
        put(labels.setting("__name__", name + "_sum"), milliseconds(point.time), sum)
    }

    private mutating func put(_ exemplar: Prometheus.Exemplar, _ labels: PrometheusLabels) {
        var writer = ProtobufWriter(capacity: 256)
        Self.put(PrometheusLabels(exemplar), into: &writer)
        writer.putDouble(2, exemplar.value)
        let time = milliseconds(exemplar.time)
        writer.putVarint(3, UInt64(bitPattern: time))
        series[index(labels)].exemplars.append((time, writer.takeBytes()))
    }

    // MARK: Exponential histograms

    /// Prometheus knows schemas from -4 to 8, which are OTLP's scales.
    private mutating func putExponential(
        _ name: String, _ labels: PrometheusLabels, _ point: Prometheus.Point
    ) -> Bool {
        guard !point.isMissing, (-4...30).contains(point.scale) else { return false }
        let shift = max(0, point.scale - 8)
        var writer = ProtobufWriter(capacity: 512)
        writer.putVarint(1, point.count)
        writer.putDouble(3, point.sum ?? 0)
        writer.putVarint(4, Prometheus.zigzag(Int64(point.scale - shift)))
        // Prometheus' own width for an SDK that says none.
        writer.putDouble(5, point.zeroThreshold > 0 ? point.zeroThreshold : 1e-128)
        writer.putVarint(6, point.zeroCount)
        point.negative.write(shift, spans: 8, deltas: 9, into: &writer)
        point.positive.write(shift, spans: 11, deltas: 12, into: &writer)
        let time = milliseconds(point.time)
        writer.putVarint(15, UInt64(bitPattern: time))
        let labels = labels.setting("__name__", name)
        series[index(labels)].histograms.append((time, writer.takeBytes()))
        for exemplar in point.exemplars { put(exemplar, labels) }
        return true
    }

    // MARK: Out

    private static func put(_ labels: PrometheusLabels, into writer: inout ProtobufWriter) {
        for pair in labels.pairs {
            writer.message(1) {
                $0.putString(1, pair.name)
                $0.putString(2, pair.value)
            }
        }
    }

    /// In the order of their times; of several at one moment the last counts.
    private static func ordered<Element>(_ elements: [(time: Int64, Element)]) -> [(time: Int64, Element)] {
        let order = elements.indices.sorted { (elements[$0].time, $0) < (elements[$1].time, $1) }
        return order.indices.compactMap { place in
            let isLast = place + 1 == order.count || elements[order[place + 1]].time != elements[order[place]].time
            return isLast ? elements[order[place]] : nil
        }
    }

    func finish() -> EncodedItems {
        var writer = ProtobufWriter(capacity: series.count * 192)
        for one in series {
            writer.message(1, lengthBytes: 2) { writer in
                Self.put(one.labels, into: &writer)
                for (time, value) in Self.ordered(one.samples) {
                    writer.message(2) {
                        $0.putDouble(1, value)
                        $0.putVarint(2, UInt64(bitPattern: time))
                    }
                }
                for (_, message) in Self.ordered(one.exemplars) { writer.putBytes(3, message) }
                for (_, message) in Self.ordered(one.histograms) { writer.putBytes(4, message) }
            }
        }
        for family in families {
            writer.message(3, lengthBytes: 2) {
                $0.putVarint(1, family.type)
                $0.putString(2, family.name)
                if !family.help.isEmpty { $0.putString(4, family.help) }
                if !family.unit.isEmpty { $0.putString(5, family.unit) }
            }
        }
        return EncodedItems(bytes: writer.takeBytes(), items: items, skipped: skipped)
    }
}
