public import Telemetry

/// Why an item that was given to the store is not in it.
public enum StoreDropReason: String, Sendable, CaseIterable {
    /// The writer's queue was at its bound; newest go first.
    case queueFull = "queue_full"
    /// The store could not be opened.
    case unavailable
    case diskFull = "disk_full"
    /// Another process held the lock for too long.
    case busy
    /// SQLite failed otherwise.
    case failed
    /// Given after `close()`.
    case closed
}

/// What became of items given to a StoreWriter. Always `received == stored + dropped + queued`.
public struct StoreCounts: Sendable, Equatable {
    public struct Items: Sendable, Equatable {
        public var received = 0
        public var stored = 0
        public var queued = 0
        public var droppedByReason: [StoreDropReason: Int] = [:]

        public var dropped: Int { droppedByReason.values.reduce(0, +) }
    }

    public var traces = Items()
    public var logs = Items()
    public var metrics = Items()

    /// Batches that the retention has deleted.
    public var expiredBatches = 0
    /// Log records that are stored without their words in the index, though there is one: searches read their batches whatever is sought.
    public var unindexedLogs = 0

    public subscript(signal: Signal) -> Items {
        get {
            switch signal {
            case .traces: traces
            case .logs: logs
            case .metrics: metrics
            }
        }
        set {
            switch signal {
            case .traces: traces = newValue
            case .logs: logs = newValue
            case .metrics: metrics = newValue
            }
        }
    }

    mutating func receive(_ batch: Batch) {
        self[batch.signal].received += batch.items.count
        self[batch.signal].queued += batch.items.count
    }

    mutating func store(_ signal: Signal, _ items: Int) {
        self[signal].queued -= items
        self[signal].stored += items
    }

    mutating func drop(_ signal: Signal, _ items: Int, _ reason: StoreDropReason) {
        self[signal].queued -= items
        self[signal].droppedByReason[reason, default: 0] += items
    }
}
