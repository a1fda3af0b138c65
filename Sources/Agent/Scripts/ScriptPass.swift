internal import Configuration
internal import Processors
internal import Telemetry

/// What becomes of one piece of a batch: item by item, and then the batch that passes. One that is whole and unchanged is what came.
struct ScriptPass {
    struct Entry {
        var items = 0
        var bytes = 0

        mutating func add(_ item: Batch.Item) {
            items += 1
            bytes += Int(item.length)
        }
    }

    let piece: ScriptFrame.Piece
    private let onError: ScriptConfiguration.OnError
    private(set) var failures: [ScriptFailure: Entry] = [:]
    private(set) var dropped = Entry()
    private(set) var changed = 0

    /// Nil as long as everything is as it came.
    private var made: (bytes: [UInt8], items: [Batch.Item])?
    /// Items of the piece that were looked at.
    private var seen = 0
    /// For replaced items, before it is known that they are any.
    private var scratch: [UInt8] = []

    init(_ piece: ScriptFrame.Piece, _ onError: ScriptConfiguration.OnError) {
        self.piece = piece
        self.onError = onError
        if piece.range.count < piece.batch.items.count { made = ([], []) }
    }

    /// The next item, by what the worker says of it.
    mutating func take(_ index: Int, _ item: Batch.Item, _ results: inout ScriptFrame.Results) {
        if made != nil {
            apply(results.take(index, item, piece.batch.signal, to: &made!.bytes), item)
            return
        }
        scratch.removeAll(keepingCapacity: true)
        let result = results.take(index, item, piece.batch.signal, to: &scratch)
        if case .keep = result {
            seen += 1
            return
        }
        if case .failed = result, onError == .bypass { return apply(result, item) }
        diverge()
        guard case .replaced(var entry) = result else { return apply(result, item) }
        entry.offset = UInt32(made!.bytes.count)
        made!.bytes += scratch
        apply(.replaced(entry), item)
    }

    /// The next item, which the script did nothing for.
    mutating func fail(_ item: Batch.Item, _ failure: ScriptFailure) {
        if made == nil, onError == .drop { diverge() }
        apply(.failed(failure), item)
    }

    private mutating func apply(_ result: ScriptFrame.Results.Result, _ item: Batch.Item) {
        seen += 1
        switch result {
        case .keep: copy(item)
        case .drop: dropped.add(item)
        case .replaced(let entry):
            changed += 1
            made!.items.append(entry)
        case .failed(let failure):
            failures[failure, default: Entry()].add(item)
            if onError == .bypass { copy(item) }
        }
    }

    /// From here on it is another batch than came.
    private mutating func diverge() {
        made = ([], [])
        made!.bytes.reserveCapacity(piece.batch.bytes.count + 4_096)
        made!.items.reserveCapacity(piece.batch.items.count)
        for item in piece.batch.items[piece.range].prefix(seen) { copy(item) }
    }

    private mutating func copy(_ item: Batch.Item) {
        guard made != nil else { return }
        var entry = item
        entry.offset = UInt32(made!.bytes.count)
        made!.bytes += piece.batch.bytes[Int(item.offset)..<Int(item.offset) + Int(item.length)]
        made!.items.append(entry)
    }

    /// What is dropped, by reason and rule.
    func drops() -> [(ProcessorDropReason, String, Entry)] {
        var drops: [(ProcessorDropReason, String, Entry)] = dropped.items > 0 ? [(.script, "", dropped)] : []
        if onError == .drop {
            for failure in ScriptFailure.allCases {
                if let entry = failures[failure] { drops.append((.scriptFailed, failure.rawValue, entry)) }
            }
        }
        return drops
    }

    /// What passes.
    consuming func batch() -> Batch {
        guard let made else { return piece.batch }
        var batch = Batch(
            signal: piece.batch.signal, resource: piece.batch.resource,
            resourceSchemaURL: piece.batch.resourceSchemaURL, scopes: piece.batch.scopes, bytes: made.bytes,
            items: made.items)
        batch.ticket = piece.batch.ticket
        return batch
    }
}
