// What an exporter keeps on disk until it has left, and which part of it the machine has in its hands.
//
// An entry of the queue is one export request, as it was accepted. Entries go to the machine in their order: straight from memory while the machine has room
// (its window), and else from disk, when it has room again. So what waits for a dead backend takes disk and not memory, and what a live one is sent is never
// read back. An entry is acknowledged when the last of its items has left the machine.

import Pipeline
import Queue
import System
import Telemetry
import Wire

/// Not shared: its exporter's lock covers it.
struct Backlog {
    /// An entry of the group that waits for its commit.
    private struct Fresh {
        var id: QueueEntryID
        var batches: [Batch]
    }

    /// What the machine has of an entry.
    private struct Outstanding {
        var signal: Signal
        var items: Int
        /// Of them, those that have left.
        var left = 0
    }

    /// Bytes of memory that the machine is filled up to; the entry that goes beyond is the last. Of a small queue a quarter: what the machine has cannot make
    /// room for others (`overflow: oldest`).
    static let windowBytes = 4 << 20
    private let windowBytes: Int

    let queue: DurableQueue
    private let budget: MemoryBudget
    /// Bytes of the budget that stand for what the machine holds. An entry alone in the machine needs none.
    private var budgetBytes = 0
    private var fresh: [Fresh] = []
    private var freshItems = SignalCounts()
    /// The last entry that the machine was given.
    private var handedOut: QueueEntryID?
    /// Whether the machine has not been given entries that are in the queue.
    private var hasMore: Bool
    private var outstanding: [UInt64: Outstanding] = [:]
    /// Items that have left, of entries that have not left as a whole.
    private var leftOfOutstanding = SignalCounts()
    /// Items of entries that were in the queue when it was opened.
    let recovered: SignalCounts
    /// Items of entries that were committed since.
    private(set) var appended = SignalCounts()
    /// Items the queue had no room for, though others took them.
    private(set) var overflowed = SignalCounts()
    /// Items of groups that could not be written, though their senders were told that they are taken.
    private(set) var unwritten = SignalCounts()
    /// Items of entries that are not the export request they should be.
    private(set) var undecodable = SignalCounts()
    /// Entries that have left, for who waits for that.
    private var acknowledged: [QueueEntryID] = []
    /// The machine is given no more.
    var isPaused = false
    /// Those of `undecodable`, for who waits for them.
    private var spoilt: [QueueEntryID] = []

    init(_ queue: DurableQueue, _ budget: MemoryBudget) {
        self.queue = queue
        self.budget = budget
        windowBytes = min(Self.windowBytes, max(queue.limits.bytesMax / 4, 1))
        recovered = queue.counts.items
        hasMore = queue.counts.entries > 0
    }

    /// Items that have not left.
    func queued(_ signal: Signal) -> Int { queue.counts.items[signal] - leftOfOutstanding[signal] }

    // MARK: In

    /// Puts an entry into the group that `commit` writes.
    mutating func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append {
        let outcome = queue.append(head, payload)
        if case .queued(let id) = outcome {
            fresh.append(Fresh(id: id, batches: batches))
            freshItems[head.signal] += Int(head.items)
        }
        return outcome
    }

    /// What there was no room for is gone: its sender was told that it is taken, since others have it.
    mutating func overflow(_ signal: Signal, items: Int) { overflowed[signal] += items }

    /// Writes the group. When that fails nothing of it is kept.
    /// - Parameters:
    ///   - isPromised: its senders were told already that it is taken; what is not kept is counted as dropped.
    ///   - now: monotonic nanoseconds.
    ///   - unix: nanoseconds.
    mutating func commit(
        _ machine: inout ExportMachine, isPromised: Bool, now: UInt64, unix: UInt64
    ) -> QueueFileError? {
        let group = fresh
        let items = freshItems
        fresh.removeAll(keepingCapacity: true)
        freshItems = SignalCounts()
        if case .failed(let error) = queue.commit(now: unix, monotonic: now) {
            if isPromised { for signal in Signal.allCases { unwritten[signal] += items[signal] } }
            return error
        }
        for signal in Signal.allCases { appended[signal] += items[signal] }
        for entry in group {
            if hasMore || !hasRoom(machine) || !give(entry.id, entry.batches, to: &machine, now: now) {
                hasMore = true
                break
            }
        }
        return nil
    }

