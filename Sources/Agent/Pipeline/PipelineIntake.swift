// What was received, on its way into the queues.
//
// All of it runs on the server's thread, in turns: the requests of a turn are put into the groups of the queues one by one, and when the turn ends each queue
// writes its group with one call. Then the senders are answered. So the more there is to do, the fewer writes it takes.
//
// A request is refused (503) when no queue that it should go to has room, or when one could not write: then nothing of it is kept there, and the sender has to
// come again. Where one queue of several is full, the others take it, and what the full one missed is counted as dropped: a dead backend must not hold up a
// live one.

internal import Configuration
internal import Exporters
internal import Linux
internal import Processors
internal import Queue
internal import Receivers
internal import Store
internal import Synchronization
internal import Telemetry
internal import Wire

/// The server's thread only, but for `unrouted`, which has a lock.
final class PipelineIntake: @unchecked Sendable {
    /// Where the items of one signal go that came in at one receiver.
    struct Route {
        /// What is done to them first; nil: nothing.
        var processors: ProcessorChain?
        /// Indices of outputs.
        var exporters: [Int]
        /// Whether the store gets them too.
        var isStored: Bool
    }

    typealias Answer = @Sendable (IntakeAnswer) -> Void

    /// A request whose items are in groups that wait for their commit.
    private struct Waiting {
        var answer: Answer
        /// A bit for each output.
        var outputs: UInt64
        var wait: DeliveryWait?
        /// What `wait` waits for.
        var entries: [(output: Int, id: QueueEntryID)] = []
    }

    /// Bits of `Waiting.outputs`.
    static let outputsMax = 64

    /// Items that no pipeline takes.
    let unrouted = Mutex<[Signal: Int]>([:])
    private let outputs: PipelineOutputs
    private let acknowledgement: PipelineConfiguration.Acknowledgement
    private let deliveries: Deliveries
    private let audit: DropAudit
    private let clock: LinuxClock
    private var waiting: [Waiting] = []
    /// Outputs that have a group.
    private var filled: UInt64 = 0
    /// Outputs that could not write since the request that is being taken began.
    private var failedMeanwhile: UInt64 = 0

    init(
        _ outputs: PipelineOutputs, _ acknowledgement: PipelineConfiguration.Acknowledgement, _ deliveries: Deliveries,
        _ audit: DropAudit, _ clock: LinuxClock
    ) {
        precondition(outputs.outputs.count <= Self.outputsMax, "\(outputs.outputs.count) exporters")
        self.outputs = outputs
        self.acknowledgement = acknowledgement
        self.deliveries = deliveries
        self.audit = audit
        self.clock = clock
    }

    /// Takes a request; `answer` is called now, when the turn ends, or when it is delivered.
    func accept(_ received: [Batch], _ signal: Signal, _ routes: [Route], _ answer: @escaping Answer) {
        let wait = acknowledgement == .delivered ? DeliveryWait(answer) : nil
        failedMeanwhile = 0
        var taken: UInt64 = 0
        var full: [(output: Int, items: Int, bytes: Int)] = []
        var stored: [Batch] = []
        var entries: [(output: Int, id: QueueEntryID)] = []
        for route in routes {
            let batches = process(received, route)
            let items = batches.reduce(0) { $0 + $1.items.count }
            guard items > 0 else { continue }
            if route.isStored { stored = batches }
            guard !route.exporters.isEmpty else { continue }
            let payload = OTLP.exportRequest(batches: batches)
            let head = QueueEntryHead(signal: signal, items: UInt32(items), time: clock.unixNanoseconds())
            for output in route.exporters {
                if let id = append(output, head, payload, batches) {
                    taken |= 1 << UInt64(output)
                    if let wait {
                        deliveries.add(wait, output, id)
                        entries.append((output, id))
                    }
                } else {
                    full.append((output, items, payload.count))
                }
            }
        }
        if taken == 0, !full.isEmpty { return answer(.full(retryAfterSeconds: 1)) }
        if taken & failedMeanwhile != 0 {
            return refuse(
                Waiting(answer: answer, outputs: taken, wait: wait, entries: entries), failed: failedMeanwhile)
        }
        for (output, items, bytes) in full { outputs.overflowed(output, signal, items: items, bytes: bytes) }
        if let store = outputs.store {
            for batch in stored { store.append(batch) }
        }
        if taken == 0 || acknowledgement == .memory {
            answer(.accepted)
        } else {
            waiting.append(Waiting(answer: answer, outputs: taken, wait: wait, entries: entries))
        }
    }

