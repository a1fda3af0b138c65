// An exporter that keeps what it is given on disk until a backend has it.

import Pipeline
public import Queue
public import Telemetry
import Wire

extension QueueEntryHead {
    /// What receivers bound is in the queue, and processors may have added to it.
    private static let limits = OTLP.ReceiveLimits(requestBytesMax: .max, itemsMax: .max, resourcesMax: .max)

    /// What an entry of a queue holds; nil when that is not what the head says.
    public func batches(_ payload: [UInt8]) -> [Batch]? {
        guard let received = try? OTLP.batches(fromExportRequest: payload, signal: signal, limits: Self.limits),
            received.rejectedItems == 0, received.batches.reduce(0, { $0 + $1.items.count }) == Int(items), items > 0
        else { return nil }
        return received.batches
    }
}

extension Exporter {
    /// Puts an export request into the group that the next `commit` writes. One that there is no room for is not counted. Only with a durable queue.
    /// - Parameter batches: what the payload holds.
    public func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append {
        let (outcome, gone, event) = state.withLock { state in
            let outcome = state.backlog!.append(head, payload, batches)
            return (outcome, state.backlog!.takeLost(), Self.overflowed(&state) ? Self.becameFull(&state) : nil)
        }
        tell(gone, event)
        return outcome
    }

    /// Whether a request of about so many bytes has room, so that no work is done for one that has none. Only with a durable queue.
    public func mayTake(bytes: Int) -> Bool {
        let (may, event): (Bool, ExporterEvent?) = state.withLock { state in
            let may = state.backlog!.queue.mayTake(bytes)
            return (may, may ? nil : Self.becameFull(&state))
        }
        if let event { report(event) }
        return may
    }

    /// Items that the queue had no room for are dropped, since others took them.
    public func drop(_ signal: Signal, items: Int) { state.withLock { $0.backlog!.overflow(signal, items: items) } }

    /// Writes what was appended. When that fails, nothing of it is kept.
    /// - Parameter isPromised: who sent it was told already that it is taken, and will not come again: what is not kept is dropped, and counted.
    public func commit(isPromised: Bool = false) -> QueueFileError? {
        let now = clock.monotonicNanoseconds()
        let unix = clock.unixNanoseconds()
        let (error, timer, gone, events) = state.withLock { state in
            let before = state.backlog!.unwritten
            let error = state.backlog!.commit(&state.machine, isPromised: isPromised, now: now, unix: unix)
            var events: [ExporterEvent] = []
            if let error {
                events += [Self.becameFull(&state)].compactMap(\.self)
                events += Self.unwritten(since: before, state.backlog!, error)
            }
            return (error, Self.arm(&state, state.machine.wakeAt(now)), state.backlog!.takeLost(), events)
        }
        startTimer(timer)
        tell(gone, nil)
        for event in events { report(event) }
        return error
    }

    private static func unwritten(
        since before: SignalCounts, _ backlog: Backlog, _ error: QueueFileError
    ) -> [ExporterEvent] {
        Signal.allCases.compactMap { signal in
            let items = backlog.unwritten[signal] - before[signal]
            return items > 0 ? .dropped(signal, .queueFailed, items: items, message: error.description) : nil
        }
    }

    /// What is to be done about once a second: what is too old is dropped, what was written is made to survive a loss of power, what waits on disk is looked at.
    /// Returns what the queue itself gave up since the last time.
    public func tick() -> [QueueDrop] {
        let now = clock.monotonicNanoseconds()
        let unix = clock.unixNanoseconds()
        let (drops, timer, gone, event) = state.withLock { state in
            state.backlog!.queue.tick(now: unix, monotonic: now)
            let event = Self.roomAgain(&state)
            return (state.backlog!.queue.takeDrops(), Self.arm(&state, now), state.backlog!.takeLost(), event)
        }
        startTimer(timer)
        tell(gone, event)
        return drops
    }

    // MARK: Full, and not

    /// Whether the queue has refused an entry, or evicted some, since this was asked.
    private static func overflowed(_ state: inout State) -> Bool {
        let counts = state.backlog!.queue.counts
        let overflows = counts.full.total &+ counts.evicted.total
        defer { state.overflows = overflows }
        return overflows != state.overflows
    }

    /// Takes note that the queue did not take something; what to say of it when it is the first time.
    private static func becameFull(_ state: inout State) -> ExporterEvent? {
        state.overflowedInTick = true
        guard !state.isFull else { return nil }
        state.isFull = true
        return fullness(state.backlog!.queue)
    }

    private static func fullness(_ queue: DurableQueue) -> ExporterEvent {
        if let failure = queue.failure { return .queueFails(message: failure.description) }
        return .queueFull(evicts: queue.limits.overflow == .oldest)
    }

