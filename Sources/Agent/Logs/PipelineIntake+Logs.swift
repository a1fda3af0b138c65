// What was read of files, on its way into the queues.
//
// The order in which things are written makes it exactly once: what the places will be and which entries they stand for, then the entries, then that the queues have
// them. An agent that is killed in between finds at its next start whether the entries are there (docs/logs.md).

internal import Logs
internal import Queue
internal import Telemetry
internal import Wire

extension PipelineIntake {
    /// Puts it into the queues, or says why not. On the server's thread, between turns.
    /// - Parameter positions: nil: it is of no files.
    func take(_ delivery: LogDelivery, _ positions: PositionLog?) -> LogReceipt {
        // Nobody else is in the groups that are written below.
        turnEnded()
        // Before the processors, which would count it twice.
        guard hasRoom(for: delivery) else { return .refused(.full) }
        if delivery.prepared?.planNumber != planNumber { delivery.prepared = prepare(delivery) }
        // The store drops what comes faster than it writes; what is read here can wait where it is.
        if let store = plan.end.store, !store.mayTake(delivery.prepared!.stored) { return .refused(.storeBehind) }
        return write(delivery, positions)
    }

    private func hasRoom(for delivery: LogDelivery) -> Bool {
        var wanted: TakerSet = 0
        for (receiver, _) in delivery.parts {
            for route in plan.routes(from: receiver)[.logs] ?? [] { wanted |= PipelinePlan.bits(route.takers) }
        }
        return wanted == 0 || delivery.items == 0
            || takers.all.indices.contains {
                wanted & (1 << TakerSet($0)) != 0 && takers.all[$0].mayTake(bytes: delivery.bytes)
            }
    }

    /// Runs the processors, and finds out which queue gets what.
    private func prepare(_ delivery: LogDelivery) -> LogDelivery.Prepared {
        var prepared = LogDelivery.Prepared(planNumber: planNumber, portions: [], stored: [])
        var made: [[Batch]] = []
        /// By taker: places in `made`.
        var wanted = [[Int]](repeating: [], count: takers.all.count)
        for (receiver, received) in delivery.parts {
            if !taps.isEmpty { taps.show(received, at: .receiver, receiver) }
            guard let routes = plan.routes(from: receiver)[.logs] else {
                dropUnrouted(received, .logs, receiver)
                continue
            }
            for route in routes {
                let batches = route.process(received, now: clock.monotonicNanoseconds(), audit)
                guard !batches.isEmpty else { continue }
                if !taps.isEmpty, !route.goesOn { taps.show(batches, at: .pipeline, route.pipeline) }
                if route.isStored { prepared.stored += batches }
                for taker in route.takers { wanted[taker].append(made.count) }
                made.append(batches)
            }
        }
        for taker in wanted.indices where !wanted[taker].isEmpty {
            // Those that get the same have it from the first of them.
            guard !wanted[..<taker].contains(wanted[taker]) else { continue }
            let same = wanted.indices.filter {
                wanted[$0] == wanted[taker] && !delivery.done.contains(takers.all[$0].queueName)
            }
            let batches = wanted[taker].flatMap { made[$0] }
            let items = batches.reduce(0) { $0 + $1.items.count }
            guard items > 0, !same.isEmpty else { continue }
            prepared.portions.append(
                LogDelivery.Portion(
                    items: items, payload: OTLP.exportRequest(batches: batches), batches: batches, takers: same))
        }
        return prepared
    }

    private func write(_ delivery: LogDelivery, _ positions: PositionLog?) -> LogReceipt {
        let portions = delivery.prepared!.portions
        var entries: [(queue: String, sequence: UInt64)] = []
        var (queued, full): (TakerSet, TakerSet) = (0, 0)
        var isTooLarge = true
        for portion in portions {
            let head = QueueEntryHead(signal: .logs, items: UInt32(portion.items), time: clock.unixNanoseconds())
            for taker in portion.takers {
                let outcome = takers.append(taker, head, portion.payload, portion.batches)
                if case .queued(let id) = outcome {
                    entries.append((takers.all[taker].queueName, id.sequence))
                    queued |= 1 << TakerSet(taker)
                } else {
                    full |= 1 << TakerSet(taker)
                    if case .tooLarge = outcome {} else { isTooLarge = false }
                }
            }
        }
        if queued == 0, full != 0, !isTooLarge, delivery.done.isEmpty { return .refused(.full) }
        if !entries.isEmpty, let mark = delivery.mark { positions?.intend(mark, entries: entries) }
        let failed = takers.commit()
        // Queues that have no room miss what others took, and what they can never take.
        if queued & ~failed != 0 || queued == 0 {
            overflow(delivery, full)
            full = 0
        }
        guard failed == 0 else {
            if let mark = delivery.mark { positions?.abandon(mark) }
            keep(delivery, failed | full)
            let reasons = takers.all.indices.lazy.filter { failed & (1 << TakerSet($0)) != 0 }
                .compactMap { [takers] in takers.all[$0].queueFailure }
            return .refused(.failed(reasons.first?.description ?? "a queue could not be written"))
        }
        if let mark = delivery.mark { positions?.commit(mark) }
        plan.end.take(delivery.prepared!.stored)
        return .taken
    }

    private func overflow(_ delivery: LogDelivery, _ full: TakerSet) {
        for portion in delivery.prepared!.portions {
            for taker in portion.takers where full & (1 << TakerSet(taker)) != 0 {
                takers.all[taker].overflowed(.logs, items: portion.items, bytes: portion.payload.count)
            }
        }
    }

    /// Of what comes again only these takers get anything.
    private func keep(_ delivery: LogDelivery, _ wanted: TakerSet) {
        for index in delivery.prepared!.portions.indices {
            let takers = delivery.prepared!.portions[index].takers
            let left = takers.filter { wanted & (1 << TakerSet($0)) != 0 }
            delivery.prepared!.portions[index].takers = left
            for taker in takers where !left.contains(taker) { delivery.done.insert(self.takers.all[taker].queueName) }
        }
    }
}
