internal import Queue

/// How an exporter does, for whoever looks after it.
public struct ExporterCondition: Hashable, Sendable {
    /// What the backend's last failure said, while it takes nothing; nil: it does, or was not tried.
    public var outage: String?
    /// Of what may wait, from 0 to 1.
    public var fullness: Double
    /// Nothing more is taken, or older items are dropped for it.
    public var isFull: Bool
    /// Full, and the oldest make room.
    public var evicts: Bool
    /// Why nothing can be written to the durable queue.
    public var failure: String?
}

extension Exporter {
    public var condition: ExporterCondition {
        state.withLock { state in
            let outage = state.machine.isOutage ? state.machine.lastMessage ?? "it fails" : nil
            guard let queue = state.backlog?.queue else {
                let fullness = Double(state.machine.heldBytes) / Double(state.machine.limits.queueBytesMax)
                return ExporterCondition(
                    outage: outage, fullness: fullness, isFull: state.hasOverflowed, evicts: false, failure: nil)
            }
            return ExporterCondition(
                outage: outage, fullness: Double(queue.counts.bytesOnDisk) / Double(max(queue.limits.bytesMax, 1)),
                isFull: state.isFull, evicts: queue.limits.overflow == .oldest, failure: queue.failure?.description)
        }
    }
}
