internal import Configuration
internal import Exporters
internal import Linux
internal import Pipeline
internal import Resolver
internal import SidelightMetrics
internal import Store
internal import Synchronization
internal import System
internal import Telemetry
internal import Transport

/// Where a run's batches go: the store, and the exporters that are configured. Given to by the ring's thread only.
final class Destinations: Sendable {
    /// Readable when an exporter has settled, after `flush`.
    let settled: EventDescriptor
    private let store: StoreWriter
    private let storeName: String
    private let storeMessage: LastMessage
    private let exporters: [RunExporter]

    init(_ configuration: AgentConfiguration, _ components: SidelightMetrics, _ messages: Messages) throws {
        settled = try EventDescriptor()
        let storeMessage = LastMessage()
        self.storeMessage = storeMessage
        storeName = configuration.storeDirectory
        store = StoreWriter(directory: configuration.storeDirectory) { text in
            storeMessage.set(text)
            messages.warn(text)
        }
        // Opening goes on beside the worker's start; so does nothing for exporters, which wait for their first batch.
        store.start()
        if configuration.exporters.isEmpty {
            exporters = []
        } else {
            let transport = CurlTransport()
            let resolver = ServiceResolver(configuration.common.discovery.resolve, transport)
            exporters = configuration.exporters.map {
                RunExporter($0, transport, resolver, store: configuration.storeDirectory, components, messages)
            }
        }
    }

    /// Does not block.
    func accept(_ batch: Batch) {
        store.append(batch)
        for exporter in exporters { exporter.accept(batch) }
    }

    /// No more comes: what is held goes out without waiting for company. `deadline`: monotonic nanoseconds.
    private func flush(_ deadline: UInt64) {
        for exporter in exporters { exporter.end() }
        for exporter in exporters { exporter.flush(deadline, settled) }
    }

    /// Whether to wait on.
    private func isWaiting(_ deadline: ExportDeadline, now: UInt64) -> Bool {
        exporters.contains { exporter in
            let counters = exporter.counters
            return counters.queued > 0
                && deadline.isWaiting(sent: counters.exported, retries: counters.retries, now: now)
        }
    }

    /// How often to see whether there is still somebody worth waiting for.
    private static let lookNanoseconds: UInt64 = 100_000_000

    /// No more comes: waits until exporters have delivered what they hold, or there is no hope.
    /// - Parameters:
    ///   - asked: how long the user said it may take, nanoseconds.
    ///   - abandons: whether this signal means that nobody wants to wait.
    func settle(
        asked: UInt64?, _ clock: LinuxClock, _ signals: SignalDescriptor,
        abandons: (SignalDescriptor.Signal) -> Bool
    ) {
        var deadline = ExportDeadline(now: clock.monotonicNanoseconds(), asked: asked)
        flush(deadline.end)
        var poller = Poller([settled.fileDescriptor, signals.fileDescriptor])
        while isWaiting(deadline, now: clock.monotonicNanoseconds()) {
            do { try poller.wait(nanoseconds: Self.lookNanoseconds) } catch { return }
            if poller.isReady(0) { settled.clear() }
            while let signal = signals.next() {
                if abandons(signal) { deadline.abandon() }
            }
        }
    }

    /// How they stand now.
    var accounts: (exporters: [Account], store: Account) {
        (exporters.map(\.account), storeAccount(store.counts))
    }

    /// How exporters do.
    var conditions: [(name: String, condition: ExporterCondition)] { exporters.map(\.condition) }

    var storeCounts: StoreCounts { store.counts }

    /// Ends everything. What exporters still hold is in the store.
    func close(now: UInt64) -> (exporters: [Account], store: Account) {
        (exporters.map { $0.close(now) }, storeAccount(store.flush()))
    }

    private func storeAccount(_ counts: StoreCounts) -> Account {
        var account = Account(name: storeName, lastError: storeMessage.text)
        for signal in Signal.allCases {
            let items = counts[signal]
            guard items.received > 0 else { continue }
            account.signals[signal] = Account.Items(
                received: items.received, sent: items.stored,
                dropped: items.droppedByReason.reduce(into: [:]) { if $1.value > 0 { $0[$1.key.rawValue] = $1.value } },
                queued: items.queued)
        }
        return account
    }
}

/// An exporter, and who tells of it.
private final class RunExporter: Sendable {
    private let exporter: Exporter
    private let teller: ExportTeller

    var counters: ExportAccounting { exporter.counters }

    init(
        _ configuration: ExporterConfiguration, _ transport: CurlTransport, _ resolver: ServiceResolver, store: String,
        _ components: SidelightMetrics, _ messages: Messages
    ) {
        let clock = LinuxClock()
        let teller = ExportTeller(name: configuration.name, keptAt: store, clock: clock, messages)
        self.teller = teller
        exporter = Exporter(
            configuration, transport: transport, resolver: resolver, clock: clock,
            answers: components.exportTimer(configuration.name)
        ) { teller.take($0) }
        teller.follow(exporter)
    }

    var condition: (name: String, condition: ExporterCondition) {
        (exporter.configuration.name, exporter.condition)
    }

    /// What fails from now on is told of in the final account.
    func end() { teller.end() }

    func accept(_ batch: Batch) { exporter.accept(batch) }

    /// `Exporter.flush` blocks; a thread of its own lets the caller look after signals meanwhile.
    func flush(_ deadline: UInt64, _ settled: EventDescriptor) {
        guard counters.queued > 0 else { return }
        ServiceThread(name: "sidelight-flush") { [exporter] in
            _ = exporter.flush(deadline)
            settled.signal()
        }.detach()
    }

    var account: Account { account(counters, lastError: nil) }

    func close(_ now: UInt64) -> Account {
        let outcome = exporter.shutdown(now)
        return account(outcome.counters, lastError: outcome.lastError)
    }

    private func account(_ counters: ExportAccounting, lastError: String?) -> Account {
        var account = Account(
            name: exporter.configuration.name, requests: counters.attempts, retries: counters.retries,
            lastError: lastError, complaint: teller.complaint)
        for signal in Signal.allCases {
            let counts = counters[signal]
            guard counts.received > 0 else { continue }
            account.signals[signal] = Account.Items(
                received: counts.received, sent: counts.exported,
                dropped: DropReason.allCases.reduce(into: [:]) { dropped, reason in
                    if counts.dropped(reason) > 0 { dropped[reason.rawValue] = counts.dropped(reason) }
                },
                queued: counts.queued)
        }
        return account
    }
}
