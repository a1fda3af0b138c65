public import Telemetry

/// Why an item was dropped. The raw value is the label of `sidelight_*_dropped_total`.
public enum DropReason: String, Sendable, CaseIterable {
    /// The queue was full when it came.
    case queueFull = "queue_full"
    /// It was the oldest of a full queue.
    case evicted
    /// The backend refused the whole export (a status that is not to be retried).
    case refused
    /// The backend has no place for this signal (404, 405 or 501 for logs or metrics), as Jaeger has none for logs.
    case unsupported
    /// The backend took the export but not this item (`partial_success`).
    case rejected
    /// The backend refuses even an export of this item alone as too large.
    case tooLarge = "too_large"
    /// The backend's answer was no usable HTTP response; whether it took the export is unknown.
    case invalidResponse = "invalid_response"
    /// It could not be written in the exporter's encoding.
    case notEncodable = "not_encodable"
    /// The durable queue could not be written, after its sender had been told that it is taken.
    case queueFailed = "queue_failed"
    /// It was handed back to the owner at shutdown; where that keeps it, it counts there.
    case undelivered
    /// It came after shutdown.
    case shutDown = "shut_down"

    var index: Int { Self.allCases.firstIndex(of: self)! }
}

/// Where the items of one signal went. received = exported + dropped + queued, at every moment.
public struct SignalAccounting: Sendable, Hashable {
    public internal(set) var received = 0
    public internal(set) var exported = 0
    /// Waiting, in flight, or between two tries.
    public internal(set) var queued = 0
    private var droppedByReason = [Int](repeating: 0, count: DropReason.allCases.count)

    public func dropped(_ reason: DropReason) -> Int { droppedByReason[reason.index] }
    public var dropped: Int { droppedByReason.reduce(0, +) }
    public var isBalanced: Bool { received == exported + dropped + queued }

    mutating func drop(_ count: Int, _ reason: DropReason) { droppedByReason[reason.index] += count }
}

/// What happened to everything an exporter was given.
public struct ExportAccounting: Sendable, Hashable {
    private var signals = [SignalAccounting](repeating: SignalAccounting(), count: Signal.allCases.count)
    /// Exports handed out for sending, retries included.
    public internal(set) var attempts = 0
    /// Tries that failed and were, or will be, repeated.
    public internal(set) var retries = 0
    /// Deliveries whose answer had something to complain about (`partial_success` with a message, an unreadable body).
    public internal(set) var warnings = 0

    public init() {}

    public internal(set) subscript(signal: Signal) -> SignalAccounting {
        get { signals[signal.index] }
        set { signals[signal.index] = newValue }
    }

    public var received: Int { signals.reduce(0) { $0 + $1.received } }
    public var exported: Int { signals.reduce(0) { $0 + $1.exported } }
    public var queued: Int { signals.reduce(0) { $0 + $1.queued } }
    public var dropped: Int { signals.reduce(0) { $0 + $1.dropped } }
    public func dropped(_ reason: DropReason) -> Int { signals.reduce(0) { $0 + $1.dropped(reason) } }
    public var isBalanced: Bool { signals.allSatisfy(\.isBalanced) }
}
