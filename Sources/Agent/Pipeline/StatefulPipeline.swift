// A pipeline with processors that remember: what is accepted lies in a durable queue of its own, its intake, until they have let it go and what they made of it
// is in the queues behind them.
//
// What comes out is put into the next queues as parcels. A parcel that some queue took and others have no room for is dropped there, as with requests; one that
// none has room for, or that could not be written, waits, and then nothing further is taken from the intake: what comes stays on disk there, and when that is
// full its senders are refused.

internal import Configuration
internal import Exporters
internal import Linux
internal import Pipeline
internal import Processors
internal import Queue
internal import Server
internal import Store
internal import Telemetry
internal import Wire

/// The server's thread only.
final class StatefulPipeline: EntryTaker {
    /// Bytes that are taken from the intake in one turn, so that others get theirs.
    private static let turnBytesMax = 4 << 20
    /// A parcel is no larger, unless one item is.
    private static let parcelBytesMax = 256 << 10
    /// How long a parcel that nobody took waits before it is tried again.
    private static let retryNanoseconds: UInt64 = 100_000_000
    private static let tickNanoseconds: UInt64 = 1_000_000_000

    /// What came out and is not yet in every queue it should go to.
    private struct Parcel {
        var head: QueueEntryHead
        var payload: [UInt8]
        var batches: [Batch]
        /// A bit for each taker that it has still to go to.
        var targets: TakerSet
        /// Of them, those whose group has it, and those that have no room for it.
        var inGroup: TakerSet = 0
        var full: TakerSet = 0
        var isTakenSomewhere = false
        /// The lowest ticket in it; nil: it holds back nothing.
        var ticket: UInt64?
    }

    /// Of the pipeline.
    let name: String
    /// Without links: the pipeline has no processor that remembers any more, and what such ones left is passed on as it is.
    let chain: StatefulChain
    let queue: DurableQueue
    private let taps: Taps
    private let audit: DropAudit
    private let clock: LinuxClock

    // Where things go; set with each plan.
    /// A bit for each taker.
    var targets: TakerSet = 0
    /// By the processor's name.
    var derivedRoutes: [String: [Signal: [PipelineIntake.Route]]] = [:]
    /// What stands at the end of every way.
    var end: WayEnd?
    /// Whether what is let go is given to it.
    var isStored = false

    /// Entries of the group that waits for its commit.
    private var fresh: [(id: QueueEntryID, batches: [Batch])] = []
    private var freshItems = SignalCounts()
    /// Entries that were committed, and that the chain can have without their being read back.
    private var ready: [(id: QueueEntryID, batches: [Batch])] = []
    private var readyBytes = 0
    private var handedOut: QueueEntryID?
    /// There are entries beyond `ready` that the chain was not given.
    private var hasMore: Bool
    /// Entries that the chain was given, oldest first.
    private var outstanding: [(id: QueueEntryID, signal: Signal, items: Int)] = []
    private var firstOutstanding = 0
    private var parcels: [Parcel] = []
    private var retryAt: UInt64?
    private var nextTick: UInt64 = 0

    let recovered: SignalCounts
    private var appended = SignalCounts()
    private var overflows = SignalCounts()
    /// Of groups that could not be written, though their senders were told that they are taken.
    private var unwritten = SignalCounts()
    private var undecodable = SignalCounts()
    private var taken = SignalCounts()

    init(_ name: String, _ chain: StatefulChain, _ queue: DurableQueue, _ surroundings: PipelineSurroundings) {
        self.name = name
        self.chain = chain
        self.queue = queue
        taps = surroundings.taps
        audit = surroundings.audit
        clock = surroundings.clock
        recovered = queue.counts.items
        hasMore = queue.counts.entries > 0
    }

    /// Descriptors that tell of what processors have done make turns.
    func watch(_ server: Server) { for descriptor in descriptors { server.watch(descriptor) } }
    func unwatch(_ server: Server) { for descriptor in descriptors { server.unwatch(descriptor) } }

