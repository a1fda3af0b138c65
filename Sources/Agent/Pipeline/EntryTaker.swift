internal import Exporters
internal import Queue
internal import Telemetry

/// Where accepted requests are kept: an exporter's durable queue, or the one in front of processors that remember. On the server's thread.
protocol EntryTaker: AnyObject {
    /// Puts a request into the group that the next `commit` writes.
    func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append
    /// Writes the group. When that fails nothing of it is kept.
    /// - Parameter isPromised: who sent it was told already that it is taken: what is not kept is dropped, and counted.
    func commit(isPromised: Bool) -> QueueFileError?
    /// Whether a request of about so many bytes has room.
    func mayTake(bytes: Int) -> Bool
    /// Why nothing can be written at the moment.
    var queueFailure: QueueFileError? { get }
    /// What intents of files' places know it by: the queue's folder.
    var queueName: String { get }
    /// What was in the queue when it was opened.
    var queueRecovery: QueueRecovery { get }
    /// `DurableQueue.syncedAt`.
    var queueSyncedAt: UInt64? { get }
    /// Whether there is nothing in it that could make room by leaving.
    var isQueueEmpty: Bool { get }
    /// There was no room for items that others took: they are dropped here, and counted.
    func overflowed(_ signal: Signal, items: Int, bytes: Int)
}

/// A bit for each taker: 64 exporters and 64 pipelines at most.
typealias TakerSet = UInt128

/// All takers. Their groups are filled, then written together.
struct EntryTakers {
    static let countMax = TakerSet.bitWidth

    let all: [any EntryTaker]
    /// Those that have a group.
    private var filled: TakerSet = 0

    init(_ all: [any EntryTaker]) {
        precondition(all.count <= Self.countMax, "\(all.count) queues")
        self.all = all
    }

    mutating func append(
        _ taker: Int, _ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]
    ) -> DurableQueue.Append {
        // A queue that cannot write is tried once a turn.
        if all[taker].queueFailure != nil, filled & (1 << TakerSet(taker)) != 0 { return .full }
        let outcome = all[taker].append(head, payload, batches)
        if case .queued = outcome { filled |= 1 << TakerSet(taker) }
        return outcome
    }

    /// Writes all groups; returns those that could not be, of which nothing is kept.
    mutating func commit(isPromised: Bool = false) -> TakerSet {
        var failed: TakerSet = 0
        for taker in all.indices where filled & (1 << TakerSet(taker)) != 0 {
            if all[taker].commit(isPromised: isPromised) != nil { failed |= 1 << TakerSet(taker) }
        }
        filled = 0
        return failed
    }
}
