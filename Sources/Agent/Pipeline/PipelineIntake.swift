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
internal import Server
internal import Store
internal import Telemetry
internal import Wire

/// The server's thread only.
final class PipelineIntake: ServerCompanion, @unchecked Sendable {
    // @unchecked: of the server's thread, once it runs.

    /// Where the items of one signal go that came in at one receiver.
    struct Route {
        var pipeline: String
        /// What is done to them first; nil: nothing.
        var processors: ProcessorChain?
        /// Places in `EntryTakers.all`.
        var takers: [Int]
        /// Whether `PipelinePlan.end` gets them too.
        var isStored: Bool
        /// Whether processors that remember come next.
        var goesOn: Bool

        /// What the processors leave of it.
        func process(_ received: [Batch], now: UInt64, _ audit: DropAudit) -> [Batch] {
            guard let processors else { return received }
            var batches = received
            for drop in processors.process(&batches, now: now) { audit.add(drop) }
            return batches
        }
    }

    typealias Answer = @Sendable (IntakeAnswer) -> Void

    /// A request whose items are in groups that wait for their commit.
    private struct Waiting {
        var answer: Answer
        /// A bit for each taker.
        var takers: TakerSet
        /// For the store, once it is written.
        var stored: [Batch] = []
        var wait: DeliveryWait?
        /// What `wait` waits for.
        var entries: [(taker: Int, id: QueueEntryID)] = []
    }

    /// What is where at the moment; another one with `adopt`.
    private(set) var plan: PipelinePlan
    /// Items that no pipeline takes.
    private(set) var unrouted: [Signal: Int] = [:]
    var takers: EntryTakers
    /// Grows with each plan.
    private(set) var planNumber = 0
    /// What `noteSyncs` found.
    let syncedAt = SharedTime()
    let taps: Taps
    private let deliveries: Deliveries
    let audit: DropAudit
    let clock: LinuxClock
    private var waiting: [Waiting] = []
    /// Takers that could not write since the request that is being taken began.
    private var failedMeanwhile: TakerSet = 0

    init(_ plan: PipelinePlan, _ surroundings: PipelineSurroundings) {
        self.plan = plan
        takers = EntryTakers(plan.takers)
        taps = surroundings.taps
        deliveries = surroundings.deliveries
        audit = surroundings.audit
        clock = surroundings.clock
    }

    /// Takes a request; `answer` is called now, when the turn ends, or when it is delivered.
    func accept(_ received: [Batch], _ signal: Signal, _ routes: [Route], _ answer: @escaping Answer) {
        let wait = plan.configuration.acknowledgement == .delivered ? DeliveryWait(answer) : nil
        failedMeanwhile = 0
        // Before the processors, which would count it twice when the sender comes again.
        guard hasRoom(received, routes) else { return answer(.full(retryAfterSeconds: 1)) }
        var taken: TakerSet = 0
        var full: [(taker: Int, items: Int, bytes: Int)] = []
        var isTooLarge = true
        var stored: [Batch] = []
        var entries: [(taker: Int, id: QueueEntryID)] = []
        for route in routes {
            let batches = route.process(received, now: clock.monotonicNanoseconds(), audit)
            let items = batches.reduce(0) { $0 + $1.items.count }
            guard items > 0 else { continue }
            if !taps.isEmpty, !route.goesOn { taps.show(batches, at: .pipeline, route.pipeline) }
            if route.isStored { stored = batches }
            guard !route.takers.isEmpty else { continue }
            let payload = OTLP.exportRequest(batches: batches)
            let head = QueueEntryHead(signal: signal, items: UInt32(items), time: clock.unixNanoseconds())
            for taker in route.takers {
                let outcome = append(taker, head, payload, batches)
                guard case .queued(let id) = outcome else {
                    full.append((taker, items, payload.count))
                    if case .full = outcome { isTooLarge = false }
                    continue
                }
                taken |= 1 << TakerSet(taker)
                if let wait, let serial = plan.serial(taker) {
                    deliveries.add(wait, serial, id)
                    entries.append((taker, id))
                }
            }
        }
        if taken == 0, !full.isEmpty {
            return answer(isTooLarge ? .failed("no queue can hold so much at once") : .full(retryAfterSeconds: 1))
        }
        if taken & failedMeanwhile != 0 {
            return refuse(
                Waiting(answer: answer, takers: taken, wait: wait, entries: entries), failed: failedMeanwhile)
        }
        for (taker, items, bytes) in full { takers.all[taker].overflowed(signal, items: items, bytes: bytes) }
        if taken == 0 || plan.configuration.acknowledgement == .memory {
            plan.end.take(stored)
            answer(.accepted)
        } else {
            waiting.append(Waiting(answer: answer, takers: taken, stored: stored, wait: wait, entries: entries))
        }
    }

