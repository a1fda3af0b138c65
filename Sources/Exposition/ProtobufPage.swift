// The protobuf format: messages `MetricFamily` of
// <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>, each behind its length.

internal import Wire

/// A page of messages while it is written.
struct ProtobufPage: ~Copyable {
    private enum MetricType {
        static let counter: UInt64 = 0, gauge: UInt64 = 1, summary: UInt64 = 2, histogram: UInt64 = 4
    }

    private let format: ExpositionFormat
    private var page = ProtobufWriter(capacity: 1 << 16)
    private var family = ProtobufWriter(capacity: 1 << 16)

    init(_ format: ExpositionFormat) { self.format = format }

    mutating func put(_ table: MetricTable) {
        for index in table.order { put(table.families[index], table) }
        putTargets(table)
    }

    consuming func finish() -> [UInt8] { page.takeBytes() }

    /// What was written of a family goes onto the page.
    private mutating func endFamily() {
        let count = family.count
        page.ensureCapacity(ProtobufWriter.varintBytesMax + count)
        page.storeVarint(UInt64(count))
        family.withBytes { page.storeBytes($0) }
        family.truncate(to: 0)
    }

    private mutating func put(_ one: Family, _ table: MetricTable) {
        guard one.series.contains(where: { !table.series[$0].isGone }) else { return }
        var name = one.name(isUTF8: format.isUTF8).plain
        if one.key.type == .counter { name += Array("_total".utf8) }
        family.putBytes(1, name)
        if !one.help.isEmpty { family.putString(2, one.help) }
        let type =
            switch one.key.type {
            case .counter: MetricType.counter
            case .gauge: MetricType.gauge
            case .histogram: MetricType.histogram
            case .summary: MetricType.summary
            }
        family.putVarint(3, type)
        for index in one.series where !table.series[index].isGone { put(table.series[index], one.key.type) }
        if !one.unit.isEmpty { family.putBytes(5, one.unit) }
        endFamily()
    }

    private mutating func put(_ series: Series, _ type: FamilyType) {
        let metric = family.begin(4, lengthBytes: 2)
        LabelText.putPairs(series.labels(isUTF8: format.isUTF8), into: &family)
        switch series.value {
        case .number(let value):
            let number = family.begin(type == .counter ? 3 : 2)
            family.putDouble(1, value)
            if type == .counter {
                if let exemplar = series.exemplars.last { put(exemplar, 2) }
                putCreated(series, 3)
            }
            family.end(number)
        case .summary(let summary):
            let message = family.begin(4)
            family.putVarint(1, summary.count)
            family.putDouble(2, summary.sum)
            for pair in summary.quantiles {
                let quantile = family.begin(3)
                family.putDouble(1, pair.quantile)
                family.putDouble(2, pair.value)
                family.end(quantile)
            }
            putCreated(series, 4)
            family.end(message)
        case .histogram(let histogram):
            let message = family.begin(7, lengthBytes: 2)
            family.putVarint(1, histogram.count)
            family.putDouble(2, histogram.sum)
            putBuckets(series, histogram.bounds.bounds, histogram.buckets)
            putCreated(series, 15)
            family.end(message)
        case .exponential(let exponential):
            let message = family.begin(7, lengthBytes: 2)
            family.putVarint(1, exponential.count)
            family.putDouble(2, exponential.sum)
            if let native = exponential.native {
                put(native)
                putCreated(series, 15)
                for exemplar in series.exemplars where exemplar.time > 0 { put(exemplar, 16) }
            } else {
                let classic = exponential.classic
                putBuckets(series, classic.bounds, classic.counts)
                putCreated(series, 15)
            }
            family.end(message)
        }
        family.end(metric)
    }

    private mutating func putBuckets(_ series: Series, _ bounds: [Double], _ counts: [UInt64]) {
        var sum: UInt64 = 0
        var next = 0
        for index in counts.indices {
            sum = saturatingSum(sum, counts[index])
            let bucket = family.begin(3)
            family.putVarint(1, sum)
            family.putDouble(2, index < bounds.count ? bounds[index] : .infinity)
            var exemplar: SeriesExemplar?
            while next < series.exemplars.count, index == bounds.count || series.exemplars[next].value <= bounds[index]
            {
                exemplar = series.exemplars[next]
                next += 1
            }
            if let exemplar { put(exemplar, 3) }
            family.end(bucket)
        }
    }

    private mutating func put(_ native: ExponentialValue) {
        family.putVarint(5, Prometheus.zigzag(Int64(native.scale)))
        // Prometheus' own width for an SDK that says none; it also says that this is a native one.
        family.putDouble(6, native.zeroThreshold > 0 ? native.zeroThreshold : 0x1p-128)
        family.putVarint(7, native.zeroCount)
        native.negative.write(0, spans: 9, deltas: 10, into: &family)
        native.positive.write(0, spans: 12, deltas: 13, into: &family)
    }

    private mutating func put(_ exemplar: SeriesExemplar, _ field: UInt32) {
        let message = family.begin(field)
        LabelText.putPairs(exemplar.labels, into: &family)
        family.putDouble(2, exemplar.value)
        putTime(exemplar.time, 3)
        family.end(message)
    }

    private mutating func putCreated(_ series: Series, _ field: UInt32) { putTime(series.startTime, field) }

    /// A `google.protobuf.Timestamp`.
    private mutating func putTime(_ nanoseconds: UInt64, _ field: UInt32) {
        guard nanoseconds > 0 else { return }
        let message = family.begin(field)
        family.putVarint(1, nanoseconds / 1_000_000_000)
        family.putVarint(2, nanoseconds % 1_000_000_000)
        family.end(message)
    }

    private mutating func putTargets(_ table: MetricTable) {
        var seen: Set<[UInt8]> = []
        for (index, target) in table.targets.enumerated() {
            let info = format.isUTF8 ? target.utf8Info : target.info
            guard !info.isEmpty, target.isOwn || table.isShown(target: index), seen.insert(info).inserted else {
                continue
            }
            if seen.count == 1 {
                family.putString(1, "target_info")
                family.putString(2, "Target metadata")
                family.putVarint(3, MetricType.gauge)
            }
            let metric = family.begin(4, lengthBytes: 2)
            LabelText.putPairs(info, into: &family)
            family.message(2) { $0.putDouble(1, 1) }
            family.end(metric)
        }
        if !seen.isEmpty { endFamily() }
    }
}
