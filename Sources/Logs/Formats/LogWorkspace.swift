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
    /// Lines that were taken for a part of a record and are none.
    var takenBack = ScratchMemory()
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
        for batch in closing {
            batch.close()
            if batch.sources == 0 { byResource[batch.resource] = nil }
        }
        let batches = finished
        finished = []
        finishedBytes = 0
        return batches
    }

    // MARK: batches

    func batch(of resource: [UInt8]) -> OpenBatch {
        let batch = byResource[resource] ?? OpenBatch(resource: resource, self)
        byResource[resource] = batch
        batch.sources += 1
        return batch
    }

    /// One source less writes to it.
    func release(_ batch: OpenBatch) {
        batch.sources -= 1
        if batch.sources == 0, batch.count == 0 { byResource[batch.resource] = nil }
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
