import Telemetry

/// A row of `batch` and `body` in the making: items of one signal and one resource, from one or more batches.
struct RowBuilder {
    let signal: Signal
    let resource: [UInt8]
    let resourceSchemaURL: String
    private(set) var scopes: [Batch.Scope] = []
    private(set) var runs: [BatchBody.ScopeRun] = []
    private(set) var bytes: [UInt8] = []
    private(set) var items = 0
    private(set) var errors = 0
    private(set) var minTime = UInt64.max
    private(set) var maxTime: UInt64 = 0
    /// With repetitions; `traces()` is without.
    private var keys: [UInt64] = []

    /// Log records of this severity and above count as errors. OTLP `SEVERITY_NUMBER_ERROR`.
    static let errorSeverity: UInt8 = 17

    init(_ batch: Batch) {
        signal = batch.signal
        resource = batch.resource
        resourceSchemaURL = batch.resourceSchemaURL
    }

    func accepts(_ batch: Batch) -> Bool {
        batch.signal == signal && batch.resource == resource && batch.resourceSchemaURL == resourceSchemaURL
            && scopes.count + batch.scopes.count <= Int(UInt16.max)
    }

    /// A row of one batch, all of whose bytes are items in their order, and which is about as large as a row: its bytes are shared, not
    /// copied. Nil when it is not so.
    init?(whole batch: Batch, rowBytes: Int) {
        guard batch.bytes.count >= rowBytes, batch.bytes.count <= rowBytes + rowBytes / 4 else { return nil }
        self.init(batch)
        let places = batch.scopes.map { place(of: $0) }
        var end = 0
        for item in batch.items {
            guard Int(item.offset) == end else { return nil }
            end += Int(item.length)
            note(item, scope: Int(item.scope) < places.count ? places[Int(item.scope)] : 0)
        }
        guard end == batch.bytes.count else { return nil }
        bytes = batch.bytes
    }

    /// Takes items from `start` on until the row holds `bytesMax`; returns the first one not taken.
    mutating func add(_ batch: Batch, from start: Int, bytesMax: Int) -> Int {
        let places = batch.scopes.map { place(of: $0) }
        var index = start
        bytes.reserveCapacity(min(bytesMax, bytes.count + batch.bytes.count))
        batch.bytes.withUnsafeBytes { source in
            // Items that lie one behind the other are copied in one go.
            var copyFrom = 0
            var copyEnd = 0
            var room = bytesMax - bytes.count
            while index < batch.items.count {
                let item = batch.items[index]
                let length = Int(item.length)
                if length > room, items > 0 { break }
                room -= length
                if Int(item.offset) != copyEnd {
                    bytes.append(contentsOf: source[copyFrom..<copyEnd])
                    copyFrom = Int(item.offset)
                }
                copyEnd = Int(item.offset) + length
                note(item, scope: Int(item.scope) < places.count ? places[Int(item.scope)] : 0)
                index += 1
            }
            bytes.append(contentsOf: source[copyFrom..<copyEnd])
        }
        return index
    }

    private mutating func place(of scope: Batch.Scope) -> UInt16 {
        if let index = scopes.firstIndex(of: scope) { return UInt16(index) }
        scopes.append(scope)
        return UInt16(scopes.count - 1)
    }

    @inline(__always)
    private mutating func note(_ item: Batch.Item, scope: UInt16) {
        items &+= 1
        switch signal {
        case .traces: if item.status == SpanStatus.Code.error.rawValue { errors &+= 1 }
        case .logs: if item.status >= Self.errorSeverity { errors &+= 1 }
        case .metrics: break
        }
        if item.start != 0, item.start < minTime { minTime = item.start }
        maxTime = max(maxTime, item.end, item.start)
        if item.traceID.isValid {
            let key = TraceKey.of(item.traceID)
            if keys.last != key { keys.append(key) }
        }
        if let last = runs.indices.last, runs[last].scope == scope {
            runs[last].items &+= 1
        } else {
            runs.append(BatchBody.ScopeRun(scope: scope, items: 1))
        }
    }

    /// The column `traces`.
    func traces() -> [UInt8] {
        let sorted = keys.sorted()
        return [UInt8](unsafeUninitializedCapacity: sorted.count * 8) { out, count in
            let out = UnsafeMutableRawBufferPointer(out)
            var last: UInt64?
            count = 0
            for key in sorted where key != last {
                out.storeBytes(of: key.littleEndian, toByteOffset: count, as: UInt64.self)
                count += 8
                last = key
            }
        }
    }
}

/// Batches to rows: small ones of the same signal and resource become one row, large ones several.
struct RowMerger {
    /// More open rows than this are not kept; the oldest is closed. Bounds the search for each batch.
    static let openRowsMax = 16

    let rowBytes: Int
    private var open: [RowBuilder] = []
    private var closed: [RowBuilder] = []

    init(rowBytes: Int) { self.rowBytes = rowBytes }

    mutating func add(_ batch: Batch) {
        if let row = RowBuilder(whole: batch, rowBytes: rowBytes) { return closed.append(row) }
        var next = 0
        while next < batch.items.count {
            // Taken out, so that the arrays inside grow in place.
            var row: RowBuilder
            if let index = open.firstIndex(where: { $0.accepts(batch) }) {
                row = open.remove(at: index)
            } else {
                row = RowBuilder(batch)
            }
            next = row.add(batch, from: next, bytesMax: rowBytes)
            if next < batch.items.count || row.bytes.count >= rowBytes { closed.append(row) } else { open.append(row) }
        }
        if open.count > Self.openRowsMax { closed.append(open.removeFirst()) }
    }

    /// All rows, closed ones first.
    mutating func take() -> [RowBuilder] {
        defer {
            open = []
            closed = []
        }
        return closed + open
    }
}
