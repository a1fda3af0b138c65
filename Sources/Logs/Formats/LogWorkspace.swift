public import Telemetry
import Wire

/// What formatters of one thread share: the batches under way, and memory that each line uses anew.
public final class LogWorkspace {
    /// Kept between batches. Bytes.
    private static let memoryKeptMax = 2 * OpenBatch.bytesMax
    static let scope = OTLP.message(InstrumentationScope(name: "sidelight.logs"))

    var line = LineFields()
    /// Strings of the line without their escapes.
    var unescaped = ScratchMemory()
    /// A container's line without its escapes.
    var containerText = ScratchMemory()
    /// The last line of what was read, with room behind it.
    var lastLine = ScratchMemory()
    let names = AttributeNames()
    public internal(set) var counts = LogCounts()

    private var byResource: [[UInt8]: OpenBatch] = [:]
    private var open: [OpenBatch] = []
    private var finished: [Batch] = []
    private var finishedBytes = 0
    private var memory: UnsafeMutableBufferPointer<UInt8>?

    public init() {}

    deinit { memory?.deallocate() }

    /// Bytes of the records that `takeBatches` would give.
    public var bytesWaiting: Int { open.reduce(finishedBytes) { $0 + $1.count } }

    /// The records that are complete, a batch a resource (more where it would be large), in order within each.
    public func takeBatches() -> [Batch] {
        let closing = open
        open = []
        for batch in closing { batch.close() }
        let batches = finished
        finished = []
        finishedBytes = 0
        return batches
    }

    // MARK: batches

    func batch(of resource: [UInt8]) -> OpenBatch {
        if let known = byResource[resource] { return known }
        // Those of sources that have gone are not found again; they are few beside their sources' files.
        let new = OpenBatch(resource: resource, self)
        byResource[resource] = new
        return new
    }

    /// No source is left that writes to it.
    func release(_ batch: OpenBatch) {
        if batch.count == 0 { byResource[batch.resource] = nil }
    }

    func opened(_ batch: OpenBatch) {
        if !open.contains(where: { $0 === batch }) { open.append(batch) }
    }

    func closed(_ batch: Batch, memory: UnsafeMutableBufferPointer<UInt8>) {
        finished.append(batch)
        finishedBytes += batch.bytes.count
        if self.memory == nil, memory.count <= Self.memoryKeptMax { self.memory = memory } else { memory.deallocate() }
    }

    func takeMemory(atLeast bytes: Int) -> UnsafeMutableBufferPointer<UInt8>? {
        guard let kept = memory, kept.count >= bytes else { return nil }
        memory = nil
        return kept
    }
}

/// Memory that grows to what is asked of it, `Text.slack` behind that included. What lies there is worth nothing after the next line.
struct ScratchMemory: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Bytes in use.
    var count = 0

    /// Kept between lines. Bytes.
    private static let keptMax = 256 << 10

    init() {
        capacity = 4_096
        base = .allocate(capacity: capacity + Text.slack)
        base.initialize(repeating: 0, count: capacity + Text.slack)
    }

    deinit { base.deallocate() }

    /// Room for `bytes`; what was there is gone.
    @inline(__always)
    mutating func begin(_ bytes: Int) {
        count = 0
        if _slowPath(bytes > capacity || capacity > Self.keptMax) { resize(max(bytes, 4_096)) }
    }

    @inline(never)
    private mutating func resize(_ bytes: Int) {
        guard bytes > capacity || capacity > 2 * bytes else { return }
        base.deallocate()
        capacity = bytes
        base = .allocate(capacity: capacity + Text.slack)
        base.initialize(repeating: 0, count: capacity + Text.slack)
    }

    /// What the string says, its escapes undone. There must be room for it.
    @inline(__always)
    mutating func unescape(_ text: Text) -> Text {
        let start = base + count
        let end = JSONScan.unescape(text, to: start)
        count = end - base
        return Text(UnsafePointer(start), UnsafePointer(end))
    }

    /// A copy with room behind it.
    @inline(__always)
    mutating func copy(_ text: Text) -> Text {
        begin(text.count)
        base.update(from: text.start, count: text.count)
        return Text(UnsafePointer(base), count: text.count)
    }
}

/// Names of attributes that formats give, where writers may read beyond them.
struct AttributeNames: ~Copyable {
    private let memory: UnsafeMutablePointer<UInt8>
    let exceptionType: Text
    let exceptionMessage: Text
    let exceptionStack: Text
    let exceptionEvent: Text

    init() {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 1_024)
        memory.initialize(repeating: 0, count: 1_024)
        var used = 0
        func keep(_ name: StaticString) -> Text {
            precondition(used + name.utf8CodeUnitCount + Text.slack <= 1_024, "no room for \(name)")
            let start = memory + used
            start.update(from: name.utf8Start, count: name.utf8CodeUnitCount)
            used += name.utf8CodeUnitCount
            return Text(UnsafePointer(start), count: name.utf8CodeUnitCount)
        }
        exceptionType = keep("exception.type")
        exceptionMessage = keep("exception.message")
        exceptionStack = keep("exception.stacktrace")
        exceptionEvent = keep("exception")
        self.memory = memory
    }

    deinit { memory.deallocate() }
}
