public import Telemetry

/// What the queue keeps of an entry besides its payload.
public struct QueueEntryHead: Hashable, Sendable {
    public var signal: Signal
    /// Spans, log records or data points in the payload.
    public var items: UInt32
    /// When it was accepted, nanoseconds since the Unix epoch.
    public var time: UInt64

    public init(signal: Signal, items: UInt32, time: UInt64) {
        self.signal = signal
        self.items = items
        self.time = time
    }
}

/// Names an entry for as long as it is in the queue, restarts included. Later entries have greater ones.
public struct QueueEntryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let sequence: UInt64

    public init(sequence: UInt64) { self.sequence = sequence }

    public static func < (one: Self, other: Self) -> Bool { one.sequence < other.sequence }
    public var description: String { String(sequence) }
}

/// An entry in memory: 32 bytes.
struct Entry {
    static let acknowledged: UInt8 = 1
    static let handedOut: UInt8 = 2

    var time: UInt64
    /// Of the frame in its segment.
    var offset: UInt32
    var payloadBytes: UInt32
    /// Sequence less the segment's number.
    var delta: UInt32
    var items: UInt32
    var payloadChecksum: UInt32
    var signal: Signal
    var flags: UInt8 = 0

    var isAcknowledged: Bool { flags & Self.acknowledged != 0 }
    var isHandedOut: Bool { flags & Self.handedOut != 0 }
    var head: QueueEntryHead { QueueEntryHead(signal: signal, items: items, time: time) }
    var frameBytes: Int { QueueFormat.frameBytes(payload: Int(payloadBytes)) }
}
