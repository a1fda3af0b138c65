public import Telemetry

/// Counts spans and measures how long they take.
public struct SpanMetricsConfiguration: Hashable, Sendable {
    public enum Histogram: String, Sendable, CaseIterable { case explicit, exponential }

    /// Bytes that a series takes at most: its attributes, and in each bucket a count and an exemplar.
    var seriesBytes: Int {
        switch histogram {
        case .explicit: 2_304 + 48 * (boundsNanoseconds.count + 1)
        case .exponential: 4_096
        }
    }

    /// Nanoseconds between two times that the metrics leave.
    public var everyNanoseconds: UInt64 = 15_000_000_000
    /// Of spans, else of their resource: each value has series of its own.
    public var attributes: [String] = []
    public var histogram = Histogram.explicit
    /// Of an explicit histogram, rising.
    public var boundsNanoseconds: [UInt64] = [
        2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000,
    ].map { $0 * 1_000_000 }
    public var exemplars = true
    /// Series at most; what there is no room for is counted in one that says so.
    public var seriesMax = 2_000
    /// A series that has counted nothing for so long is removed.
    public var idleNanoseconds: UInt64 = 300_000_000_000

    public init() {}
}

/// Counts what services ask of each other.
public struct ServiceGraphConfiguration: Hashable, Sendable {
    /// Bytes that an edge takes at most: its names, and two histograms.
    var seriesBytes: Int { 1_024 + 16 * (boundsNanoseconds.count + 1) }
    static let spanBytes = 256

    public var everyNanoseconds: UInt64 = 15_000_000_000
    /// Nanoseconds that one side of a request waits for the other.
    public var waitNanoseconds: UInt64 = 10_000_000_000
    /// Attributes of a client's span that name what it asks, the first that is there, where that sends no span itself.
    public var peers = ["peer.service", "db.namespace", "db.name", "db.system.name", "db.system"]
    /// Sides of requests that wait, at most.
    public var spansMax = 20_000
    /// Edges at most.
    public var seriesMax = 2_000
    public var idleNanoseconds: UInt64 = 300_000_000_000
    public var boundsNanoseconds: [UInt64] = [
        5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
    ].map { $0 * 1_000_000 }

    public init() {}
}

/// Counts log records by service and level.
public struct LogMetricsConfiguration: Hashable, Sendable {
    static let seriesBytes = 2_304

    /// Nanoseconds between two times that the metrics leave.
    public var everyNanoseconds: UInt64 = 15_000_000_000
    /// Of records, else of their resource: each value has series of its own.
    public var attributes: [String] = []
    /// Series at most; what there is no room for is counted in one that says so.
    public var seriesMax = 2_000
    /// A series that has counted nothing for so long is removed.
    public var idleNanoseconds: UInt64 = 300_000_000_000

    public init() {}
}

/// Drops what has come before.
public struct DeduplicationConfiguration: Hashable, Sendable {
    private static let entryBytes = 96

    /// Log records that say the same become two: the first, and one that says how often it was repeated.
    public struct Repeats: Hashable, Sendable {
        /// Nanoseconds from the first record on.
        public var windowNanoseconds: UInt64 = 10_000_000_000
        /// Different records that are remembered; the oldest make room.
        public var recordsMax = 20_000
        /// Of records that were repeated, one each.
        public var bytesMax = 4 << 20

        public init() {}
    }

    /// Of traces and logs. Log records may be equal and two: clocks are coarse.
    public var signals: [Signal] = [.traces]
    /// Nanoseconds for which an item is remembered.
    public var windowNanoseconds: UInt64 = 300_000_000_000
    /// Items that are remembered, of each signal; the oldest make room.
    public var entriesMax = 100_000
    /// Nil: they all pass.
    public var repeats: Repeats?

    public init() {}

    var bytesHeldMax: Int {
        let repeated = repeats.map { $0.recordsMax * Self.entryBytes + $0.bytesMax } ?? 0
        return entriesMax * signals.count * Self.entryBytes + repeated
    }
}