    private lazy var hasScripts = !descriptors.isEmpty
    private var descriptors: [Int32] {
        chain.links.compactMap { link in
            guard case .stateful(_, let processor) = link else { return nil }
            return (processor as? ScriptProcessor)?.wakeDescriptor
        }
    }

    // MARK: In

    func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append {
        let outcome = queue.append(head, payload)
        if case .queued(let id) = outcome {
            fresh.append((id, batches))
            freshItems[head.signal] += Int(head.items)
        }
        return outcome
    }

    func mayTake(bytes: Int) -> Bool { queue.mayTake(bytes) }

    func commit(isPromised: Bool) -> QueueFileError? {
        let group = fresh
        let items = freshItems
        fresh.removeAll(keepingCapacity: true)
        freshItems = SignalCounts()
        if case .failed(let error) = queue.commit(now: clock.unixNanoseconds(), monotonic: clock.monotonicNanoseconds())
        {
            if isPromised {
                for signal in Signal.allCases {
                    unwritten[signal] += items[signal]
                    audit.add(
                        "pipeline \(name)", signal, reason: DropReason.queueFailed.rawValue, detail: error.description,
                        items: items[signal])
                }
            }
            return error
        }
        for signal in Signal.allCases { appended[signal] += items[signal] }
        for entry in group {
            let bytes = entry.batches.reduce(0) { $0 + $1.bytes.count }
            if hasMore || chain.isFull || !parcels.isEmpty || readyBytes + bytes > Self.turnBytesMax && !ready.isEmpty {
                hasMore = true
                break
            }
            // Handed out now, so that nothing is dropped for others or for its age that waits for its turn here.
            guard let (id, _) = queue.next(after: handedOut), id == entry.id else {
                preconditionFailure("entry \(entry.id) is not the one after \(handedOut?.description ?? "none")")
            }
            handedOut = id
            ready.append(entry)
            readyBytes += bytes
        }
        return nil
    }

    var queueFailure: QueueFileError? { queue.failure }
    var queueName: String { queue.folder }
    var queueRecovery: QueueRecovery { queue.recovery }
    var queueSyncedAt: UInt64? { queue.syncedAt }

    func overflowed(_ signal: Signal, items: Int, bytes: Int) {
        overflows[signal] += items
        audit.add(
            "pipeline \(name)", signal, reason: QueueDropReason.full.rawValue, items: items, bytes: bytes)
    }

    // MARK: Through the processors

    /// Does what can be done now; returns when it is to be called at the latest.
    func turn(_ takers: inout EntryTakers, now: UInt64) -> UInt64? {
        if now >= nextTick {
            nextTick = now + Self.tickNanoseconds
            queue.tick(now: clock.unixNanoseconds(), monotonic: now)
            for drop in queue.takeDrops() where drop.reason != .full { audit.add("pipeline \(name)", drop) }
        }
        if let retryAt, now < retryAt {} else { deliver(&takers, now) }
        // A script's descriptor stays readable until it is heard; what comes of that is bounded.
        if parcels.isEmpty || hasScripts { put(chain.tick(now: now)) }
        var bytes = 0
        while parcels.isEmpty || bytes > 0, bytes < Self.turnBytesMax, !chain.isFull, let entry = next() {
            bytes += entry.batches.reduce(0) { $0 + $1.bytes.count }
            outstanding.append(
                (entry.id, entry.batches[0].signal, entry.batches.reduce(0) { $0 + $1.items.count }))
            put(chain.take(entry.batches, now: now))
        }
        if retryAt == nil { deliver(&takers, now) }
        acknowledge()
        let due = parcels.isEmpty ? chain.wakeAt : nil
        return [nextTick, retryAt, due].compactMap(\.self).min()
    }

    /// There is something that the processors could have at once.
    var canGoOn: Bool { parcels.isEmpty && !chain.isFull && (hasMore || !ready.isEmpty) }

