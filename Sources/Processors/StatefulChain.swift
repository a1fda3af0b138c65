public import Telemetry

/// Processors one after the other, at least one of which has a memory. What one lets go is the next one's, in order. All calls come from one thread.
public final class StatefulChain {
    public enum Link {
        case pure(ProcessorChain)
        case stateful(name: String, any StatefulProcessor)
    }

    /// What has come out.
    public struct Made {
        public var batches: [Batch] = []
        /// What a processor has made itself, with its name.
        public var derived: [(processor: String, batch: Batch)] = []
        public var dropped: [DroppedItems] = []
    }

    public let links: [Link]
    /// What a processor that is full has to take before anything else, by its place.
    private var waiting: [[Batch]]

    public init(_ links: [Link]) {
        self.links = links
        waiting = links.map { _ in [] }
    }

    /// Takes batches of accepted requests in their order, tickets and all. Not while `isFull`.
    public func take(_ batches: [Batch], now: UInt64) -> Made {
        var made = Made()
        pass(batches, from: 0, now, &made)
        return made
    }

    /// Does what is due, and gives processors what they had no room for.
    public func tick(now: UInt64) -> Made {
        var made = Made()
        for (index, link) in links.enumerated() {
            guard case .stateful(let name, let processor) = link else { continue }
            var output = ProcessorOutput()
            processor.tick(now: now, &output)
            goOn(output, name, index, now, &made)
            if !waiting[index].isEmpty, !processor.isFull {
                let batches = waiting[index]
                waiting[index] = []
                pass(batches, from: index, now, &made)
            }
        }
        return made
    }

    /// The agent ends.
    public func end(now: UInt64) -> Made {
        var made = Made()
        for (index, link) in links.enumerated() {
            guard case .stateful(let name, let processor) = link else { continue }
            var output = ProcessorOutput()
            processor.end(now: now, &output)
            goOn(output, name, index, now, &made)
        }
        return made
    }

    public var wakeAt: UInt64? { stateful.compactMap(\.wakeAt).min() }

    public var isFull: Bool { stateful.contains(where: \.isFull) || waiting.contains { !$0.isEmpty } }

    /// The lowest ticket of which something is in here; nil: nothing is.
    public var oldestHeld: UInt64? {
        let held = stateful.compactMap(\.oldestHeld).min()
        let kept = waiting.lazy.joined().map(\.ticket).min()
        return [held, kept].compactMap(\.self).min()
    }

    /// In the order of the chain.
    public var counts: [(name: String, counts: ProcessorCounts)] {
        links.flatMap { link -> [(name: String, counts: ProcessorCounts)] in
            switch link {
            case .pure(let chain): chain.counts.read()
            case .stateful(let name, let processor): [(name, processor.counts)]
            }
        }
    }

    private var stateful: some Sequence<any StatefulProcessor> {
        links.lazy.compactMap { if case .stateful(_, let processor) = $0 { processor } else { nil } }
    }

    private func pass(_ batches: [Batch], from first: Int, _ now: UInt64, _ made: inout Made) {
        guard !batches.isEmpty else { return }
        guard first < links.count else { return made.batches += batches }
        switch links[first] {
        case .pure(let chain):
            var batches = batches
            made.dropped += chain.process(&batches, now: now)
            pass(batches, from: first + 1, now, &made)
        case .stateful(let name, let processor):
            guard waiting[first].isEmpty, !processor.isFull else { return waiting[first] += batches }
            var output = ProcessorOutput()
            processor.take(batches, now: now, &output)
            goOn(output, name, first, now, &made)
        }
    }

    private func goOn(_ output: ProcessorOutput, _ name: String, _ index: Int, _ now: UInt64, _ made: inout Made) {
        made.dropped += output.dropped
        for batch in output.derived where !batch.isEmpty { made.derived.append((name, batch)) }
        pass(output.batches, from: index + 1, now, &made)
    }
}
