import Telemetry

/// The batch under way of one resource. Its memory is the workspace's: a thousand quiet sources hold none.
final class OpenBatch {
    /// A batch is closed before it grows beyond, unless it is of one record. Bytes.
    static let bytesMax = 4 << 20
    static let bytesLeast = 64 << 10

    let resource: [UInt8]
    /// How many write to it.
    var sources = 0
    private unowned let workspace: LogWorkspace
    private var base: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private(set) var count = 0
    private var items: [Batch.Item] = []

    init(resource: [UInt8], _ workspace: LogWorkspace) {
        self.resource = resource
        self.workspace = workspace
    }

    deinit { base?.deallocate() }

    /// Room for a record of at most `bytes`, frame included, and `Text.slack` more.
    @inline(__always)
    func reserve(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        if _fastPath(count &+ bytes &+ Text.slack <= capacity), let base { return base + count }
        return makeRoom(bytes + Text.slack)
    }

    @inline(never)
    private func makeRoom(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        if count > 0, count + bytes > Self.bytesMax { close() }
        if base == nil, let kept = workspace.takeMemory(atLeast: bytes) {
            base = kept.baseAddress
            capacity = kept.count
        }
        if count == 0 { workspace.opened(self) }
        if capacity < count + bytes {
            let larger = max(count + bytes, min(capacity * 2, Self.bytesMax), Self.bytesLeast)
            let new = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            if let base {
                new.update(from: base, count: count)
                base.deallocate()
            }
            base = new
            capacity = larger
        }
        return base! + count
    }

    /// Three bytes before a record's message: the tag, and its length as most have it.
    static let frameBytes = 3

    /// Takes the record whose message ends at `end`; it begins `frameBytes` behind the place that `reserve` gave.
    @inline(__always)
    func finish(_ end: UnsafeMutablePointer<UInt8>, time: UInt64, _ line: borrowing LineFields) {
        let start = base! + count
        let length = end - (start + Self.frameBytes)
        var whole = length + Self.frameBytes
        start[0] = 2 << 3 | 2
        if _fastPath(UInt(bitPattern: length &- 0x80) < 0x3F80) {
            start[1] = UInt8(truncatingIfNeeded: length) | 0x80
            start[2] = UInt8(truncatingIfNeeded: length >> 7)
        } else {
            let size = FieldWriter.varintSize(length)
            (start + 1 + size).update(from: start + Self.frameBytes, count: length)
            var writer = FieldWriter(start + 1)
            writer.varint(UInt64(length))
            whole = 1 + size + length
        }
        items.append(
            Batch.Item(
                offset: UInt32(truncatingIfNeeded: count), length: UInt32(truncatingIfNeeded: whole), scope: 0,
                status: line.severity, kind: 0, traceID: TraceID(high: line.traceHigh, low: line.traceLow),
                spanID: SpanID(line.spanID), parentSpanID: .invalid, start: time, end: time))
        count &+= whole
    }

    /// What has been written, as a batch for the workspace.
    func close() {
        guard let base, count > 0 else { return }
        var batch = Batch(signal: .logs, resource: resource, scopes: [LogWorkspace.scope])
        batch.bytes = [UInt8](UnsafeBufferPointer(start: base, count: count))
        batch.items = items
        items = []
        workspace.closed(batch, memory: UnsafeMutableBufferPointer(start: base, count: capacity))
        self.base = nil
        capacity = 0
        count = 0
    }
}
