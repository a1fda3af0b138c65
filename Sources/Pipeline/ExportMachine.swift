// What an exporter does with what it is given, without doing any of it: which batches go out when, what happens after
// each answer, what is dropped when the queue is full. It owns no clock, no thread and no socket.
//
// Two things decide when a failed export is tried again:
// - Its own delay, which doubles with its own failures. A backend that chokes on one export (a "poison" export) does
//   not hold up the others, and that export is tried ever more rarely. Where others are delivered meanwhile, it is cut in
//   halves, again and again, until what the backend fails at is alone and takes next to no room.
// - The outage: after a failure no export at all goes out for a delay that doubles with the failures in a row, and
//   then a single one as a probe, so a backend that is away sees one request each few seconds and not the whole
//   queue. It is the one that has failed the least, so that a poison export is not the only probe for ever. The first answer, even a refusal, ends the outage. While an outage lasts, what comes in waits unformed and
//   leaves in large exports afterwards.
//
// However many exports are on their way, together they are no more than one full export may be alone
// (`inFlightItemsMax`, `inFlightBytesMax`). So whoever is killed with all of them unanswered sends no more than that twice.
//
// Nothing is given up for having failed too often: an item leaves by delivery, by the backend's refusal, by overflow,
// or by shutdown. Every item is in exactly one of `processor`, `retrying` and `inFlight`; `accounting` counts them.

public import Telemetry

/// Batches of one signal that go out together.
public struct Export: Sendable {
    /// Names the export towards `ExportMachine.completed`; a retry has a new one.
    public var id: UInt64
    public var signal: Signal
    public var batches: [Batch]
    /// Failures so far.
    public internal(set) var failures = 0
    /// `ExportMachine.deliveries` when it, or what it is a part of, failed first.
    var deliveriesBefore: UInt64 = 0
    var firstSequence: UInt64
    /// CLOCK_MONOTONIC, nanoseconds.
    var notBefore: UInt64 = 0

    public var itemCount: Int { batches.reduce(0) { $0 + $1.items.count } }
    public var memoryBytes: Int { batches.reduce(0) { $0 + $1.memoryBytes } }
}

/// What came of sending an export.
public enum ExportResult: Sendable, Hashable {
    /// The backend has it, but for `rejected` items that it did not take and `notEncodable` ones that were never sent.
    /// `message`: what it, or we, have to complain about.
    case delivered(rejected: Int = 0, notEncodable: Int = 0, message: String? = nil)
    /// It may work later; nanoseconds where the backend said when.
    case failed(retryAfter: UInt64? = nil, message: String)
    /// There is nobody: no connection came about, and nothing was sent. To ask again costs little.
    case unreachable(message: String)
    /// It will never work.
    case refused(DropReason, message: String)
    /// The backend wants smaller exports.
    case tooLarge(message: String)
}

/// Items that have left: delivered, refused, or dropped for good.
public struct SettledItems: Sendable, Hashable {
    /// `Batch.ticket`.
    public var ticket: UInt64
    public var count: Int
}

/// The state machine of an exporter: queue, exports in flight, retries, accounting. See the head of the file.
public struct ExportMachine: Sendable {
    /// What the runner does next.
    public struct Action: Sendable {
        /// To be sent now; the answer comes back through `completed`.
        public var exports: [Export]
        /// Call `tick` then (CLOCK_MONOTONIC, nanoseconds; the past means at once); nil: not before something else
        /// happens.
        public var wakeAt: UInt64?
    }

    /// After this many failures in a row the first success sends everything that waits for a retry at once, since it
    /// was the backend's fault and not the exports'.
    static let outageFailures = 4

    /// What has failed so often is no probe of an outage where others could be: the backend may fail at this export alone.
    static let suspectFailures = 2

    /// What has failed so often, while others were delivered, is halved.
    static let poisonFailures = 3
    /// Unless so many wait to be tried again: a backend that fails at random is not to get ever more requests.
    static let halvesMax = 16

    public let limits: BatchLimits
    public let retryPolicy: RetryPolicy
    public private(set) var accounting = ExportAccounting()
    /// What the last failure, refusal or complaint said.
    public private(set) var lastMessage: String?

