internal import Configuration
internal import Exporters
internal import Pipeline
internal import Processors
internal import Queue
internal import Receivers
internal import Server
internal import Store
internal import Synchronization
internal import System
internal import Telemetry
internal import Wire

/// How the pipeline stands: what came in, where it is, what was dropped and why. The server's thread only, but for `follow`.
final class PipelineStatus: Sendable {
    private let intake: PipelineIntake
    private let receivers: ReceiverCounters
    private let budget: MemoryBudget
    private let reloads: ConfigurationReloads
    let audit: DropAudit
    let registrations = RegistrationBoard()
    private let server = Mutex<ServerCounters?>(nil)
    private let health = Mutex<HealthDesk?>(nil)
    private let trail = Mutex<AuditTrail?>(nil)
    private let tail = Mutex<LogTail?>(nil)
    private let logInputs = Mutex<LogInputReading.Shared?>(nil)

    init(
        intake: PipelineIntake, receivers: ReceiverCounters, surroundings: PipelineSurroundings,
        reloads: ConfigurationReloads
    ) {
        self.intake = intake
        self.receivers = receivers
        self.reloads = reloads
        budget = surroundings.budget
        audit = surroundings.audit
    }

    func follow(_ health: HealthDesk) { self.health.withLock { $0 = health } }
    func follow(_ trail: AuditTrail) { self.trail.withLock { $0 = trail } }
    func follow(_ counters: ServerCounters) { server.withLock { $0 = counters } }
    func follow(_ tail: LogTail) { self.tail.withLock { $0 = tail } }
    func follow(_ inputs: LogInputReading.Shared) { logInputs.withLock { $0 = inputs } }

    /// Where one can look at what flows.
    var points: [Taps.Point] {
        let configuration = intake.plan.configuration
        let receivers =
            configuration.receivers.map(\.name) + configuration.logFiles.map(\.name)
            + configuration.logInputs.map(\.name)
        return receivers.map { Taps.Point(place: .receiver, name: $0) }
            + configuration.pipelines.map { Taps.Point(place: .pipeline, name: $0.name) }
    }

    /// Every counter, as of now.
    var counters: Counters {
        var counters = Counters()
        for receiver in ReceiverName.allCases { add(receiver, to: &counters) }
        registrations.count(in: &counters)
        if let tail = tail.withLock({ $0 }) { Self.add(tail, intake.plan.configuration.logFiles, to: &counters) }
        if let inputs = logInputs.withLock({ $0 }) { Self.add(inputs, to: &counters) }
        for signal in Signal.allCases { counters.add(.unrouted, ["signal": signal.word], 0) }
        for (signal, items) in intake.unrouted { counters.add(.unrouted, ["signal": signal.word], items) }
        let plan = intake.plan
        for (pipeline, chain) in plan.chains {
            guard let signal = plan.configuration.pipelines.first(where: { $0.name == pipeline })?.signal else {
                continue
            }
            Self.add(zerosOf: chain.recipe.processors, pipeline, signal, to: &counters)
            if let front = chain.front { Self.add(front.counts.read(), pipeline, to: &counters) }
        }
        for pipeline in plan.stateful { Self.add(pipeline, to: &counters) }
        for output in plan.outputs { add(output, to: &counters) }
        counters.add(.memoryUsed, [:], budget.used)
        counters.add(.memoryMax, [:], budget.bytesMax)
        counters.add(.reloads, ["outcome": "taken"], reloads.counts.succeeded)
        counters.add(.reloads, ["outcome": "refused"], reloads.counts.failed)
        if let store = plan.end.store { Self.add(store.counts, to: &counters) }
        health.withLock { $0 }?.add(to: &counters)
        trail.withLock { $0 }?.add(to: &counters)
        if let server = server.withLock({ $0 }) {
            counters.add(.serverRequests, [:], server.requests)
            counters.add(.serverConnections, [:], server.connections)
            for reason in ServerRefusal.allCases {
                counters.add(.serverRefused, ["reason": reason.rawValue], server.refused(reason))
            }
        }
        return counters
    }

    /// What is known of processors before anything has come to them: received, and dropped for the reasons that all have.
    private static func add(
        zerosOf processors: [NamedProcessor], _ pipeline: String, _ signal: Signal, to counters: inout Counters
    ) {
        for named in processors {
            let labels: KeyValuePairs = ["pipeline": pipeline, "processor": named.name, "signal": signal.word]
            counters.add(.processorReceived, labels, 0)
            if named.processor.kind.isStateful { counters.add(.processorHeld, labels, 0) }
            for reason in named.processor.kind.dropReasons {
                counters.add(
                    .processorDropped,
                    ["pipeline": pipeline, "processor": named.name, "signal": signal.word, "reason": reason.rawValue], 0
                )
            }
        }
    }

    private static func add(_ pipeline: StatefulPipeline, to counters: inout Counters) {
        add(pipeline.chain.counts, pipeline.name, to: &counters)
        for signal in Signal.allCases {
            let books = pipeline.books(signal)
            // A pipeline is of one signal.
            guard pipeline.name.prefix(while: { $0 != "/" }) == signal.word else { continue }
            let labels: KeyValuePairs = ["pipeline": pipeline.name, "signal": signal.word]
            counters.add(.intakeReceived, labels, books.received)
            counters.add(.intakeRecovered, labels, books.recovered)
            counters.add(.intakeTaken, labels, books.taken)
            counters.add(.intakeQueued, labels, books.queued)
            for reason in QueueDropReason.allCases.map(\.rawValue) {
                counters.add(.intakeDropped, ["pipeline": pipeline.name, "signal": signal.word, "reason": reason], 0)
            }
            for (reason, count) in books.dropped {
                counters.add(
                    .intakeDropped, ["pipeline": pipeline.name, "signal": signal.word, "reason": reason], count)
            }
        }
        counters.add(.intakeBytes, ["pipeline": pipeline.name], pipeline.queue.counts.bytesOnDisk)
    }