    /// Once a tick. It has room again when a tenth of it is free and it had no need of more for a tick.
    private static func roomAgain(_ state: inout State) -> ExporterEvent? {
        let overflows = overflowed(&state) || state.overflowedInTick
        state.overflowedInTick = false
        let queue = state.backlog!.queue
        if overflows {
            state.isFull = true
            return fullness(queue)
        }
        guard state.isFull, queue.failure == nil, queue.counts.bytesOnDisk <= queue.limits.bytesMax / 10 * 9 else {
            return nil
        }
        state.isFull = false
        return .queueHasRoom
    }

    /// After the lock was left.
    func tell(_ gone: [QueueEntryID], _ event: ExporterEvent?) {
        if let lost, !gone.isEmpty { lost(gone) }
        if let event { report(event) }
    }

    // MARK: The end, and the books

    /// Ends it: what the machine has in flight may be answered until the deadline (monotonic nanoseconds); the rest stays on disk.
    public func close(_ deadline: UInt64) {
        if !isOutage { _ = flush(deadline) }
        state.withLock { state in
            _ = state.machine.shutdown()
            state.backlog!.giveBackAll()
            state.backlog!.queue.flushAcknowledgements()
            state.backlog!.queue.sync()
        }
        closeDestination()
    }

    /// Sends what it has in its hands and nothing more; what is appended stays in the queue. Blocks until that has left or the deadline (monotonic nanoseconds)
    /// has come.
    public func pause(_ deadline: UInt64) {
        state.withLock { $0.backlog!.isPaused = true }
        if !isOutage { _ = flush(deadline) }
    }

    /// Ends it and gives its queue away, with all that is not known to be delivered. Not while a group waits for its commit; nothing of the durable kind may be
    /// called afterwards.
    public func releaseQueue() -> sending DurableQueue {
        // One owner at a time: from now on the caller.
        nonisolated(unsafe) let queue = state.withLock { state in
            _ = state.machine.shutdown()
            state.backlog!.giveBackAll()
            nonisolated(unsafe) let queue = state.backlog!.queue
            state.backlog = nil
            return QueueBox(queue: queue)
        }.queue
        closeDestination()
        return queue
    }

    private struct QueueBox: @unchecked Sendable { let queue: DurableQueue }

    /// Where what it was given is: received = exported + dropped + queued, for each signal.
    public func books(_ signal: Signal) -> ExporterBooks { state.withLock { $0.backlog!.books(signal, $0.machine) } }

    /// Items that are lost for good: not those that the backend has no place for. With or without a durable queue.
    public func lostItems(_ signal: Signal) -> Int {
        state.withLock { state in
            let account = state.machine.accounting[signal]
            let all = state.backlog?.books(signal, state.machine).dropped.values.reduce(0, +) ?? account.dropped
            return all - account.dropped(.unsupported)
        }
    }

    public var queueCounts: QueueCounts { state.withLock { $0.backlog!.queue.counts } }

    /// What was in the queue when it was opened.
    public var queueRecovery: QueueRecovery { state.withLock { $0.backlog!.queue.recovery } }

    /// When the last sync of the queue began that ended well, in monotonic nanoseconds. Nil: there was none.
    public var queueSyncedAt: UInt64? { state.withLock { $0.backlog!.queue.syncedAt } }

    /// Why nothing can be written to the queue at the moment.
    public var queueFailure: QueueFileError? { state.withLock { $0.backlog!.queue.failure } }
}

/// The items of one signal that an exporter with a durable queue was given, and where they are.
public struct ExporterBooks: Sendable, Hashable {
    /// `recovered` included.
    public var received = 0
    /// Were in the queue when it was opened.
    public var recovered = 0
    public var exported = 0
    public var queued = 0
    /// By reason; none that is 0.
    public var dropped: [String: Int] = [:]

    public var isBalanced: Bool { received == exported + queued + dropped.values.reduce(0, +) }
}

extension Backlog {
    func books(_ signal: Signal, _ machine: ExportMachine) -> ExporterBooks {
        let account = machine.accounting[signal]
        var books = ExporterBooks()
        books.recovered = recovered[signal]
        books.received = books.recovered + appended[signal] + overflowed[signal] + unwritten[signal]
        books.exported = account.exported
        books.queued = queued(signal)
        books.dropped[DropReason.queueFull.rawValue] = overflowed[signal]
        books.dropped[DropReason.queueFailed.rawValue] = unwritten[signal]
        for reason in [QueueDropReason.evicted, .expired, .damaged] {
            books.dropped[reason.rawValue, default: 0] += queue.counts[reason][signal]
        }
        books.dropped[QueueDropReason.damaged.rawValue, default: 0] += undecodable[signal]
        for reason in DropReason.allCases where reason != .undelivered {
            books.dropped[reason.rawValue, default: 0] += account.dropped(reason)
        }
        books.dropped = books.dropped.filter { $0.value > 0 }
        return books
    }
}
