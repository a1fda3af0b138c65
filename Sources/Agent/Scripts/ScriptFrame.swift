internal import Glibc
internal import Processors
internal import Telemetry
internal import Wire

/// Why a script did nothing for an item. The raw value is the rule of a drop, and the label of a counter.
enum ScriptFailure: String, CaseIterable {
    /// It threw.
    case error
    /// The item, or what the script made of it, has no room in the memory shared with the worker.
    case tooLarge = "too_large"
    /// The item is no OTLP within.
    case malformed
    /// The worker gave something back that is none of what it was given.
    case invalid
    /// The batch's CPU time was used up.
    case cpu
    /// The worker did not come back in time.
    case timeout
    /// The script's heap was full.
    case heap
    /// The worker ended.
    case crash
    /// The worker had ended too often, and is started again later.
    case down
}

/// What goes to the worker at once: pieces of batches, in the order they came. It keeps the batches: what the worker writes is compared with them, and
/// what it leaves alone is taken from them.
struct ScriptFrame {
    struct Piece {
        let batch: Batch
        let range: Range<Int>
    }

    private(set) var pieces: [Piece] = []
    private(set) var itemCount = 0
    private var bytes = 0
    /// Where it is with the worker.
    var slot: Int?
    /// It does not go to the worker.
    var failure: ScriptFailure?

    init() {}

    /// One item that no worker is given.
    init(_ batch: Batch, _ index: Int, _ failure: ScriptFailure) {
        pieces = [Piece(batch: batch, range: index..<index + 1)]
        itemCount = 1
        self.failure = failure
    }

    var isEmpty: Bool { itemCount == 0 }

    /// Adds items from `start` on, as many as fit, up to `itemsMax` in all; where the rest begins.
    mutating func add(_ batch: Batch, from start: Int, itemsMax: Int = ScriptMemory.itemsMax) -> Int {
        var index = start
        var lastScope = -1
        var needed = bytes + batch.resource.count
        while index < batch.items.count, itemCount < itemsMax {
            let item = batch.items[index]
            var next = needed + Int(item.length)
            if Int(item.scope) != lastScope { next += batch.scopes[Int(item.scope)].message.count }
            guard next <= ScriptMemory.Input.dataBytes else { break }
            needed = next
            lastScope = Int(item.scope)
            itemCount += 1
            index += 1
        }
        if index > start {
            pieces.append(Piece(batch: batch, range: start..<index))
            bytes = needed
        }
        return index
    }

    /// The lowest ticket of what is in it; nil: none has one.
    var ticket: UInt64? { pieces.lazy.map(\.batch.ticket).filter { $0 > 0 }.min() }

    // MARK: the memory

    /// Puts it into a slot, for the worker.
    func write(to memory: ScriptMemory, slot: Int) {
        let base = memory.baseAddress
        let input = ScriptMemory.input(slot)
        var at = input + ScriptMemory.Input.data
        func store(_ first: Int, _ second: Int, _ third: Int, _ fourth: Int, to offset: Int) {
            let words = SIMD4(UInt32(first), UInt32(second), UInt32(third), UInt32(fourth))
            base.storeBytes(of: words, toByteOffset: offset, as: SIMD4<UInt32>.self)
        }
        func put(_ bytes: UnsafeRawBufferPointer) -> (Int, Int) {
            if let start = bytes.baseAddress { memcpy(base + at, start, bytes.count) }
            defer { at += bytes.count }
            return (at, bytes.count)
        }
        var (item, scope) = (0, 0)
        for (group, piece) in pieces.enumerated() {
            let batch = piece.batch
            let (offset, length) = batch.resource.withUnsafeBytes { put($0) }
            store(
                Int(batch.signal.rawValue), offset, length, 0,
                to: input + ScriptMemory.Input.groups + group * ScriptMemory.Input.groupBytes)
            var lastScope = -1
            batch.bytes.withUnsafeBytes { bytes in
                for entry in batch.items[piece.range] {
                    if Int(entry.scope) != lastScope {
                        lastScope = Int(entry.scope)
                        let (offset, length) = batch.scopes[lastScope].message.withUnsafeBytes { put($0) }
                        base.storeBytes(
                            of: SIMD2(UInt32(offset), UInt32(length)),
                            toByteOffset: input + ScriptMemory.Input.scopes + scope * ScriptMemory.Input.scopeBytes,
                            as: SIMD2<UInt32>.self)
                        scope += 1
                    }
                    let (offset, length) = put(Self.message(entry, in: bytes))
                    store(
                        offset, length, scope - 1, group,
                        to: input + ScriptMemory.Input.items + item * ScriptMemory.Input.itemBytes)
                    item += 1
                }
            }
        }
        store(item, pieces.count, scope, 0, to: input + ScriptMemory.Input.counts)
        memset(base + ScriptMemory.output(slot), 0, item * ScriptMemory.Output.resultBytes)
    }