    // MARK: To the machine

    /// Gives the machine what it has room for.
    mutating func refill(_ machine: inout ExportMachine, now: UInt64) {
        while hasMore, hasRoom(machine) {
            guard let (id, head) = queue.next(after: handedOut) else {
                hasMore = false
                return
            }
            do throws(QueueError) {
                let payload = try queue.read(id)
                guard let batches = head.batches(payload) else {
                    undecodable[head.signal] += Int(head.items)
                    handedOut = id
                    queue.acknowledge(id)
                    if queue.keepsDroppedIDs { spoilt.append(id) }
                    continue
                }
                guard give(id, batches, to: &machine, now: now) else { return queue.giveBack(id) }
            } catch {
                // What is damaged is out of the queue; what could not be read may be the next time.
                if case .files = error { return queue.giveBack(id) }
                handedOut = id
            }
        }
    }

    private func hasRoom(_ machine: ExportMachine) -> Bool {
        machine.heldBytes < windowBytes && !machine.isShutDown && !isPaused
    }

    /// False: the memory budget has no room. An entry that the machine has alone is given all the same, so that the way out is never closed.
    private mutating func give(
        _ id: QueueEntryID, _ batches: [Batch], to machine: inout ExportMachine, now: UInt64
    ) -> Bool {
        let bytes = batches.reduce(0) { $0 + $1.memoryBytes }
        if budget.take(bytes) {
            budgetBytes += bytes
        } else if machine.heldBytes > 0 {
            return false
        }
        guard let signal = batches.first?.signal, let (next, head) = queue.next(after: handedOut), next == id else {
            preconditionFailure("entry \(id) is not the one after \(handedOut?.description ?? "none")")
        }
        handedOut = id
        outstanding[id.sequence] = Outstanding(signal: signal, items: Int(head.items))
        for batch in batches {
            var batch = batch
            batch.ticket = id.sequence
            _ = machine.accept(batch, now: now)
        }
        return true
    }

    // MARK: Out

    /// Takes note of what has left the machine.
    mutating func settle(_ machine: inout ExportMachine) {
        for settled in machine.takeSettled() {
            guard var entry = outstanding[settled.ticket] else {
                preconditionFailure("entry \(settled.ticket) is not outstanding")
            }
            entry.left += settled.count
            leftOfOutstanding[entry.signal] += settled.count
            precondition(
                entry.left <= entry.items, "entry \(settled.ticket) has \(entry.items) items, \(entry.left) left")
            outstanding[settled.ticket] = entry
            if entry.left == entry.items { acknowledge(QueueEntryID(sequence: settled.ticket), entry) }
        }
        queue.flushAcknowledgements()
        if machine.heldBytes < budgetBytes {
            budget.giveBack(budgetBytes - machine.heldBytes)
            budgetBytes = machine.heldBytes
        }
    }

    /// The machine has nothing any more: what it had is the queue's again.
    mutating func giveBackAll() {
        for sequence in outstanding.keys { queue.giveBack(QueueEntryID(sequence: sequence)) }
        outstanding = [:]
        budget.giveBack(budgetBytes)
        budgetBytes = 0
    }

    private mutating func acknowledge(_ id: QueueEntryID, _ entry: Outstanding) {
        leftOfOutstanding[entry.signal] -= entry.items
        outstanding[id.sequence] = nil
        queue.acknowledge(id)
        acknowledged.append(id)
    }

    /// The entries that have left since the last call.
    mutating func takeAcknowledged() -> [QueueEntryID] {
        defer { acknowledged.removeAll(keepingCapacity: true) }
        return acknowledged
    }

    /// The entries that were given up since the last call.
    mutating func takeLost() -> [QueueEntryID] {
        guard queue.keepsDroppedIDs else { return [] }
        defer { spoilt.removeAll(keepingCapacity: true) }
        return queue.takeDroppedIDs() + spoilt
    }
}