    private func add(_ receiver: ReceiverName, to counters: inout Counters) {
        let counts = receivers.counts(of: receiver)
        counters.add(.receiverItems, ["receiver": receiver.rawValue], counts.items)
        counters.add(.receiverRejected, ["receiver": receiver.rawValue], counts.rejectedItems)
        for (outcome, count) in [
            ("accepted", counts.accepted), ("bad", counts.bad), ("full", counts.full), ("failed", counts.failed),
        ] {
            counters.add(.receiverRequests, ["receiver": receiver.rawValue, "outcome": outcome], count)
        }
    }

    /// What an exporter of an agent drops for.
    private static let exportReasons = Set(
        DropReason.allCases.filter { $0 != .undelivered && $0 != .shutDown }.map(\.rawValue)
            + QueueDropReason.allCases.map(\.rawValue))

    private func add(_ output: PipelineOutput, to counters: inout Counters) {
        for signal in Signal.allCases {
            let books = output.exporter.books(signal)
            // What it does not take may still lie in its queue, from an earlier configuration.
            guard output.exporter.signals.contains(signal) || books.received > 0 else { continue }
            let labels: KeyValuePairs = ["exporter": output.name, "signal": signal.word]
            counters.add(.exportReceived, labels, books.received)
            counters.add(.exportRecovered, labels, books.recovered)
            counters.add(.exportSent, labels, books.exported)
            counters.add(.exportQueued, labels, books.queued)
            for reason in Self.exportReasons {
                counters.add(.exportDropped, ["exporter": output.name, "signal": signal.word, "reason": reason], 0)
            }
            for (reason, count) in books.dropped {
                counters.add(
                    .exportDropped, ["exporter": output.name, "signal": signal.word, "reason": reason], count)
            }
        }
        let totals = output.exporter.counters
        counters.add(.exportRequests, ["exporter": output.name], totals.attempts)
        counters.add(.exportRetries, ["exporter": output.name], totals.retries)
        if let lookups = output.exporter.lookups {
            counters.add(.lookups, ["exporter": output.name, "outcome": "answered"], lookups.answered)
            counters.add(.lookups, ["exporter": output.name, "outcome": "failed"], lookups.failed)
            counters.add(.endpoints, ["exporter": output.name], lookups.endpoints)
        }
        let queue = output.exporter.queueCounts
        counters.add(.queueBytes, ["exporter": output.name], queue.bytesOnDisk)
        counters.add(.queueEntries, ["exporter": output.name], queue.entries)
        counters.add(.queueFailures, ["exporter": output.name], queue.commitsFailed)
    }

    private static func add(_ counts: StoreCounts, to counters: inout Counters) {
        counters.add(.storeUnindexed, [:], counts.unindexedLogs)
        for signal in Signal.allCases {
            let items = counts[signal]
            counters.add(.storeWritten, ["signal": signal.word], items.stored)
            counters.add(.storeQueued, ["signal": signal.word], items.queued)
            for reason in StoreDropReason.allCases {
                counters.add(.storeDropped, ["signal": signal.word, "reason": reason.rawValue], 0)
            }
            for (reason, count) in items.droppedByReason {
                counters.add(.storeDropped, ["signal": signal.word, "reason": reason.rawValue], count)
            }
        }
    }

    private static func add(
        _ processors: [(name: String, counts: ProcessorCounts)], _ pipeline: String, to counters: inout Counters
    ) {
        for (name, counts) in processors {
            for (signal, items) in counts.received {
                counters.add(
                    .processorReceived, ["pipeline": pipeline, "processor": name, "signal": signal.word], items)
            }
            for (signal, items) in counts.held {
                counters.add(.processorHeld, ["pipeline": pipeline, "processor": name, "signal": signal.word], items)
            }
            for (signal, reasons) in counts.dropped {
                for (reason, items) in reasons {
                    counters.add(
                        .processorDropped,
                        ["pipeline": pipeline, "processor": name, "signal": signal.word, "reason": reason.rawValue],
                        items)
                }
            }
            for (detail, count) in counts.details {
                counters.add(.processorChanges, ["pipeline": pipeline, "processor": name, "kind": detail], count)
            }
        }
    }
}

extension PipelineStatus: FigureSource {
    func figures(_ done: @escaping @Sendable (OwnFigures) -> Void) -> Bool {
        done(OwnFigures(counters: counters))
        return true
    }
}

extension ProcessorConfiguration.Kind {
    /// What processors of this kind drop items for.
    fileprivate var dropReasons: [ProcessorDropReason] {
        switch self {
        case .attributes, .resource, .redact, .normalize, .limits, .correlate: [.malformed, .tooLarge]
        case .filter: [.filtered, .malformed, .tooLarge]
        case .sample: [.unsampled, .malformed, .tooLarge]
        case .tailSample: [.unsampled, .lateUnsampled, .malformed]
        case .spanMetrics, .serviceGraph, .logMetrics: [.malformed]
        case .dedupe: [.duplicate, .repeated, .malformed]
        case .js: [.script, .scriptFailed]
        }
    }
}
