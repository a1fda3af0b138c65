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

    /// A bucket's bound as text: the shortest one without an exponent.
    static func bound(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        var text = number.description
        guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]) else {
            if text.hasSuffix(".0") { text.removeLast(2) }
            return text
        }
        let mantissa = text[..<mark]
        let sign = mantissa.hasPrefix("-") ? "-" : ""
        let digits = mantissa.filter { $0 != "-" && $0 != "." }
        let whole = mantissa.drop { $0 == "-" }.prefix { $0 != "." }.count
        let point = whole + exponent
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + trimmed(digits) }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + trimmed(String(digits.dropFirst(point)))
    }

    private static func trimmed(_ digits: String) -> String {
        let end = digits.lastIndex { $0 != "0" }.map { digits.index(after: $0) } ?? digits.startIndex
        return String(digits[..<end])
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
    /// Prometheus takes no exemplar with more, names and values together. Characters.
    private static let exemplarCharactersMax = 128

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
        let target = Self.target(resource)
        let scopeLabels = scopes.map(Self.labels)
        var last: UInt64 = 0
        for index in batch.items.indices {
            let scope = Int(batch.items[index].scope)
            guard
                let metric = try? batch.withMessage(
                    at: index, { (reader) throws(DecodeError) in try RemoteWrite.metric(reader) }), scope < scopes.count
            else {
                skipped += 1
                continue
            }
            var common = target
            common.add(scopeLabels[scope])
            if put(metric, common) {
                items += 1
                last = max(last, metric.points.reduce(0) { max($0, $1.time) })
            } else {
                skipped += 1
            }
        }
        if last > 0 { putTarget(resource, target, last) }
    }

    /// `job` and `instance`.
    private static func target(_ resource: Resource) -> PrometheusLabels {
        func text(_ key: String) -> String { resource.attributes[key]?.text ?? "" }
        var labels = PrometheusLabels()
        let (name, space) = (text("service.name"), text("service.namespace"))
        labels.set("job", space.isEmpty || name.isEmpty ? name : "\(space)/\(name)")
        labels.set("instance", text("service.instance.id"))
        return labels
    }

    private static func labels(_ scope: InstrumentationScope) -> PrometheusLabels {
        var labels = PrometheusLabels(
            scope.attributes.map { Attribute("otel_scope_\($0.key)", $0.value) })
        labels.set("otel_scope_name", scope.name)
        labels.set("otel_scope_version", scope.version)
        labels.set("otel_scope_schema_url", scope.schemaURL)
        return labels
    }

    /// The rest of what is known of the resource, as labels of a series of its own.
    private mutating func putTarget(_ resource: Resource, _ target: PrometheusLabels, _ time: UInt64) {
        let taken: Set = ["service.name", "service.namespace", "service.instance.id"]
        var labels = target
        labels.add(PrometheusLabels(resource.attributes.filter { !taken.contains($0.key) }))
        guard !target.pairs.isEmpty, labels != target else { return }
        putFamily("target_info", .gauge, RemoteWrite.Metric(description: "Target metadata"))
        put(labels.setting("__name__", "target_info"), milliseconds(time), 1)
    }

    /// False: nothing of it could be written.
    private mutating func put(_ metric: RemoteWrite.Metric, _ common: PrometheusLabels) -> Bool {
        guard let kind = metric.kind, metric.isCumulative else { return metric.points.isEmpty }
        let isCounter = kind == .sum && metric.isMonotonic
        let name = RemoteWrite.familyName(
            metric.name, unit: metric.unit, isCounter: isCounter, isGauge: kind == .gauge)
        guard !name.isEmpty else { return false }
        var written = 0
        for point in metric.points {
            var labels = common
            for pair in PrometheusLabels(point.attributes).pairs { labels.set(pair.name, pair.value) }
            let isWritten =
                switch kind {
                case .gauge, .sum: putNumber(name, labels, point)
                case .histogram: putHistogram(name, labels, point)
                case .exponentialHistogram: putExponential(name, labels, point)
                case .summary: putSummary(name, labels, point)
                }
            if isWritten { written += 1 }
        }
        guard written > 0 || metric.points.isEmpty else { return false }
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

    private mutating func putFamily(_ name: String, _ type: MetricType, _ metric: RemoteWrite.Metric) {
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

    private mutating func putNumber(_ name: String, _ labels: PrometheusLabels, _ point: RemoteWrite.Point) -> Bool {
        let labels = labels.setting("__name__", name)
        put(labels, milliseconds(point.time), point.isMissing ? Self.stale : point.value)
        for exemplar in point.exemplars { put(exemplar, labels) }
        return true
    }

    private mutating func putHistogram(_ name: String, _ labels: PrometheusLabels, _ point: RemoteWrite.Point) -> Bool {
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
            put(buckets.setting("le", RemoteWrite.bound(bound)), time, Double(count))
        }
        put(buckets.setting("le", "+Inf"), time, Double(point.count))
        for exemplar in point.exemplars {
            let bound = bounds.first { exemplar.value <= $0 } ?? .infinity
            put(exemplar, buckets.setting("le", RemoteWrite.bound(bound)))
        }
        putCountAndSum(name, labels, point)
        return true
    }

    private mutating func putSummary(_ name: String, _ labels: PrometheusLabels, _ point: RemoteWrite.Point) -> Bool {
        guard !point.isMissing else { return false }
        let quantiles = labels.setting("__name__", name)
        for pair in point.quantiles {
            put(quantiles.setting("quantile", RemoteWrite.bound(pair.quantile)), milliseconds(point.time), pair.value)
        }
        putCountAndSum(name, labels, point)
        return true
    }

    private mutating func putCountAndSum(_ name: String, _ labels: PrometheusLabels, _ point: RemoteWrite.Point) {
        put(labels.setting("__name__", name + "_count"), milliseconds(point.time), Double(point.count))
        guard let sum = point.sum else { return }
        put(labels.setting("__name__", name + "_sum"), milliseconds(point.time), sum)
    }

    private mutating func put(_ exemplar: RemoteWrite.Exemplar, _ labels: PrometheusLabels) {
        var own = PrometheusLabels()
        if exemplar.traceID.count == 16 { own.set("trace_id", Self.hex(exemplar.traceID)) }
        if exemplar.spanID.count == 8 { own.set("span_id", Self.hex(exemplar.spanID)) }
        var characters = own.pairs.reduce(0) { $0 + $1.name.count + $1.value.count }
        for pair in PrometheusLabels(exemplar.attributes).pairs {
            characters += pair.name.count + pair.value.count
            guard characters <= Self.exemplarCharactersMax else { break }
            own.set(pair.name, pair.value)
        }
        var writer = ProtobufWriter(capacity: 256)
        Self.put(own, into: &writer)
        writer.putDouble(2, exemplar.value)
        let time = milliseconds(exemplar.time)
        writer.putVarint(3, UInt64(bitPattern: time))
        series[index(labels)].exemplars.append((time, writer.takeBytes()))
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        let digits = Array("0123456789abcdef".utf8)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Exponential histograms

    /// Prometheus knows schemas from -4 to 8, which are OTLP's scales.
    private mutating func putExponential(
        _ name: String, _ labels: PrometheusLabels, _ point: RemoteWrite.Point
    ) -> Bool {
        guard !point.isMissing, (-4...30).contains(point.scale) else { return false }
        let shift = max(0, point.scale - 8)
        var writer = ProtobufWriter(capacity: 512)
        writer.putVarint(1, point.count)
        writer.putDouble(3, point.sum ?? 0)
        writer.putVarint(4, Self.zigzag(Int64(point.scale - shift)))
        // Prometheus' own width for an SDK that says none.
        writer.putDouble(5, point.zeroThreshold > 0 ? point.zeroThreshold : 1e-128)
        writer.putVarint(6, point.zeroCount)
        Self.put(point.negative, shift, spans: 8, deltas: 9, into: &writer)
        Self.put(point.positive, shift, spans: 11, deltas: 12, into: &writer)
        let time = milliseconds(point.time)
        writer.putVarint(15, UInt64(bitPattern: time))
        let labels = labels.setting("__name__", name)
        series[index(labels)].histograms.append((time, writer.takeBytes()))
        for exemplar in point.exemplars { put(exemplar, labels) }
        return true
    }

    private static func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: number << 1 ^ number >> 63) }

    /// Buckets as runs of those that are not empty; each count as its difference to the one before. OTLP numbers a bucket by its lower bound, Prometheus by its
    /// upper one.
    private static func put(
        _ buckets: RemoteWrite.Buckets, _ shift: Int32, spans: UInt32, deltas: UInt32, into writer: inout ProtobufWriter
    ) {
        var merged: [(index: Int64, count: Int64)] = []
        for (place, count) in buckets.counts.enumerated() where count > 0 {
            let index = (Int64(buckets.offset) + Int64(place)) >> Int64(shift) + 1
            let count = Int64(clamping: count)
            if let last = merged.last, last.index == index {
                merged[merged.count - 1].count &+= count
            } else {
                merged.append((index, count))
            }
        }
        var next: Int64 = 0
        var start = 0
        while start < merged.count {
            var end = start + 1
            while end < merged.count, merged[end].index == merged[end - 1].index + 1 { end += 1 }
            writer.message(spans) {
                $0.putVarint(1, zigzag(merged[start].index - next))
                $0.putVarint(2, UInt64(end - start))
            }
            next = merged[end - 1].index + 1
            start = end
        }
        guard !merged.isEmpty else { return }
        let mark = writer.begin(deltas, lengthBytes: 2)
        var before: Int64 = 0
        for bucket in merged {
            writer.ensureCapacity(ProtobufWriter.varintBytesMax)
            writer.storeVarint(zigzag(bucket.count &- before))
            before = bucket.count
        }
        writer.end(mark)
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
