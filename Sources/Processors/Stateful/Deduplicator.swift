// What has come before is dropped: a sender that got no answer sends again, and a proxy may do so twice. A span is known by
// its trace's id, its own and its kind (Zipkin lets client and server share a span), so nothing that differs is taken for
// equal. A log record has no id: it is known by 128 bits of a keyed hash of its bytes and its resource's. Records that say the same, though they are not equal,
// are another matter: they are counted (`RepeatedRecords`).

internal import Configuration
internal import System
internal import Telemetry

final class Deduplicator: StatefulProcessor {
    private let configuration: DeduplicationConfiguration
    private let hasher = KeyedHash()
    private let spans: SeenItems
    private let logs: SeenItems
    private let repeats: RepeatedRecords?
    private var editor = Editor()
    private var now: UInt64 = 0
    private var books: StatefulBooks

    init(_ configuration: DeduplicationConfiguration, name: String, budget: MemoryBudget? = nil) {
        self.configuration = configuration
        let (entriesMax, window) = (configuration.entriesMax, configuration.windowNanoseconds)
        spans = SeenItems(entriesMax: entriesMax, window: window)
        logs = SeenItems(entriesMax: entriesMax, window: window)
        repeats = configuration.repeats.map { RepeatedRecords($0, budget: budget) }
        books = StatefulBooks(name)
    }

    // MARK: the seam

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        tick(now: now, &output)
        for var batch in batches {
            books.received(batch.signal, batch.items.count)
            var tally = DropTally(rules: DropRule.allCases.map { _ in .init() })
            switch batch.signal {
            case .traces where configuration.signals.contains(.traces):
                var edit = SpanEdit(seen: spans, now: self.now)
                editor.editItems(of: &batch, &edit, &tally)
            case .logs where configuration.signals.contains(.logs) || repeats != nil: look(&batch, &tally)
            case .traces, .logs, .metrics: break
            }
            count(tally, batch.signal)
            books.passed(batch.signal, batch.items.count)
            if !batch.isEmpty { output.batches.append(batch) }
        }
        finish(&output)
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        guard let repeats else { return }
        repeats.letGoDue(now: self.now)
        finish(&output)
    }

    /// What is held leaves before its time: in the queue, it would keep what has passed behind it, and that would come again.
    func end(now: UInt64, _ output: inout ProcessorOutput) {
        guard let repeats else { return }
        repeats.letGoAll()
        finish(&output)
    }

    var wakeAt: UInt64? { repeats?.wakeAt }
    var oldestHeld: UInt64? { repeats?.oldestHeld }
    var isFull: Bool { false }
    var counts: ProcessorCounts { books.counts }

    // MARK: items

    private func look(_ batch: inout Batch, _ tally: inout DropTally) {
        let resource = batch.resource.withUnsafeBytes { hasher.hash($0) }
        var edit = LogEdit(
            seen: configuration.signals.contains(.logs) ? logs : nil, repeats: repeats, now: now, hasher: hasher,
            resource: resource)
        if let repeats {
            edit.scopes = batch.scopes.map { scope in
                scope.message.withUnsafeBytes { hasher.hash($0, seed: resource) }
            }
            if edit.scopes.isEmpty { edit.scopes = [resource] }
            repeats.begin(batch, now: now)
        }
        editor.editItems(of: &batch, &edit, &tally)
        repeats?.end()
    }

    private func count(_ tally: DropTally, _ signal: Signal) {
        for _ in 0..<tally.rules[DropRule.held.rawValue].items { books.held(signal) }
        for (entry, reason) in [
            (tally.rules[DropRule.duplicate.rawValue], .duplicate),
            (tally.rules[DropRule.repeated.rawValue], .repeated),
            (tally.malformed, .malformed), (tally.tooLarge, .tooLarge),
        ] as [(DropTally.Entry, ProcessorDropReason)] where entry.items > 0 {
            books.dropped(reason, "", signal, items: entry.items, bytes: entry.bytes)
        }
    }

    private func finish(_ output: inout ProcessorOutput) {
        if let left = repeats?.finish(), left.records > 0 {
            books.letGo(.logs, left.records)
            books.passed(.logs, left.records)
            if left.early > 0 { books.note(.repeatsEarly, left.early) }
            output.batches += left.batches
        }
        books.report(into: &output.dropped)
    }
}

/// What an item does not pass for.
private enum DropRule: Int, CaseIterable { case duplicate, repeated, held }

private struct SpanEdit: ItemEdit {
    let seen: SeenItems
    let now: UInt64

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        // Without ids nothing says that it is the same.
        guard item.traceID.isValid, item.spanID.isValid else { return .keep }
        let key = SeenItems.Key(
            first: item.traceID.high, second: item.traceID.low, third: item.spanID.value, kind: item.kind)
        return seen.isNew(key, now) ? .keep : .drop(rule: DropRule.duplicate.rawValue)
    }
}

private struct LogEdit: ItemEdit {
    /// Nil: what is equal in all bytes is not looked for.
    let seen: SeenItems?
    let repeats: RepeatedRecords?
    let now: UInt64
    let hasher: KeyedHash
    let resource: KeyedHash.Value
    /// Of each scope of the batch, with the resource; empty without `repeats`.
    var scopes: [KeyedHash.Value] = []

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        if let seen {
            let hash = hasher.hash(fields.bytes(fields.offset..<fields.end), seed: resource)
            let key = SeenItems.Key(first: hash.0, second: hash.1, third: 0, kind: 0)
            guard seen.isNew(key, now) else { return .drop(rule: DropRule.duplicate.rawValue) }
        }
        guard let repeats else { return .keep }
        guard Int(item.scope) < scopes.count, let hash = said(fields, seed: scopes[Int(item.scope)]) else {
            return .malformed
        }
        let bytes = fields.bytes(Int(item.offset)..<Int(item.offset) + Int(item.length))
        let key = RecentItems<Arena.Reference>.Key(first: hash.0, second: hash.1, third: 0, kind: item.status)
        switch repeats.look(key, item, bytes) {
        case .new: return .keep
        case .held: return .drop(rule: DropRule.held.rawValue)
        case .counted: return .drop(rule: DropRule.repeated.rawValue)
        }
    }

    /// What a record says: its body and the event's name, and its attributes where the body is empty. Nil: it is malformed.
    @inline(__always)
    private func said(_ fields: FieldCursor, seed: KeyedHash.Value) -> KeyedHash.Value? {
        var walk = fields
        var (body, event) = (0..<0, 0..<0)
        while walk.next() {
            if walk.tag == Tag.Log.body {
                body = walk.value
            } else if walk.tag == Tag.Log.eventName {
                event = walk.value
            }
        }
        guard !walk.isBroken else { return nil }
        var hash = hasher.hash(fields.bytes(body), seed: seed)
        if !event.isEmpty { hash = hasher.hash(fields.bytes(event), seed: hash) }
        // An empty text has two bytes.
        guard body.count <= 2 else { return hash }
        walk = fields
        while walk.next() {
            if walk.tag == Tag.Log.attributes { hash = hasher.hash(fields.bytes(walk.value), seed: hash) }
        }
        return hash
    }
}