    private var processor: BatchProcessor.StateMachine
    private var inFlight: [UInt64: Export] = [:]
    private var inFlightItems = 0
    private var inFlightBytes = 0
    private var retrying: [Export] = []
    /// What has left of batches with a ticket since it was last taken away.
    public private(set) var settled: [SettledItems] = []
    /// Bytes of memory held. `queueBytesMax` bounds it at the door; cutting a batch inside adds a copy of its resource.
    public private(set) var heldBytes = 0
    private var lastSequence: UInt64 = 0
    private var lastID: UInt64 = 0
    /// Exports that were delivered.
    private var deliveries: UInt64 = 0
    public private(set) var isShutDown = false
    /// Failures in a row; each counts once for the exports that were in flight together.
    private var failuresInARow = 0
    /// No export before then because of an outage; because the backend said so.
    private var outageUntil: UInt64 = 0
    private var throttledUntil: UInt64 = 0

    public init(limits: BatchLimits = BatchLimits(), retryPolicy: RetryPolicy = RetryPolicy()) {
        precondition(
            limits.inFlightMax > 0 && limits.queueBytesMax > 0 && limits.queueItemsMax > 0, "no room: \(limits)")
        self.limits = limits
        self.retryPolicy = retryPolicy
        processor = BatchProcessor.StateMachine(limits)
    }

    // MARK: Inputs

    /// Takes a batch in, or as much of it as there is room for. Constant time unless the queue is full.
    public mutating func accept(_ batch: Batch, now: UInt64) -> Action {
        guard !batch.isEmpty else { return waiting(now) }
        accounting[batch.signal].received += batch.items.count
        guard !isShutDown else {
            accounting[batch.signal].drop(batch.items.count, .shutDown)
            return Action(exports: [], wakeAt: nil)
        }
        if limits.overflow == .dropOldest { evict(for: batch) }
        if let batch = fitting(batch) {
            lastSequence += 1
            heldBytes += batch.memoryBytes
            accounting[batch.signal].queued += batch.items.count
            assert(heldBytes <= limits.queueBytesMax && accounting.queued <= limits.queueItemsMax, "\(self)")
            processor.accept(batch, sequence: lastSequence, now: now)
        }
        return waiting(now)
    }

    /// Hands out what is due.
    public mutating func tick(now: UInt64) -> Action {
        var exports: [Export] = []
        while isOpen(now), let export = nextExport(now) {
            inFlight[export.id] = export
            inFlightItems += export.itemCount
            inFlightBytes += export.memoryBytes
            accounting.attempts += 1
            exports.append(export)
        }
        return Action(exports: exports, wakeAt: wakeAt(now))
    }

    /// The answer to an export handed out earlier. `random`: 64 random bits. Follow up with `tick`.
    public mutating func completed(_ id: UInt64, _ result: ExportResult, now: UInt64, random: UInt64) {
        guard let export = inFlight.removeValue(forKey: id) else {
            guard isShutDown else {
                preconditionFailure("export \(id) is not in flight; these are: \(inFlight.keys.sorted())")
            }
            return  // its items were handed back at shutdown
        }
        inFlightItems -= export.itemCount
        inFlightBytes -= export.memoryBytes
        switch result {
        case .delivered(let rejected, let notEncodable, let message):
            settle(export, rejected: rejected, notEncodable: notEncodable, message)
            deliveries += 1
            endOutage(now)
        case .refused(let reason, let message):
            lastMessage = message
            release(export, as: reason)
            endOutage(now)
        case .tooLarge(let message):
            lastMessage = message
            endOutage(now)
            guard export.itemCount > 1 else { return release(export, as: .tooLarge) }
            processor.learnTooLarge(bytes: export.memoryBytes)
            halve(export)
        case .failed(let retryAfter, let message):
            lastMessage = message
            // A backend that has too much to do is not given more requests.
            retry(
                export, retryAfter, mayBePoison: retryAfter == nil, delayMax: retryPolicy.delayMax, now: now,
                random: random)
        case .unreachable(let message):
            lastMessage = message
            // Nothing of it was sent: it is not to blame.
            retry(
                export, nil, mayBePoison: false, delayMax: retryPolicy.unreachableDelayMax, now: now, random: random)
        }
        assert(isConsistent, "\(self)")
    }

