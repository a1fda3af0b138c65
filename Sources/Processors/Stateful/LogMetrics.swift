// Log records are counted where they pass, as spans are (`SpanMetrics`). A record's level is in its index, so without chosen attributes no record is looked into.

internal import Configuration
internal import System
internal import Telemetry

/// Counts log records by service, level and chosen attributes.
final class LogMetrics: StatefulProcessor {
    private struct Series {
        let resource: [UInt8]
        var records: UInt64 = 0
    }

    private static let ownKeys = ["service.name", "severity"]
    static let scope = "sidelight.log-metrics"
    private let configuration: LogMetricsConfiguration
    private let clock: any SystemClock
    /// The attribute of each level; the last is that of records without one.
    private let levels: [[UInt8]]
    private let looksAtAttributes: Bool
    private var series: SeriesTable<Series>
    private var now: UInt64 = 0
    /// When the metrics leave next; nil: there are none.
    private var due: UInt64?
    private var books: StatefulBooks

    // Of the batch and the record that are under way.
    private var chosen: ChosenAttributes
    private var key: [UInt8] = []

    init(_ configuration: LogMetricsConfiguration, name: String, clock: any SystemClock) {
        self.configuration = configuration
        self.clock = clock
        let keys = configuration.attributes.filter { !Self.ownKeys.contains($0) }
        chosen = ChosenAttributes(keys)
        looksAtAttributes = !keys.isEmpty
        levels = (LevelSampling.Level.allCases.map { "\($0)" } + ["unspecified"]).map {
            KeptAttributes.text("severity", $0)
        }
        series = SeriesTable(seriesMax: configuration.seriesMax)
        books = StatefulBooks(name)
    }

    // MARK: the seam

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        for batch in batches {
            books.received(batch.signal, batch.items.count)
            books.passed(batch.signal, batch.items.count)
            if batch.signal == .logs { count(batch) }
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
        guard looksAtAttributes else { return countLevels(batch) }
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
                count(1)
            }
        }
    }

    private func countLevels(_ batch: borrowing Batch) {
        var counts = [UInt64](repeating: 0, count: levels.count)
        for item in batch.items { counts[level(item)] += 1 }
        for (level, records) in counts.enumerated() where records > 0 {
            key.removeAll(keepingCapacity: true)
            if chosen.length <= SeriesTable<Series>.keyBytesMax {
                key.append(contentsOf: chosen.service)
                key.append(contentsOf: levels[level])
            }
            count(records)
        }
    }

    /// Levels have four numbers each, from 1 on.
    @inline(__always)
    private func level(_ item: Batch.Item) -> Int {
        (1...24).contains(item.status) ? Int(item.status - 1) / 4 : levels.count - 1
    }

    /// False: the record is malformed.
    private func makeKey(_ item: Batch.Item, _ fields: FieldCursor) -> Bool {
        var fields = fields
        chosen.begin()
        while fields.next() {
            if fields.tag == Tag.Log.attributes { chosen.look(fields) }
        }
        guard !fields.isBroken else { return false }
        key.removeAll(keepingCapacity: true)
        // What would be too long is not put together; without a key it overflows.
        guard chosen.length <= SeriesTable<Series>.keyBytesMax else { return true }
        key.append(contentsOf: chosen.service)
        key.append(contentsOf: levels[level(item)])
        chosen.append(of: fields, to: &key)
        return true
    }

    private func count(_ records: UInt64) {
        if due == nil { due = now &+ configuration.everyNanoseconds }
        let number = series.number(key, now: now, unixNow: clock.unixNanoseconds) {
            // That of what there is no room for has none of its own: its key says so.
            Series(resource: chosen.resource)
        }
        if number == SeriesTable<Series>.overflow { books.note(.overflow, Int(records)) }
        series[number].updated = now
        series[number].value.records += records
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
            var metrics = DerivedMetrics(resource: resource, scope: Self.scope, time: time)
            metrics.addSum("log.record.count", unit: "{record}") { writer in
                for number in numbers {
                    let entry = series[number]
                    MetricFields.putCount(
                        entry.value.records, attributes: entry.key, start: entry.start, time: time, into: &writer)
                }
            }
            output.derived.append(metrics.finish())
        }
        due = series.isEmpty ? nil : now &+ configuration.everyNanoseconds
    }
}