    /// The agent ends, or the pipeline does: what processors gathered leaves. What they hold stays in the intake.
    func end(_ takers: inout EntryTakers) {
        let now = clock.monotonicNanoseconds()
        put(chain.end(now: now))
        retryAt = nil
        deliver(&takers, now)
        acknowledge()
        queue.sync()
    }

    /// The next entry for the chain.
    private func next() -> (id: QueueEntryID, batches: [Batch])? {
        if !ready.isEmpty {
            var entry = ready.removeFirst()
            if ready.isEmpty { readyBytes = 0 }
            Self.stamp(&entry.batches, entry.id)
            return entry
        }
        while hasMore {
            guard let (id, head) = queue.next(after: handedOut) else {
                hasMore = false
                return nil
            }
            do throws(QueueError) {
                guard var batches = head.batches(try queue.read(id)) else {
                    undecodable[head.signal] += Int(head.items)
                    handedOut = id
                    queue.acknowledge(id)
                    continue
                }
                handedOut = id
                Self.stamp(&batches, id)
                return (id, batches)
            } catch {
                // What is damaged is out of the queue; what could not be read may be the next time.
                if case .files = error {
                    queue.giveBack(id)
                    return nil
                }
                handedOut = id
            }
        }
        return nil
    }

    /// Another pipeline goes on with the intake; what the processors hold comes again there. Not while a group waits for its commit.
    func release() -> DurableQueue {
        for entry in outstanding[firstOutstanding...] { queue.giveBack(entry.id) }
        for entry in ready { queue.giveBack(entry.id) }
        return queue
    }

    private static func stamp(_ batches: inout [Batch], _ id: QueueEntryID) {
        for index in batches.indices { batches[index].ticket = id.sequence }
    }

    // MARK: Out

    private func put(_ made: StatefulChain.Made) {
        for drop in made.dropped { audit.add(drop) }
        if !taps.isEmpty { taps.show(made.batches, at: .pipeline, name) }
        if isStored { end?.take(made.batches) }
        add(made.batches, targets)
        for (processor, batch) in made.derived {
            for route in derivedRoutes[processor]?[batch.signal] ?? [] {
                let batches = route.process([batch], now: clock.monotonicNanoseconds(), audit)
                if !taps.isEmpty, !route.goesOn { taps.show(batches, at: .pipeline, route.pipeline) }
                if route.isStored { end?.take(batches) }
                add(batches, PipelinePlan.bits(route.takers))
            }
        }
    }

    /// Makes parcels of batches of one signal.
    private func add(_ batches: [Batch], _ targets: TakerSet) {
        guard targets != 0 else { return }
        var parcel: [Batch] = []
        var bytes = 0
        for batch in batches.lazy.flatMap({ $0.pieces(memoryBytesMax: Self.parcelBytesMax) }) {
            if bytes > 0, bytes + batch.bytes.count > Self.parcelBytesMax {
                add(parcel: parcel, targets)
                parcel = []
                bytes = 0
            }
            parcel.append(batch)
            bytes += batch.bytes.count
        }
        add(parcel: parcel, targets)
    }

    private func add(parcel batches: [Batch], _ targets: TakerSet) {
        guard let signal = batches.first?.signal else { return }
        let items = batches.reduce(0) { $0 + $1.items.count }
        let head = QueueEntryHead(signal: signal, items: UInt32(items), time: clock.unixNanoseconds())
        let ticket = batches.lazy.map(\.ticket).min()!
        parcels.append(
            Parcel(
                head: head, payload: OTLP.exportRequest(batches: batches), batches: batches, targets: targets,
                ticket: ticket == 0 ? nil : ticket))
    }

    /// Puts parcels into the queues they go to.
    private func deliver(_ takers: inout EntryTakers, _ now: UInt64) {
        retryAt = nil
        guard !parcels.isEmpty else { return }
        for index in parcels.indices where !fill(index, &takers) {
            write(&takers)
            _ = fill(index, &takers)
        }
        write(&takers)
        for index in parcels.indices where parcels[index].full != 0 { settleFull(index, takers) }
        parcels.removeAll { $0.targets == 0 }
        if !parcels.isEmpty { retryAt = now + Self.retryNanoseconds }
    }