    /// No pipeline takes this signal from this receiver: it is dropped, and counted.
    func dropUnrouted(_ batches: [Batch], _ signal: Signal, _ receiver: ReceiverName) {
        let items = batches.reduce(0) { $0 + $1.items.count }
        unrouted.withLock { $0[signal, default: 0] += items }
        audit.add(
            "receiver \(receiver.rawValue)", signal, reason: "no_pipeline",
            detail: "no pipeline takes \(signal.word) from here", items: items)
    }

    private func process(_ received: [Batch], _ route: Route) -> [Batch] {
        guard let chain = route.processors else { return received }
        var batches = received
        for drop in chain.process(&batches, now: clock.monotonicNanoseconds()) {
            audit.add(
                "processor \(drop.processor)", drop.signal, reason: drop.reason.rawValue, detail: drop.rule,
                items: drop.items, bytes: drop.bytes)
        }
        return batches
    }

    /// Nil: there is no room.
    private func append(_ output: Int, _ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]) -> QueueEntryID?
    {
        let exporter = outputs.outputs[output].exporter
        // A queue that cannot write is tried once a turn.
        if exporter.queueFailure != nil, filled & (1 << UInt64(output)) != 0 { return nil }
        var outcome = exporter.append(head, payload, batches)
        if case .groupFull = outcome {
            turnEnded()
            outcome = exporter.append(head, payload, batches)
        }
        guard case .queued(let id) = outcome else { return nil }
        filled |= 1 << UInt64(output)
        return id
    }

    /// Not every queue could write what was to be kept: the sender has to come again.
    private func refuse(_ request: Waiting, failed: UInt64) {
        guard let wait = request.wait else { return request.answer(.full(retryAfterSeconds: 1)) }
        for (output, id) in request.entries where failed & (1 << UInt64(output)) != 0 { deliveries.forget(output, id) }
        wait.fail()
    }

    /// All that was ready has been read: it is written, and its senders are answered.
    func turnEnded() {
        var failed: UInt64 = 0
        for output in outputs.outputs.indices where filled & (1 << UInt64(output)) != 0 {
            if outputs.outputs[output].exporter.commit() != nil { failed |= 1 << UInt64(output) }
        }
        filled = 0
        failedMeanwhile |= failed
        guard !waiting.isEmpty else { return }
        let requests = waiting
        waiting.removeAll(keepingCapacity: true)
        for request in requests {
            if request.outputs & failed != 0 {
                refuse(request, failed: failed)
            } else if let wait = request.wait {
                wait.committed()
            } else {
                request.answer(.accepted)
            }
        }
    }
}

/// What one listener receives goes in here. On the server's thread.
final class ListenerIntake: Intake, @unchecked Sendable {
    private let intake: PipelineIntake
    private let routes: [Signal: [PipelineIntake.Route]]

    init(_ intake: PipelineIntake, _ routes: [Signal: [PipelineIntake.Route]]) {
        self.intake = intake
        self.routes = routes
    }

    func accept(
        _ received: OTLP.Received, of signal: Signal, from receiver: ReceiverName,
        answer: @escaping @Sendable (IntakeAnswer) -> Void
    ) {
        guard let routes = routes[signal] else {
            intake.dropUnrouted(received.batches, signal, receiver)
            return answer(.accepted)
        }
        intake.accept(received.batches, signal, routes, answer)
    }

    func turnEnded() { intake.turnEnded() }
}
