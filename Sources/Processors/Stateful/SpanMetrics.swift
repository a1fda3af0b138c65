// Spans are counted where they pass, and pass. A series' key is the attributes of its points as OTLP has them: they are put
// together for each span in one buffer, of pieces that are made once a batch (service) or once for all (kind, status) and
// of the span's name and attributes as they came. So a span costs one walk over its fields, a copy and a hash of a hundred
// bytes or two, and no text is made.

internal import Configuration
internal import System
internal import Telemetry
internal import Wire

/// Counts spans by service, name, kind, status and chosen attributes, and how long they took.
final class SpanMetrics: StatefulProcessor {
    private struct Series {
        let resource: [UInt8]
        var calls: UInt64 = 0
        var durations: LatencyHistogram
    }

    private static let ownKeys = ["service.name", "span.name", "span.kind", "status.code"]
    static let scope = "sidelight.span-metrics"
    private let configuration: SpanMetricsConfiguration
    private let clock: any SystemClock
    private let shape: HistogramShape
    private let kinds: [[UInt8]]
    private let statuses: [[UInt8]]
    private var series: SeriesTable<Series>
    private var now: UInt64 = 0
    /// When the metrics leave next; nil: there are none.
    private var due: UInt64?
    private var books: StatefulBooks

    // Of the batch and the span that are under way.
    private var chosen: ChosenAttributes
    private var key: [UInt8] = []

    init(_ configuration: SpanMetricsConfiguration, name: String, clock: any SystemClock) {
        self.configuration = configuration
        self.clock = clock
        shape =
            switch configuration.histogram {
            case .explicit: .explicit(configuration.boundsNanoseconds.map { Double($0) / 1e6 })
            case .exponential: .exponential
            }
        chosen = ChosenAttributes(configuration.attributes.filter { !Self.ownKeys.contains($0) })
        kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map {
            KeptAttributes.text("span.kind", "SPAN_KIND_" + $0)
        }
        statuses = ["UNSET", "OK", "ERROR"].map { KeptAttributes.text("status.code", "STATUS_CODE_" + $0) }
        series = SeriesTable(seriesMax: configuration.seriesMax)
        books = StatefulBooks(name)
    }

    // MARK: the seam

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        for batch in batches {
            books.received(batch.signal, batch.items.count)
            books.passed(batch.signal, batch.items.count)
            if batch.signal == .traces { count(batch) }
        }
        output.batches += batches
        leaveIfDue(&output)
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        leaveIfDue(&output)
    }

    func end(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        if due != nil { leave(&output) }
    }

    var wakeAt: UInt64? { due }
    var oldestHeld: UInt64? { nil }
    var isFull: Bool { false }
    var counts: ProcessorCounts { books.counts }
    var seriesCount: Int { series.count }

    // MARK: counting

    private func count(_ batch: borrowing Batch) {
        chosen.prepare(batch)
        batch.bytes.withUnsafeBytes { bytes in
            for item in batch.items {
                let (start, length) = (Int(item.offset), Int(item.length))
                guard start + length <= bytes.count,
                    let fields = FieldCursor.item(UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])),
                    makeKey(item, fields)
                else {
                    books.note(.unreadable)
                    continue
                }
                count(item)
            }
        }
    }

    /// False: the span is malformed.
    private func makeKey(_ item: Batch.Item, _ fields: FieldCursor) -> Bool {
        var fields = fields
        var name = 0..<0
        chosen.begin()
        while fields.next() {
            if fields.tag == Tag.Span.name {
                name = fields.value
            } else if fields.tag == Tag.Span.attributes {
                chosen.look(fields)
            }
        }
        guard !fields.isBroken else { return false }
        key.removeAll(keepingCapacity: true)
        // What would be too long is not put together; without a key it overflows.
        guard chosen.length + name.count <= SeriesTable<Series>.keyBytesMax else { return true }
        key.append(contentsOf: chosen.service)
        KeptAttributes.append("span.name", fields.bytes(name), to: &key)
        key.append(contentsOf: kinds[Int(item.kind) < kinds.count ? Int(item.kind) : 0])
        key.append(contentsOf: statuses[Int(item.status) < statuses.count ? Int(item.status) : 0])
        chosen.append(of: fields, to: &key)
        return true
    }

    private func count(_ item: Batch.Item) {
        let nanoseconds = item.end > item.start ? item.end - item.start : 0
        let milliseconds = Double(nanoseconds) / 1e6
        var exemplar: Exemplar?
        if configuration.exemplars {
            exemplar = Exemplar(trace: item.traceID, span: item.spanID, value: milliseconds, time: item.end)
        }
        if due == nil { due = now &+ configuration.everyNanoseconds }
        let number = series.number(key, now: now, unixNow: clock.unixNanoseconds) {
            // That of what there is no room for has none of its own: its key says so.
            Series(resource: chosen.resource, durations: LatencyHistogram(shape))
        }
        if number == SeriesTable<Series>.overflow { books.note(.overflow) }
        series[number].updated = now
        series[number].value.calls += 1
        series[number].value.durations.add(milliseconds, shape, exemplar: exemplar)
    }

    // MARK: leaving

    private func leaveIfDue(_ output: inout ProcessorOutput) {
        if let due, due <= now { leave(&output) }
    }

    private func leave(_ output: inout ProcessorOutput) {
        let idle = configuration.idleNanoseconds
        if now >= idle { books.note(.idleSeries, series.removeIdle(since: now - idle)) }
        let time = clock.unixNanoseconds()
        for (resource, numbers) in series.byResource({ $0.resource }) {
            output.derived.append(metrics(of: numbers, resource, time))
        }
        due = series.isEmpty ? nil : now &+ configuration.everyNanoseconds
    }

    private func metrics(of numbers: [Int], _ resource: [UInt8], _ time: UInt64) -> Batch {
        var metrics = DerivedMetrics(resource: resource, scope: Self.scope, time: time)
        metrics.addSum("traces.span.metrics.calls", unit: "{call}") { writer in
            for number in numbers {
                let entry = series[number]
                MetricFields.putCount(
                    entry.value.calls, attributes: entry.key, start: entry.start, time: time, into: &writer)
            }
        }
        metrics.addHistogram("traces.span.metrics.duration", unit: "ms", shape) { writer in
            for number in numbers {
                let (key, start) = (series[number].key, series[number].start)
                series[number].value.durations.encode(shape, attributes: key, start: start, time: time, into: &writer)
            }
        }
        return metrics.finish()
    }
}