    /// What the agent has measured itself, as from a receiver of this name; where no pipeline takes from it, it goes nowhere. Between turns.
    func takeOwn(_ batch: Batch) {
        guard let routes = plan.routes(from: PipelineConfiguration.ownReceiver)[batch.signal] else { return }
        if !taps.isEmpty { taps.show([batch], at: .receiver, PipelineConfiguration.ownReceiver) }
        let (audit, items) = (audit, batch.items.count)
        accept([batch], batch.signal, routes) { answer in
            guard answer != .accepted else { return }
            audit.add(
                "receiver \(PipelineConfiguration.ownReceiver)", batch.signal, reason: "queue_full",
                detail: "its own figures; the next come soon", items: items)
        }
        turnEnded()
    }

    /// No pipeline takes this signal from this receiver: it is dropped, and counted.
    func dropUnrouted(_ batches: [Batch], _ signal: Signal, _ receiver: String) {
        let items = batches.reduce(0) { $0 + $1.items.count }
        unrouted[signal, default: 0] += items
        audit.add(
            "receiver \(receiver)", signal, reason: "no_pipeline",
            detail: "no pipeline takes \(signal.word) from here", items: items)
    }

    /// Whether one of the queues may have room for it, or none has to.
    private func hasRoom(_ received: [Batch], _ routes: [Route]) -> Bool {
        let bytes = received.reduce(0) { $0 + $1.bytes.count }
        var isWanted = false
        for route in routes {
            for taker in route.takers {
                if takers.all[taker].mayTake(bytes: bytes) { return true }
                isWanted = true
            }
        }
        return !isWanted
    }

    private func append(
        _ taker: Int, _ head: QueueEntryHead, _ payload: [UInt8], _ batches: [Batch]
    ) -> DurableQueue.Append {
        let outcome = takers.append(taker, head, payload, batches)
        guard case .groupFull = outcome else { return outcome }
        turnEnded()
        return takers.append(taker, head, payload, batches)
    }

    /// Not every queue could write what was to be kept: the sender has to come again.
    private func refuse(_ request: Waiting, failed: TakerSet) {
        guard let wait = request.wait else { return request.answer(.full(retryAfterSeconds: 1)) }
        for (taker, id) in request.entries where failed & (1 << TakerSet(taker)) != 0 {
            deliveries.forget(plan.serial(taker)!, id)
        }
        wait.fail()
    }

    /// All that was ready has been read: it is written, and its senders are answered.
    func turnEnded() {
        let failed = takers.commit(isPromised: plan.configuration.acknowledgement == .memory)
        failedMeanwhile |= failed
        guard !waiting.isEmpty else { return }
        let requests = waiting
        waiting.removeAll(keepingCapacity: true)
        for request in requests {
            if request.takers & failed != 0 {
                refuse(request, failed: failed)
                continue
            }
            plan.end.take(request.stored)
            if let wait = request.wait {
                wait.committed()
            } else {
                request.answer(.accepted)
            }
        }
    }

    /// Processors that remember get theirs, and who follows the logs is told what is missing.
    func turn(now: UInt64) -> UInt64? {
        let notes = plan.end.followers.turn(now: now)
        guard !plan.stateful.isEmpty else { return notes }
        turnEnded()
        let due = (plan.stateful.compactMap { $0.turn(&takers, now: now) } + [notes].compactMap(\.self)).min()
        // One may have given to another that had its turn before.
        return plan.stateful.contains(where: \.canGoOn) ? now : due
    }

    /// From now on things go another way. Requests come in by other `ListenerIntake`s from now on.
    /// - Parameter next: makes the new plan, when nothing waits for a commit any more. Pipelines that are not in it are ended before.
    func adopt(_ next: () -> PipelinePlan, ending: [StatefulPipeline]) {
        turnEnded()
        for pipeline in ending { pipeline.end(&takers) }
        plan = next()
        planNumber += 1
        takers = EntryTakers(plan.takers)
    }

    /// The agent ends; after the server has.
    func end() {
        turnEnded()
        for pipeline in plan.stateful { pipeline.end(&takers) }
    }
}

/// What one listener receives goes in here. On the server's thread.
final class ListenerIntake: Intake, @unchecked Sendable {
    private let intake: PipelineIntake
    private let name: String
    private let routes: [Signal: [PipelineIntake.Route]]

    init(_ intake: PipelineIntake, _ name: String, _ routes: [Signal: [PipelineIntake.Route]]) {
        self.intake = intake
        self.name = name
        self.routes = routes
    }

    func accept(
        _ received: OTLP.Received, of signal: Signal, from receiver: ReceiverName,
        answer: @escaping @Sendable (IntakeAnswer) -> Void
    ) {
        if !intake.taps.isEmpty { intake.taps.show(received.batches, at: .receiver, name) }
        guard let routes = routes[signal] else {
            intake.dropUnrouted(received.batches, signal, receiver.rawValue)
            return answer(.accepted)
        }
        intake.accept(received.batches, signal, routes, answer)
    }

    func turnEnded() { intake.turnEnded() }
}
