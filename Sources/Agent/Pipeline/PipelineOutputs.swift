internal import Configuration
internal import Exporters
internal import Linux
internal import Queue
internal import Resolver
internal import SidelightMetrics
internal import Store
internal import System
internal import Telemetry
internal import Transport

/// An exporter with its durable queue. `EntryTaker` is for the server's thread, the rest for any.
final class PipelineOutput: EntryTaker, Sendable {
    let named: NamedExporter
    let exporter: Exporter
    /// Tells outputs apart; that of one which goes on with another's queue is the other's.
    let serial: Int
    private let teller: ExportTeller
    private let audit: DropAudit

    var name: String { named.name }

    /// Takes up what lies in the queue.
    init(_ named: NamedExporter, _ queue: sending DurableQueue, serial: Int, _ surroundings: PipelineSurroundings) {
        self.named = named
        self.serial = serial
        let (clock, audit) = (surroundings.clock, surroundings.audit)
        self.audit = audit
        let teller = ExportTeller(name: named.name, keptAt: nil, clock: clock, surroundings.messages)
        self.teller = teller
        let deliveries = surroundings.deliveries
        exporter = Exporter(
            named.exporter, transport: surroundings.transport, resolver: surroundings.resolver, clock: clock,
            durable: Exporter.Durable(
                queue: queue, budget: surroundings.budget, acknowledged: { deliveries.left(serial, $0) },
                lost: { deliveries.lost(serial, $0) }),
            answers: surroundings.components.exportTimer(named.name)
        ) { event in
            teller.take(event)
            guard case .dropped(let signal, let reason, let items, let message) = event else { return }
            audit.add("exporter \(named.name)", signal, reason: reason.rawValue, detail: message, items: items)
        }
        teller.follow(exporter)
    }

    func append(_ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> DurableQueue.Append {
        exporter.append(head, payload, batches)
    }

    func commit(isPromised: Bool) -> QueueFileError? { exporter.commit(isPromised: isPromised) }
    func mayTake(bytes: Int) -> Bool { exporter.mayTake(bytes: bytes) }

    var queueFailure: QueueFileError? { exporter.queueFailure }
    var queueName: String { named.queue.directory }
    var queueRecovery: QueueRecovery { exporter.queueRecovery }
    var queueSyncedAt: UInt64? { exporter.queueSyncedAt }
    var isQueueEmpty: Bool { exporter.queueCounts.entries == 0 }

    func overflowed(_ signal: Signal, items: Int, bytes: Int) {
        exporter.drop(signal, items: items)
        audit.add("queue \(name)", signal, reason: QueueDropReason.full.rawValue, items: items, bytes: bytes)
    }

    /// About once a second.
    func tick() {
        for drop in exporter.tick() where drop.reason != .full { audit.add("queue \(name)", drop) }
    }

    /// Nothing is said of it any more.
    func silence() { teller.end() }

    /// What is left of it, for people; nil: nothing.
    var leftText: String? {
        let left = Signal.allCases.compactMap { signal -> String? in
            let queued = exporter.books(signal).queued
            return queued > 0 ? countText(queued, signal.noun) : nil
        }
        return left.isEmpty ? nil : left.joined(separator: ", ")
    }
}

/// What all parts of an agent's pipelines share. Any thread.
struct PipelineSurroundings: Sendable {
    let transport: CurlTransport
    let resolver: ServiceResolver
    let budget: MemoryBudget
    let clock: LinuxClock
    let audit: DropAudit
    let messages: Messages
    let taps = Taps()
    let followers: LogFollowers
    /// Told of what has left.
    let deliveries: Deliveries
    var components = ComponentMetrics.make(Release.name)
    /// What the admin port shows of metrics. Nil: nothing.
    var metrics: CurrentMetrics?

    /// Opens a queue, and says what was found in it.
    func openQueue(_ configuration: QueueConfiguration, _ owner: String) throws(QueueError) -> sending DurableQueue {
        let files = try LinuxQueueFiles(folder: configuration.directory)
        let queue = try DurableQueue(files, limits: QueueLimits(configuration), now: clock.unixNanoseconds())
        let found = queue.recovery
        let messages = messages.about(.exporters)
        if found.entries > 0 {
            messages.inform("\(owner): \(countText(found.items.total, "item")) of an earlier run are in the queue")
        }
        if found.damagedBytes > 0 || found.filesSetAside > 0 {
            messages.warn(
                "\(owner): \(countText(found.damagedBytes, "byte")) of the queue are damaged and were skipped"
                    + (found.filesSetAside > 0
                        ? "; \(countText(found.filesSetAside, "file")) renamed to *.damaged" : ""))
        }
        return queue
    }

    /// Nil: none is kept.
    func openStore(_ configuration: PipelineStore) -> StoreWriter? {
        guard configuration.isEnabled else { return nil }
        var options = StoreWriter.Options()
        options.retention.bytesMax = configuration.bytesMax
        options.retention.ageSecondsMax = Int(configuration.ageNanosecondsMax / 1_000_000_000)
        options.indexesWords = configuration.indexesWords
        let messages = messages.about(.store)
        let store = StoreWriter(directory: configuration.directory, options: options) { messages.warn($0) }
        store.start()
        return store
    }
}

extension DropAudit {
    /// What a queue gave up.
    func add(_ component: String, _ drop: QueueDrop) {
        for signal in Signal.allCases {
            add(
                component, signal, reason: drop.reason.rawValue, items: drop.items[signal],
                bytes: drop.items[signal] == drop.items.total ? drop.bytes : 0)
        }
    }
}

extension QueueLimits {
    /// One entry is one request; it may be as large as receivers let it be.
    private static let entryBytes = 256 << 20

    init(_ configuration: QueueConfiguration) {
        self.init()
        bytesMax = configuration.bytesMax
        ageMaxNanoseconds = configuration.ageNanosecondsMax
        entryBytesMax = Self.entryBytes
        overflow = configuration.overflow == .oldest ? .oldest : .newest
        switch configuration.sync {
        case .batch: sync = .everyCommit
        case .interval: sync = .interval(nanoseconds: configuration.syncIntervalNanoseconds)
        case .never: sync = .never
        }
    }
}
