// An exporter that keeps what it is given on disk until a backend has it.

import Pipeline
public import Queue
public import Telemetry
import Wire

extension QueueEntryHead {
    /// What an entry of a queue holds; nil when that is not what the head says.
    public func batches(_ payload: [UInt8]) -> [Batch]? {
        guard let received = try? OTLP.batches(fromExportRequest: payload, signal: signal),
            received.rejectedItems == 0, received.batches.reduce(0, { $0 + $1.items.count }) == Int(items), items > 0
        else { return nil }
        return received.batches
    }
}

extension Exporter {
    /// Puts an export request into the group that the next `commit` writes. One that there is no room for is not counted. Only with a durable queue.
    /// - Parameter batches: what the payload holds.
    public func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append {
        state.withLock { $0.backlog!.append(head, payload, batches) }
    }

    /// Items that the queue had no room for are dropped, since others took them.
    public func drop(_ signal: Signal, items: Int) { state.withLock { $0.backlog!.overflow(signal, items: items) } }

    /// Writes what was appended. When that fails, nothing of it is kept.
    public func commit() -> QueueFileError? {
        let now = clock.monotonicNanoseconds()
        let unix = clock.unixNanoseconds()
        let (error, timer): (QueueFileError?, UInt64?) = state.withLock { state in
            let error = state.backlog!.commit(&state.machine, now: now, unix: unix)
            return (error, Self.arm(&state, state.machine.wakeAt(now)))
        }
        startTimer(timer)
        return error
    }

    /// What is to be done about once a second: what is too old is dropped, what was written is made to survive a loss of power, what waits on disk is looked at.
    /// Returns what the queue itself gave up since the last time.
    public func tick() -> [QueueDrop] {
        let now = clock.monotonicNanoseconds()
        let unix = clock.unixNanoseconds()
        let (drops, timer): ([QueueDrop], UInt64?) = state.withLock { state in
            state.backlog!.queue.tick(now: unix)
            return (state.backlog!.queue.takeDrops(), Self.arm(&state, now))
        }
        startTimer(timer)
        return drops
    }

    /// Ends it: what the machine has in flight may be answered until the deadline (monotonic nanoseconds); the rest stays on disk.
    public func close(_ deadline: UInt64) {
        if !isOutage { _ = flush(deadline) }
        state.withLock { state in
            _ = state.machine.shutdown()
            state.backlog!.queue.flushAcknowledgements()
            state.backlog!.queue.sync()
        }
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
        return queue
    }

    private struct QueueBox: @unchecked Sendable { let queue: DurableQueue }

    /// Where what it was given is: received = exported + dropped + queued, for each signal.
    public func books(_ signal: Signal) -> ExporterBooks {
        state.withLock { state in
            let backlog = state.backlog!
            let machine = state.machine.accounting[signal]
            let queue = backlog.queue.counts
            var books = ExporterBooks()
            books.recovered = backlog.recovered[signal]
            books.received = books.recovered + backlog.appended[signal] + backlog.overflowed[signal]
            books.exported = machine.exported
            books.queued = backlog.queued(signal)
            books.dropped[DropReason.queueFull.rawValue] = backlog.overflowed[signal]
            for reason in [QueueDropReason.evicted, .expired, .damaged] {
                books.dropped[reason.rawValue, default: 0] += queue[reason][signal]
            }
            books.dropped[QueueDropReason.damaged.rawValue, default: 0] += backlog.undecodable[signal]
            for reason in DropReason.allCases where reason != .undelivered {
                books.dropped[reason.rawValue, default: 0] += machine.dropped(reason)
            }
            books.dropped = books.dropped.filter { $0.value > 0 }
            return books
        }
    }

    public var queueCounts: QueueCounts { state.withLock { $0.backlog!.queue.counts } }

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
