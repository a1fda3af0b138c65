internal import Configuration
internal import Exporters
internal import Linux
internal import Queue
internal import Store
internal import System
internal import Telemetry
internal import Transport

/// Where what was received goes: the exporters with their durable queues, and the store. Any thread, once it is made.
final class PipelineOutputs: Sendable {
    struct Output: Sendable {
        let name: String
        let configuration: QueueConfiguration
        let exporter: Exporter
        fileprivate let teller: ExportTeller
    }

    let outputs: [Output]
    /// Nil: none is kept.
    let store: StoreWriter?
    private let transport = CurlTransport()
    private let audit: DropAudit

    /// Opens every queue, and takes up what lies in them. Throws when one cannot be used: what is accepted has to be kept somewhere.
    /// - Parameter deliveries: told of what has left; nil: nobody waits for that.
    init(
        _ configuration: PipelineConfiguration, _ budget: MemoryBudget, _ clock: LinuxClock, _ audit: DropAudit,
        _ messages: Messages, deliveries: Deliveries?
    ) throws(QueueError) {
        self.audit = audit
        var outputs: [Output] = []
        for (index, named) in configuration.exporters.enumerated() {
            let files = try LinuxQueueFiles(folder: named.queue.directory)
            let queue = try DurableQueue(files, limits: QueueLimits(named.queue), now: clock.unixNanoseconds())
            Self.tell(queue, named.name, messages)
            let teller = ExportTeller(name: named.name, keptAt: nil, clock: clock, messages)
            var acknowledged: (@Sendable ([QueueEntryID]) -> Void)?
            if let deliveries { acknowledged = { deliveries.left(index, $0) } }
            let exporter = Exporter(
                named.exporter, transport: transport, clock: clock,
                durable: Exporter.Durable(queue: queue, budget: budget, acknowledged: acknowledged)
            ) { event in
                teller.take(event)
                guard case .dropped(let signal, let reason, let items, let message) = event else { return }
                audit.add(
                    "exporter \(named.name)", signal, reason: reason.rawValue, detail: message, items: items)
            }
            teller.follow(exporter)
            outputs.append(
                Output(name: named.name, configuration: named.queue, exporter: exporter, teller: teller))
        }
        self.outputs = outputs
        store = configuration.store.isEnabled ? Self.store(configuration.store, messages) : nil
        store?.start()
        tick()
    }

    private static func store(_ configuration: PipelineStore, _ messages: Messages) -> StoreWriter {
        var options = StoreWriter.Options()
        options.retention.bytesMax = configuration.bytesMax
        options.retention.ageSecondsMax = Int(configuration.ageNanosecondsMax / 1_000_000_000)
        return StoreWriter(directory: configuration.directory, options: options) { messages.warn($0) }
    }

    private static func tell(_ queue: DurableQueue, _ name: String, _ messages: Messages) {
        let found = queue.recovery
        if found.entries > 0 {
            messages.inform("\(name): \(countText(found.items.total, "item")) of an earlier run are in the queue")
        }
        let damage = found.damagedBytes > 0 || found.filesSetAside > 0
        if damage {
            messages.warn(
                "\(name): \(countText(found.damagedBytes, "byte")) of the queue are damaged and were skipped"
                    + (found.filesSetAside > 0
                        ? "; \(countText(found.filesSetAside, "file")) renamed to *.damaged" : ""))
        }
    }

    /// About once a second.
    func tick() {
        for output in outputs {
            for drop in output.exporter.tick() where drop.reason != .full { note(drop, output) }
        }
    }

    private func note(_ drop: QueueDrop, _ output: Output) {
        for signal in Signal.allCases {
            audit.add(
                "queue \(output.name)", signal, reason: drop.reason.rawValue, items: drop.items[signal],
                bytes: drop.items[signal] == drop.items.total ? drop.bytes : 0)
        }
    }

    /// An exporter's queue had no room for what others took.
    func overflowed(_ index: Int, _ signal: Signal, items: Int, bytes: Int) {
        outputs[index].exporter.drop(signal, items: items)
        audit.add(
            "queue \(outputs[index].name)", signal, reason: QueueDropReason.full.rawValue, items: items, bytes: bytes)
    }

    /// Ends everything: what is in flight may be answered until the deadline (monotonic nanoseconds), the rest stays in the queues.
    func close(_ deadline: UInt64) {
        for output in outputs { output.teller.end() }
        for output in outputs { output.exporter.close(deadline) }
        _ = store?.flush()
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
