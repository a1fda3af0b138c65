public import Telemetry

extension Batch {
    /// What an index entry takes in memory, bytes.
    static let itemBytes = MemoryLayout<Item>.stride

    /// Bytes of memory this batch keeps alive, near enough to bound a queue by.
    public var memoryBytes: Int { memoryOverheadBytes + bytes.count + items.count * Self.itemBytes }

    private var memoryOverheadBytes: Int {
        scopes.reduce(256 + resource.count) { $0 + $1.message.count + 32 }
    }

    func sharesResource(with other: Batch) -> Bool {
        resource == other.resource && resourceSchemaURL == other.resourceSchemaURL
    }

    /// The largest number of leading items that together keep within both limits; 0 when not even one does.
    func prefixCount(itemsMax: Int, memoryBytesMax: Int) -> Int {
        var low = 0
        var high = min(items.count, max(itemsMax, 0))
        let room = memoryBytesMax - memoryOverheadBytes
        while low < high {  // invariant: `low` items fit, `high + 1` do not
            let middle = (low + high + 1) / 2
            let end = Int(items[middle - 1].offset + items[middle - 1].length)
            if end + middle * Self.itemBytes <= room { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Two batches with the first `count` items and the rest; both keep resource and scopes. Copies the bytes.
    func split(at count: Int) -> (Batch, Batch) {
        precondition(count > 0 && count < items.count, "split of \(items.count) items at \(count)")
        let cut = items[count].offset
        var first = Batch(signal: signal, resource: resource, resourceSchemaURL: resourceSchemaURL, scopes: scopes)
        first.ticket = ticket
        var second = first
        first.bytes = Array(bytes[..<Int(cut)])
        first.items = Array(items[..<count])
        second.bytes = Array(bytes[Int(cut)...])
        second.items = items[count...].map { item in
            var item = item
            item.offset -= cut
            return item
        }
        return (first, second)
    }
}
