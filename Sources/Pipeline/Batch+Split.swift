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

    /// Parts of at most so many bytes of memory, or of one item; all keep resource, scopes and ticket. Copies the bytes of what is more than one part.
    public func pieces(memoryBytesMax: Int) -> [Batch] {
        guard memoryBytes > memoryBytesMax, items.count > 1 else { return [self] }
        let room = memoryBytesMax - memoryOverheadBytes
        var pieces: [Batch] = []
        var first = 0
        for index in items.indices {
            let end = Int(items[index].offset + items[index].length) - Int(items[first].offset)
            if index > first, end + (index - first + 1) * Self.itemBytes > room {
                pieces.append(part(first..<index))
                first = index
            }
        }
        pieces.append(part(first..<items.count))
        return pieces
    }

    private func part(_ range: Range<Int>) -> Batch {
        var part = Batch(signal: signal, resource: resource, resourceSchemaURL: resourceSchemaURL, scopes: scopes)
        part.ticket = ticket
        let start = items[range.lowerBound].offset
        let end = range.upperBound < items.count ? Int(items[range.upperBound].offset) : bytes.count
        part.bytes = Array(bytes[Int(start)..<end])
        part.items = items[range].map { item in
            var item = item
            item.offset -= start
            return item
        }
        return part
    }
}
