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

/// How the pipeline stands: what came in, where it is, what was dropped and why. Any thread.
final class PipelineStatus: Sendable {
    private let outputs: PipelineOutputs
    private let receivers: ReceiverCounters
    /// By the name of their pipeline.
    private let processors: [String: ProcessorChain.Totals]
    private let budget: MemoryBudget
    let audit: DropAudit
    private let server = Mutex<ServerCounters?>(nil)

    init(
        outputs: PipelineOutputs, receivers: ReceiverCounters, processors: [String: ProcessorChain.Totals],
        budget: MemoryBudget, audit: DropAudit, unrouted: @escaping @Sendable () -> [Signal: Int]
    ) {
        self.outputs = outputs
        self.receivers = receivers
        self.processors = processors
        self.budget = budget
        self.audit = audit
        self.unrouted = unrouted
    }

    func follow(_ counters: ServerCounters) { server.withLock { $0 = counters } }

    /// Items that no pipeline took, by signal; asked for when the counters are.
    let unrouted: @Sendable () -> [Signal: Int]

    /// Every counter, as of now.
    var counters: Counters {
        var counters = Counters()
        for receiver in ReceiverName.allCases { add(receiver, to: &counters) }
        for (signal, items) in unrouted() { counters.add(.unrouted, ["signal": signal.word], items) }
        for (pipeline, totals) in processors { Self.add(totals, pipeline, to: &counters) }
        for output in outputs.outputs { add(output, to: &counters) }
        counters.add(.memoryUsed, [:], budget.used)
        counters.add(.memoryMax, [:], budget.bytesMax)
        if let store = outputs.store { Self.add(store.counts, to: &counters) }
        if let server = server.withLock({ $0 }) {
            counters.add(.serverRequests, [:], server.requests)
            counters.add(.serverConnections, [:], server.connections)
            for reason in ServerRefusal.allCases {
                counters.add(.serverRefused, ["reason": reason.rawValue], server.refused(reason))
            }
        }
        return counters
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

    private func add(_ output: PipelineOutputs.Output, to counters: inout Counters) {
        for signal in Signal.allCases {
            let books = output.exporter.books(signal)
            let labels: KeyValuePairs = ["exporter": output.name, "signal": signal.word]
            counters.add(.exportReceived, labels, books.received)
            counters.add(.exportRecovered, labels, books.recovered)
            counters.add(.exportSent, labels, books.exported)
            counters.add(.exportQueued, labels, books.queued)
            for (reason, count) in books.dropped {
                counters.add(
                    .exportDropped, ["exporter": output.name, "signal": signal.word, "reason": reason], count)
            }
        }
        let totals = output.exporter.counters
        counters.add(.exportRequests, ["exporter": output.name], totals.attempts)
        counters.add(.exportRetries, ["exporter": output.name], totals.retries)
        let queue = output.exporter.queueCounts
        counters.add(.queueBytes, ["exporter": output.name], queue.bytesOnDisk)
        counters.add(.queueEntries, ["exporter": output.name], queue.entries)
        counters.add(.queueFailures, ["exporter": output.name], queue.commitsFailed)
    }

    private static func add(_ counts: StoreCounts, to counters: inout Counters) {
        for signal in Signal.allCases {
            let items = counts[signal]
            counters.add(.storeWritten, ["signal": signal.word], items.stored)
            counters.add(.storeQueued, ["signal": signal.word], items.queued)
            for (reason, count) in items.droppedByReason {
                counters.add(.storeDropped, ["signal": signal.word, "reason": reason.rawValue], count)
            }
        }
    }

    private static func add(_ totals: ProcessorChain.Totals, _ pipeline: String, to counters: inout Counters) {
        for (name, counts) in totals.read() {
            for (signal, items) in counts.received {
                counters.add(
                    .processorReceived, ["pipeline": pipeline, "processor": name, "signal": signal.word], items)
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
