internal import Telemetry
internal import Wire

/// What a stage says of an item.
enum ItemFate {
    case keep
    /// Because of the rule with this number, in the stage's list.
    case drop(rule: Int)
    /// It is no protobuf within, or nested too deep: no stage can tell what is in it.
    case malformed
}

/// One pass over the items of a batch.
protocol ItemEdit {
    /// Walks the fields of an item and may change them. `fields` stands before the first; the editor has entered the
    /// message.
    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate
    /// Changes what the index says of the item that was edited last, where that has changed.
    func index(_ item: inout Batch.Item)
}

extension ItemEdit {
    @inline(__always)
    func index(_ item: inout Batch.Item) {}
}

/// Where dropped items of one pass are counted.
struct DropTally {
    struct Entry {
        var items = 0
        var bytes = 0

        mutating func add(_ length: Int) {
            items += 1
            bytes += length
        }
    }

    var malformed = Entry()
    var tooLarge = Entry()
    /// By the stage's rules.
    var rules: [Entry]

    var isEmpty: Bool { malformed.items == 0 && tooLarge.items == 0 && rules.allSatisfy { $0.items == 0 } }
}

extension Editor {
    /// Runs `edit` over the items. When nothing changes, the batch stays what it was; else it gets new bytes and a new
    /// index.
    mutating func editItems(of batch: inout Batch, _ edit: inout some ItemEdit, _ tally: inout DropTally) {
        if !Self.isInOrder(batch) { Self.putInOrder(&batch, &tally) }
        let bytes = batch.bytes
        let items = batch.items
        bytes.withUnsafeBytes { bytes in
            // An empty array has no memory; no item lies in it either.
            guard let base = bytes.baseAddress else { return }
            begin(base)
            var index: [Batch.Item] = []
            items.withUnsafeBufferPointer { items in
                for position in items.indices {
                    let wasChanged = hasChanged
                    let kept = editItem(items[position], base, &edit, &tally)
                    guard hasChanged else { continue }
                    if !wasChanged {
                        index.reserveCapacity(items.count)
                        index.append(contentsOf: items[..<position])
                    }
                    if let kept { index.append(kept) }
                }
            }
            guard hasChanged else { return }
            batch.bytes = finish(at: items.last.map { Int($0.offset) + Int($0.length) } ?? 0)
            batch.items = index
        }
    }

    /// The item's new index entry; nil when it is dropped.
    @inline(__always)
    private mutating func editItem(
        _ item: Batch.Item, _ base: UnsafeRawPointer, _ edit: inout some ItemEdit, _ tally: inout DropTally
    ) -> Batch.Item? {
        let state = state
        let start = Int(item.offset)
        let end = start + Int(item.length)
        let newStart = position(of: start)
        var fate = ItemFate.malformed
        var frame = FieldCursor(base, start..<end)
        if frame.next(), frame.tag & 7 == 2, frame.offset == end {
            enter(frame)
            fate = edit.edit(item, frame.message, &self)
        }
        if case .keep = fate {
            leave()
            guard hasChanged else { return item }
            let newEnd = position(of: end)
            if newEnd <= Self.outputBytesMax {
                var item = item
                item.offset = UInt32(newStart)
                item.length = UInt32(newEnd - newStart)
                edit.index(&item)
                return item
            }
            tally.tooLarge.add(end - start)
        } else if case .drop(let rule) = fate {
            tally.rules[rule].add(end - start)
        } else {
            tally.malformed.add(end - start)
        }
        restore(state)
        cut(start..<end)
        return nil
    }

    // MARK: batches that are not as receivers make them

    /// Whether items lie in their batch one after the other, in the order of the index.
    private static func isInOrder(_ batch: Batch) -> Bool {
        var end: UInt64 = 0
        for item in batch.items {
            guard UInt64(item.offset) >= end else { return false }
            end = UInt64(item.offset) + UInt64(item.length)
        }
        return end <= UInt64(batch.bytes.count)
    }

    /// Copies the items into the order of the index. One that lies outside of the batch is malformed.
    private static func putInOrder(_ batch: inout Batch, _ tally: inout DropTally) {
        var bytes: [UInt8] = []
        var items: [Batch.Item] = []
        for var item in batch.items {
            let range = Int(item.offset)..<Int(item.offset) + Int(item.length)
            guard range.upperBound <= batch.bytes.count, bytes.count + range.count <= outputBytesMax else {
                tally.malformed.add(range.count)
                continue
            }
            item.offset = UInt32(bytes.count)
            bytes += batch.bytes[range]
            items.append(item)
        }
        batch.bytes = bytes
        batch.items = items
    }
}