    /// Everything accepted so far is to go out without waiting for company or for a delay of ours (but a `Retry-After`
    /// stands). Returns the mark to ask `isSettled` about.
    public mutating func flush(now: UInt64) -> UInt64 {
        processor.flush(to: lastSequence)
        outageUntil = min(outageUntil, now)
        for index in retrying.indices { retrying[index].notBefore = min(retrying[index].notBefore, now) }
        return lastSequence
    }

    /// Ends it: hands back what is not known to be delivered, oldest first, and counts it as `.undelivered`. Answers
    /// that still come are ignored. Later calls return nothing.
    public mutating func shutdown() -> [Batch] {
        isShutDown = true
        let undelivered = removeAll()
        for batch in undelivered {
            accounting[batch.signal].queued -= batch.items.count
            accounting[batch.signal].drop(batch.items.count, .undelivered)
        }
        heldBytes = 0
        assert(isConsistent, "\(self)")
        return undelivered
    }

    // MARK: State

    /// Whether everything accepted up to the mark of a `flush` has left.
    public func isSettled(_ mark: UInt64) -> Bool {
        let oldest = [
            processor.firstSequence, retrying.lazy.map(\.firstSequence).min(),
            inFlight.values.lazy.map(\.firstSequence).min(),
        ]
        return oldest.allSatisfy { $0.map { $0 > mark } ?? true }
    }

    /// What is held at the moment, oldest first. Shares the batches' memory.
    public var held: [Batch] {
        var copy = self
        return copy.removeAll()
    }

    public var inFlightCount: Int { inFlight.count }

    /// Whether the last answer was a failure: one probe at a time goes out.
    public var isOutage: Bool { failuresInARow > 0 }

    /// Whether the books match what is really held. For tests and assertions; walks everything.
    var isConsistent: Bool {
        let exports = retrying + inFlight.values
        let bytes = processor.bytes + exports.reduce(0) { $0 + $1.memoryBytes }
        return accounting.isBalanced && bytes == heldBytes && inFlight.count <= limits.inFlightMax
            && inFlightItems == inFlight.values.reduce(0) { $0 + $1.itemCount }
            && inFlightBytes == inFlight.values.reduce(0) { $0 + $1.memoryBytes }
            && (inFlight.count <= 1 || inFlightItems <= limits.inFlightItemsMax)
            && accounting.queued <= limits.queueItemsMax
            && Signal.allCases.allSatisfy { signal in
                let outside = exports.reduce(0) { $0 + ($1.signal == signal ? $1.itemCount : 0) }
                return accounting[signal].queued == processor.items(signal) + outside
            }
    }

    private var closedUntil: UInt64 { max(outageUntil, throttledUntil) }

    /// Nothing waits for company now.
    private var isInHaste: Bool { limits.sendsWhenIdle && inFlight.isEmpty }

    private var inFlightLimit: Int { failuresInARow == 0 ? limits.inFlightMax : 1 }

    /// What may still leave beside what is in flight.
    private var room: (items: Int, bytes: Int) {
        inFlight.isEmpty
            ? (.max, .max) : (limits.inFlightItemsMax - inFlightItems, limits.inFlightBytesMax - inFlightBytes)
    }

    private func fits(_ export: Export) -> Bool {
        let room = room
        return export.itemCount <= room.items && export.memoryBytes <= room.bytes
    }

    /// Whether another export may leave at all. Room for a little is left until it has grown, so that exports stay large.
    private var mayLeave: Bool {
        let room = room
        return !isShutDown && inFlight.count < inFlightLimit
            && room.items >= max(1, limits.inFlightItemsMax / limits.inFlightMax)
            && room.bytes >= max(1, limits.inFlightBytesMax / limits.inFlightMax)
    }

    private func isOpen(_ now: UInt64) -> Bool { mayLeave && now >= closedUntil }

    private func waiting(_ now: UInt64) -> Action { Action(exports: [], wakeAt: wakeAt(now)) }