    /// An item without its frame.
    private static func message(_ item: Batch.Item, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let end = Int(item.offset) + Int(item.length)
        var start = Int(item.offset) + 1
        while start < end, bytes[start] >= 0x80 { start += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[min(start + 1, end)..<end])
    }

    // MARK: what comes back

    /// What the worker has written about the items of a slot, copied: it may go on writing.
    struct Results {
        private let table: [UInt32]
        private let memory: ScriptMemory
        private let slot: Int
        /// What becomes of items that the worker says nothing about.
        let missing: ScriptFailure
        /// Bytes that replaced items may still have: they cannot lie in the same place.
        private var bytesLeft = ScriptMemory.outputBytes - ScriptMemory.Output.data

        init(_ memory: ScriptMemory, slot: Int, itemCount: Int, missing: ScriptFailure) {
            self.memory = memory
            self.slot = slot
            self.missing = missing
            let words = ScriptMemory.Output.resultBytes / 4
            table = [UInt32](unsafeUninitializedCapacity: itemCount * words) { table, count in
                memcpy(table.baseAddress!, memory.baseAddress + ScriptMemory.output(slot), itemCount * words * 4)
                count = itemCount * words
            }
        }

        enum Result {
            case keep, drop, replaced(Batch.Item)
            case failed(ScriptFailure)
        }

        /// What has become of item `index`. A replaced one is added to `bytes` with its frame, once it is known to be the item that `original` is, changed.
        mutating func take(_ index: Int, _ original: Batch.Item, _ signal: Signal, to bytes: inout [UInt8]) -> Result {
            let words = ScriptMemory.Output.resultBytes / 4
            switch ScriptMemory.Verdict(rawValue: table[index * words]) {
            case .keep: return .keep
            case .drop: return .drop
            case .threw: return .failed(.error)
            case .tooLarge: return .failed(.tooLarge)
            case .malformed: return .failed(.malformed)
            case .some(.none): return .failed(missing)
            case nil: return .failed(.invalid)
            case .replace: break
            }
            let offset = Int(table[index * words + 1])
            let length = Int(table[index * words + 2])
            guard offset >= ScriptMemory.Output.data, offset <= ScriptMemory.outputBytes,
                length <= ScriptMemory.outputBytes - offset, length <= bytesLeft
            else { return .failed(.invalid) }
            bytesLeft -= length
            let start = bytes.count
            bytes.append(0x12)
            var rest = length
            while rest > 0x7F {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
            let body = bytes.count
            bytes.append(
                contentsOf: UnsafeRawBufferPointer(
                    start: memory.baseAddress + ScriptMemory.output(slot) + offset, count: length))
            // Looked at where it is now: nobody else can change it there.
            let found = bytes.withUnsafeBytes {
                try? OTLP.indexEntry(of: UnsafeRawBufferPointer(rebasing: $0[body...]), signal)
            }
            guard var entry = found, Self.isSame(entry, original) else {
                bytes.removeLast(bytes.count - start)
                return .failed(.invalid)
            }
            entry.offset = UInt32(start)
            entry.length = UInt32(bytes.count - start)
            entry.scope = original.scope
            return .replaced(entry)
        }

        /// No script can change these.
        private static func isSame(_ item: Batch.Item, _ original: Batch.Item) -> Bool {
            item.traceID == original.traceID && item.spanID == original.spanID
                && item.parentSpanID == original.parentSpanID && item.start == original.start
                && item.end == original.end
        }
    }
}
