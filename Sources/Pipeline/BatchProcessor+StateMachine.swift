import Telemetry

/// Forms exports from the batches that come in.
enum BatchProcessor {
    /// The batches that wait, a queue for each signal. An export takes batches from the front of one queue: no bytes
    /// are copied, and the longer exports cannot go out, the larger they get. Pure: the time comes in as an argument.
    ///
    /// The bound on what is held is the owner's (`ExportMachine`), because it covers what is in flight too.
    struct StateMachine: Sendable {
        /// A batch and when it came.
        struct Waiting: Sendable {
            var batch: Batch
            /// Order of arrival over all signals. Parts of a split batch share it.
            var sequence: UInt64
            /// CLOCK_MONOTONIC, nanoseconds.
            var arrival: UInt64
        }

        struct Queue: Sendable {
            var waiting = FIFO<Waiting>()
            var items = 0
            var bytes = 0
        }

        /// However small an export was that a backend called too large, those of this size are still tried.
        private static let learnedBytesMin = 16 << 10

        private var queues = [Queue](repeating: Queue(), count: Signal.allCases.count)
        private let exportItemsMax: Int
        private var exportBytesMax: Int
        private let ageMaxNanoseconds: UInt64
        private let oneResource: Bool
        /// Batches up to this one do not wait for company.
        private var flushSequence: UInt64 = 0

        init(_ limits: BatchLimits) {
            precondition(limits.exportItemsMax > 0 && limits.exportBytesMax > 0, "empty exports: \(limits)")
            exportItemsMax = limits.exportItemsMax
            exportBytesMax = limits.exportBytesMax
            ageMaxNanoseconds = limits.ageMaxNanoseconds
            oneResource = limits.oneResourcePerExport
        }

        // MARK: Inputs

        mutating func accept(_ batch: Batch, sequence: UInt64, now: UInt64) {
            queues[batch.signal.index].add(Waiting(batch: batch, sequence: sequence, arrival: now))
        }

        /// From now on batches up to `sequence` are ready at once.
        mutating func flush(to sequence: UInt64) { flushSequence = max(flushSequence, sequence) }

        /// The backend refuses exports of this size: form smaller ones, so that not every export is sent twice.
        mutating func learnTooLarge(bytes: Int) {
            exportBytesMax = min(exportBytesMax, max(bytes / 2, Self.learnedBytesMin))
        }

        /// The batches of the next export that is ready, all of one signal: of the signal whose oldest batch is the
        /// oldest. `inHaste`: as if all had waited for company long enough. At most `itemsMax` and `bytesMax`, where that is less than an
        /// export may have.
        mutating func takeExport(
            now: UInt64, inHaste: Bool, itemsMax: Int, bytesMax: Int
        ) -> (batches: [Batch], firstSequence: UInt64)? {
            let ready = queues.indices.filter { readyAt(queues[$0], inHaste).map { $0 <= now } ?? false }
            guard let index = ready.min(by: { queues[$0].firstSequence! < queues[$1].firstSequence! }) else {
                return nil
            }
            let sequence = queues[index].firstSequence!
            return (
                queues[index].take(
                    itemsMax: min(itemsMax, exportItemsMax), bytesMax: min(bytesMax, exportBytesMax),
                    oneResource: oneResource),
                sequence
            )
        }

        /// Takes the oldest batch out, to make room.
        mutating func evictOldest() -> Batch? {
            let filled = queues.indices.filter { queues[$0].firstSequence != nil }
            guard let index = filled.min(by: { queues[$0].firstSequence! < queues[$1].firstSequence! }) else {
                return nil
            }
            return queues[index].pop()?.batch
        }

        /// Takes everything out, oldest first.
        mutating func removeAll() -> [(sequence: UInt64, batch: Batch)] {
            var all: [(sequence: UInt64, batch: Batch)] = []
            for index in queues.indices {
                while let next = queues[index].pop() { all.append((next.sequence, next.batch)) }
            }
            return all.sorted { $0.sequence < $1.sequence }
        }

        // MARK: State

        /// When `takeExport` next has something, provided nothing comes; nil when nothing waits.
        func readyAt(inHaste: Bool) -> UInt64? { queues.lazy.compactMap { readyAt($0, inHaste) }.min() }

        var firstSequence: UInt64? { queues.lazy.compactMap(\.firstSequence).min() }

        func items(_ signal: Signal) -> Int { queues[signal.index].items }

        var bytes: Int { queues.reduce(0) { $0 + $1.bytes } }

        private func readyAt(_ queue: Queue, _ inHaste: Bool) -> UInt64? {
            guard let first = queue.waiting.first else { return nil }
            if inHaste || queue.items >= exportItemsMax || queue.bytes >= exportBytesMax
                || first.sequence <= flushSequence
            {
                return 0
            }
            return first.arrival + ageMaxNanoseconds
        }
    }
}

extension BatchProcessor.StateMachine.Queue {
    var firstSequence: UInt64? { waiting.first?.sequence }

    mutating func add(_ next: BatchProcessor.StateMachine.Waiting) {
        items += next.batch.items.count
        bytes += next.batch.memoryBytes
        waiting.append(next)
    }

    mutating func pop() -> BatchProcessor.StateMachine.Waiting? {
        guard let next = waiting.popFirst() else { return nil }
        items -= next.batch.items.count
        bytes -= next.batch.memoryBytes
        return next
    }

    /// Batches from the front within both limits; a first batch that is too large alone is cut, down to one item.
    mutating func take(itemsMax: Int, bytesMax: Int, oneResource: Bool) -> [Batch] {
        var taken: [Batch] = []
        var itemsLeft = itemsMax
        var bytesLeft = bytesMax
        while let next = waiting.first {
            if oneResource, let first = taken.first, !next.batch.sharesResource(with: first) { break }
            let size = next.batch.memoryBytes
            if next.batch.items.count <= itemsLeft, size <= bytesLeft {
                itemsLeft -= next.batch.items.count
                bytesLeft -= size
                taken.append(next.batch)
                _ = pop()
            } else {
                if taken.isEmpty { taken.append(cutFirst(itemsMax: itemsMax, bytesMax: bytesMax)) }
                break
            }
        }
        return taken
    }

    private mutating func cutFirst(itemsMax: Int, bytesMax: Int) -> Batch {
        let next = pop()!
        let count = max(1, next.batch.prefixCount(itemsMax: itemsMax, memoryBytesMax: bytesMax))
        guard count < next.batch.items.count else { return next.batch }
        let (first, rest) = next.batch.split(at: count)
        var remainder = next
        remainder.batch = rest
        items += rest.items.count
        bytes += rest.memoryBytes
        waiting.prepend(remainder)
        return first
    }
}

extension Signal {
    /// From 0, for arrays with one place a signal.
    var index: Int { Int(rawValue) - 1 }
}