    /// When `tick` has something to do, provided nothing happens before. Where the next answer decides,
    /// there is nothing to wake for.
    public func wakeAt(_ now: UInt64) -> UInt64? {
        guard mayLeave, !retrying.contains(where: { $0.notBefore <= now && !fits($0) }) else { return nil }
        guard
            let next = [processor.readyAt(inHaste: isInHaste), retrying.lazy.map(\.notBefore).min()].compactMap(\.self)
                .min()
        else {
            return nil
        }
        return max(next, closedUntil)
    }

    // MARK: Sending

    private mutating func nextExport(_ now: UInt64) -> Export? {
        let due = retrying.indices.filter { retrying[$0].notBefore <= now }
        lastID += 1
        if let index = due.min(by: { goesBefore(retrying[$0], retrying[$1]) }), !letsOthersGo(retrying[index], now) {
            // Nothing overtakes it: else small exports could keep a large one waiting for ever.
            guard fits(retrying[index]) else { return nil }
            var export = retrying.remove(at: index)
            export.id = lastID
            return export
        }
        let waitingBytes = processor.bytes
        guard
            let (batches, sequence) = processor.takeExport(
                now: now, inHaste: isInHaste, itemsMax: room.items, bytesMax: room.bytes)
        else { return nil }
        let export = Export(id: lastID, signal: batches[0].signal, batches: batches, firstSequence: sequence)
        // More than before when a batch was cut: its resource and scopes count twice from here on.
        heldBytes += processor.bytes + export.memoryBytes - waitingBytes
        return export
    }

    /// The oldest first; in an outage, what has failed the least.
    private func goesBefore(_ one: Export, _ other: Export) -> Bool {
        let byFailures = isOutage && !limits.keepsOrder && one.failures != other.failures
        return byFailures ? one.failures < other.failures : one.firstSequence < other.firstSequence
    }

    /// Whether what was never sent is the next probe: else an export at which the backend always fails would be the only one for ever.
    private func letsOthersGo(_ export: Export, _ now: UInt64) -> Bool {
        guard isOutage, !limits.keepsOrder, export.failures >= Self.suspectFailures else { return false }
        return processor.readyAt(inHaste: isInHaste).map { $0 <= now } ?? false
    }

    private mutating func retry(
        _ failed: Export, _ retryAfter: UInt64?, mayBePoison: Bool, delayMax: UInt64, now: UInt64, random: UInt64
    ) {
        var export = failed
        accounting.retries += 1
        if export.failures == 0 { export.deliveriesBefore = deliveries }
        export.failures += 1
        export.notBefore = now + min(retryPolicy.delay(attempt: export.failures, random: random), delayMax)
        if now >= outageUntil || failuresInARow == 0 {
            failuresInARow += 1
            outageUntil = now + min(retryPolicy.delay(attempt: failuresInARow, random: random), delayMax)
        }
        if let retryAfter {
            // Our own delay stands beside it: a backend that says 0 again and again must not make us spin.
            throttledUntil = max(throttledUntil, now + min(retryAfter, retryPolicy.retryAfterMax))
            export.notBefore = max(export.notBefore, throttledUntil)
        }
        if mayBePoison, isPoison(export) { halve(export) } else { retrying.append(export) }
    }

    /// Whether the backend fails at this export and takes others.
    private func isPoison(_ export: Export) -> Bool {
        export.failures >= Self.poisonFailures && deliveries > export.deliveriesBefore && export.itemCount > 1
            && !limits.keepsOrder && retrying.lazy.filter { $0.itemCount > 1 }.count < Self.halvesMax
    }

    private mutating func endOutage(_ now: UInt64) {
        if failuresInARow >= Self.outageFailures {
            for index in retrying.indices { retrying[index].notBefore = min(retrying[index].notBefore, now) }
        }
        failuresInARow = 0
        outageUntil = 0
    }

    // MARK: Leaving

    /// Hands over what has left of batches with a ticket, and forgets it.
    public mutating func takeSettled() -> [SettledItems] {
        defer { settled.removeAll(keepingCapacity: true) }
        return settled
    }

    private mutating func noteSettled(_ batch: Batch, items: Int) {
        if batch.ticket != 0, items > 0 { settled.append(SettledItems(ticket: batch.ticket, count: items)) }
    }

