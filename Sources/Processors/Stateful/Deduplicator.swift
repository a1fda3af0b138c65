// What has come before is dropped: a sender that got no answer sends again, and a proxy may do so twice. A span is known by
// its trace's id, its own and its kind (Zipkin lets client and server share a span), so nothing that differs is taken for
// equal. A log record has no id: it is known by 128 bits of a keyed hash of its bytes and its resource's.

internal import Configuration
internal import Telemetry

final class Deduplicator: StatefulProcessor {
    private let configuration: DeduplicationConfiguration
    private let hasher = KeyedHash()
    private var spans: SeenItems
    private var logs: SeenItems
    private var editor = Editor()
    private var now: UInt64 = 0
    private var books: StatefulBooks

    init(_ configuration: DeduplicationConfiguration, name: String) {
        self.configuration = configuration
        spans = SeenItems(configuration)
        logs = SeenItems(configuration)
        books = StatefulBooks(name)
    }

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        for var batch in batches {
            books.received(batch.signal, batch.items.count)
            var tally = DropTally(rules: [.init()])
            if configuration.signals.contains(batch.signal) { look(&batch, &tally) }
            for (entry, reason) in [
                (tally.rules[0], .duplicate), (tally.malformed, .malformed), (tally.tooLarge, .tooLarge),
            ]
                as [(DropTally.Entry, ProcessorDropReason)] where entry.items > 0
            {
                books.dropped(reason, "", batch.signal, items: entry.items, bytes: entry.bytes)
            }
            books.passed(batch.signal, batch.items.count)
            if !batch.isEmpty { output.batches.append(batch) }
        }
        books.report(into: &output.dropped)
    }

    private func look(_ batch: inout Batch, _ tally: inout DropTally) {
        switch batch.signal {
        case .traces:
            var edit = SpanEdit(seen: spans, now: now)
            editor.editItems(of: &batch, &edit, &tally)
        case .logs:
            let resource = batch.resource.withUnsafeBytes { hasher.hash($0) }
            var edit = LogEdit(seen: logs, now: now, hasher: hasher, resource: resource)
            editor.editItems(of: &batch, &edit, &tally)
        case .metrics: break
        }
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {}
    func end(now: UInt64, _ output: inout ProcessorOutput) {}
    var wakeAt: UInt64? { nil }
    var oldestHeld: UInt64? { nil }
    var isFull: Bool { false }
    var counts: ProcessorCounts { books.counts }
}

private struct SpanEdit: ItemEdit {
    let seen: SeenItems
    let now: UInt64

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        // Without ids nothing says that it is the same.
        guard item.traceID.isValid, item.spanID.isValid else { return .keep }
        let key = SeenItems.Key(
            first: item.traceID.high, second: item.traceID.low, third: item.spanID.value, kind: item.kind)
        return seen.isNew(key, now) ? .keep : .drop(rule: 0)
    }
}

private struct LogEdit: ItemEdit {
    let seen: SeenItems
    let now: UInt64
    let hasher: KeyedHash
    let resource: KeyedHash.Value

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let hash = hasher.hash(fields.bytes(fields.offset..<fields.end), seed: resource)
        let key = SeenItems.Key(first: hash.0, second: hash.1, third: 0, kind: 0)
        return seen.isNew(key, now) ? .keep : .drop(rule: 0)
    }
}

/// What was seen last: a ring with an index. The oldest makes room.
final class SeenItems {
    struct Key: Equatable {
        var first: UInt64
        var second: UInt64
        var third: UInt64
        var kind: UInt8
    }

    private struct Entry {
        var key: Key
        var since: UInt64
    }

    /// Positions go round; each is a number in the index.
    private static let positionMask: UInt32 = 0x7FFF_FFFF

    private let entriesMax: Int
    private let window: UInt64
    private var ring: [Entry?] = Array(repeating: nil, count: 64)
    private var first: UInt32 = 0
    private var index = HashIndex()

    init(_ configuration: DeduplicationConfiguration) {
        entriesMax = max(configuration.entriesMax, 1)
        window = configuration.windowNanoseconds
    }

    var count: Int { index.count }

    /// Whether a key has not been seen within the window; it is remembered then.
    func isNew(_ key: Key, _ now: UInt64) -> Bool {
        while count > 0, ring[slot(first)]!.since &+ window <= now { forgetFirst() }
        let hash = hash(key)
        if index.find(hash, { ring[slot($0)]!.key == key }) != nil { return false }
        if count >= entriesMax { forgetFirst() }
        if count == ring.count { grow() }
        let position = (first + UInt32(count)) & Self.positionMask
        ring[slot(position)] = Entry(key: key, since: now)
        index.insert(hash, position)
        return true
    }

    private func forgetFirst() {
        index.remove(hash(ring[slot(first)]!.key), first)
        ring[slot(first)] = nil
        first = (first + 1) & Self.positionMask
    }

    private func grow() {
        var larger: [Entry?] = Array(repeating: nil, count: ring.count * 2)
        for number in 0..<UInt32(count) {
            let position = (first + number) & Self.positionMask
            larger[Int(position) & (larger.count - 1)] = ring[slot(position)]
        }
        ring = larger
    }

    @inline(__always)
    private func slot(_ position: UInt32) -> Int { Int(position) & (ring.count - 1) }

    @inline(__always)
    private func hash(_ key: Key) -> UInt32 {
        index.hash(key.first ^ key.third &* 0x9E37_79B9_7F4A_7C15, key.second ^ UInt64(key.kind))
    }
}