    /// False: a group has to be written first.
    private func fill(_ index: Int, _ takers: inout EntryTakers) -> Bool {
        for taker in takers.all.indices {
            let bit: TakerSet = 1 << TakerSet(taker)
            let parcel = parcels[index]
            guard parcel.targets & ~parcel.inGroup & bit != 0 else { continue }
            switch takers.append(taker, parcel.head, parcel.payload, parcel.batches) {
            case .queued:
                parcels[index].inGroup |= bit
                parcels[index].full &= ~bit
            case .full, .tooLarge: parcels[index].full |= bit
            case .groupFull: return false
            }
        }
        return true
    }

    private func write(_ takers: inout EntryTakers) {
        let failed = takers.commit()
        for index in parcels.indices where parcels[index].inGroup != 0 {
            let taken = parcels[index].inGroup & ~failed
            parcels[index].inGroup = 0
            parcels[index].targets &= ~taken
            if taken != 0 { parcels[index].isTakenSomewhere = true }
        }
    }

    /// Queues that had no room miss what others took, what was made here and nobody waits for, and what they can never take.
    private func settleFull(_ index: Int, _ takers: EntryTakers) {
        let parcel = parcels[index]
        parcels[index].full = 0
        for taker in takers.all.indices where parcel.full & (1 << TakerSet(taker)) != 0 {
            guard parcel.isTakenSomewhere || parcel.ticket == nil || takers.all[taker].isQueueEmpty else { continue }
            takers.all[taker].overflowed(parcel.head.signal, items: Int(parcel.head.items), bytes: parcel.payload.count)
            parcels[index].targets &= ~(1 << TakerSet(taker))
        }
    }

    private func acknowledge() {
        let floors = [chain.oldestHeld, parcels.compactMap(\.ticket).min()]
        let floor = floors.compactMap(\.self).min() ?? .max
        var hasAcknowledged = false
        while firstOutstanding < outstanding.count, outstanding[firstOutstanding].id.sequence < floor {
            let entry = outstanding[firstOutstanding]
            queue.acknowledge(entry.id)
            taken[entry.signal] += entry.items
            firstOutstanding += 1
            hasAcknowledged = true
        }
        guard hasAcknowledged else { return }
        queue.flushAcknowledgements()
        if firstOutstanding > 1_024, firstOutstanding * 2 > outstanding.count {
            outstanding.removeFirst(firstOutstanding)
            firstOutstanding = 0
        }
    }

    var isQueueEmpty: Bool { queue.counts.entries == 0 }

    /// Where what the intake was given is: received = taken + dropped + queued, for each signal. What was taken is with the processors, whose counts say more,
    /// or beyond.
    func books(_ signal: Signal) -> IntakeBooks {
        var books = IntakeBooks()
        books.recovered = recovered[signal]
        books.received = recovered[signal] + appended[signal] + overflows[signal] + unwritten[signal]
        books.queued = queue.counts.items[signal]
        books.dropped[QueueDropReason.full.rawValue] = overflows[signal]
        books.dropped[DropReason.queueFailed.rawValue] = unwritten[signal]
        for reason in [QueueDropReason.evicted, .expired, .damaged] {
            books.dropped[reason.rawValue, default: 0] += queue.counts[reason][signal]
        }
        books.dropped[QueueDropReason.damaged.rawValue, default: 0] += undecodable[signal]
        books.dropped = books.dropped.filter { $0.value > 0 }
        books.taken = taken[signal]
        return books
    }
}

/// The items of one signal that came to an intake, and where they are.
struct IntakeBooks: Hashable {
    /// `recovered` included.
    var received = 0
    /// Were in the queue when it was opened.
    var recovered = 0
    /// Gone through: the processors have let go of all of the request.
    var taken = 0
    var queued = 0
    /// By reason; none that is 0.
    var dropped: [String: Int] = [:]

    var isBalanced: Bool { received == taken + queued + dropped.values.reduce(0, +) }
}