    private mutating func settle(_ export: Export, rejected: Int, notEncodable: Int, _ message: String?) {
        let sent = export.itemCount - notEncodable
        // The number is the backend's, and for metrics it counts points where we count metrics.
        let rejected = min(max(rejected, 0), sent)
        for batch in export.batches { noteSettled(batch, items: batch.items.count) }
        heldBytes -= export.memoryBytes
        accounting[export.signal].queued -= export.itemCount
        accounting[export.signal].exported += sent - rejected
        accounting[export.signal].drop(rejected, .rejected)
        accounting[export.signal].drop(notEncodable, .notEncodable)
        if let message {
            lastMessage = message
            accounting.warnings += 1
        }
    }

    private mutating func release(_ export: Export, as reason: DropReason) {
        for batch in export.batches { noteSettled(batch, items: batch.items.count) }
        heldBytes -= export.memoryBytes
        accounting[export.signal].queued -= export.itemCount
        accounting[export.signal].drop(export.itemCount, reason)
    }

    /// Two exports of half the size, of more than one item, take its place; they fail for the last time before they are halved, too.
    private mutating func halve(_ whole: Export) {
        heldBytes -= whole.memoryBytes
        var export = whole
        export.failures = min(export.failures, Self.poisonFailures - 1)
        export.deliveriesBefore = deliveries
        var halves = [export, export]
        (halves[0].batches, halves[1].batches) = Self.halves(export.batches, itemsInFirst: export.itemCount / 2)
        heldBytes += halves[0].memoryBytes + halves[1].memoryBytes
        retrying += halves
    }

    private static func halves(_ batches: [Batch], itemsInFirst: Int) -> ([Batch], [Batch]) {
        var first: [Batch] = []
        var second: [Batch] = []
        var left = itemsInFirst
        for batch in batches {
            if batch.items.count <= left {
                first.append(batch)
            } else if left > 0 {
                let (head, tail) = batch.split(at: left)
                first.append(head)
                second.append(tail)
            } else {
                second.append(batch)
            }
            left = max(0, left - batch.items.count)
        }
        return (first, second)
    }

    // MARK: Overflow

    /// The part of the batch there is room for, counting what is cut off; nil when there is none.
    private mutating func fitting(_ batch: Batch) -> Batch? {
        let itemsLeft = limits.queueItemsMax - accounting.queued
        let bytesLeft = limits.queueBytesMax - heldBytes
        if batch.items.count <= itemsLeft, batch.memoryBytes <= bytesLeft { return batch }
        let count = batch.prefixCount(itemsMax: itemsLeft, memoryBytesMax: bytesLeft)
        noteSettled(batch, items: batch.items.count - count)
        accounting[batch.signal].drop(batch.items.count - count, .queueFull)
        return count == 0 ? nil : batch.split(at: count).0
    }

    /// Drops the oldest of what is not in flight until the batch fits or nothing is left.
    private mutating func evict(for batch: Batch) {
        while batch.items.count > limits.queueItemsMax - accounting.queued
            || batch.memoryBytes > limits.queueBytesMax - heldBytes
        {
            if let index = retrying.indices.min(by: { retrying[$0].firstSequence < retrying[$1].firstSequence }) {
                release(retrying.remove(at: index), as: .evicted)
            } else if let evicted = processor.evictOldest() {
                noteSettled(evicted, items: evicted.items.count)
                heldBytes -= evicted.memoryBytes
                accounting[evicted.signal].queued -= evicted.items.count
                accounting[evicted.signal].drop(evicted.items.count, .evicted)
            } else {
                return
            }
        }
    }

    private mutating func removeAll() -> [Batch] {
        let exports = (retrying + inFlight.values).sorted { $0.firstSequence < $1.firstSequence }
        var all = exports.flatMap { export in export.batches.map { (sequence: export.firstSequence, batch: $0) } }
        all += processor.removeAll()
        retrying = []
        inFlight = [:]
        (inFlightItems, inFlightBytes) = (0, 0)
        return all.sorted { $0.sequence < $1.sequence }.map(\.batch)
    }
}
