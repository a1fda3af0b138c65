internal import Synchronization

/// What came in, by receiver. Any thread reads.
public final class ReceiverCounters: Sendable {
    public struct Counts: Sendable, Hashable {
        /// Requests that were answered with success.
        public var accepted: UInt64 = 0
        /// Spans, log records and metrics in them.
        public var items: UInt64 = 0
        /// Items left out because they were malformed.
        public var rejectedItems: UInt64 = 0
        /// Requests refused because they do not decode, have a wrong path, method or type.
        public var bad: UInt64 = 0
        /// Requests that were told to come again.
        public var full: UInt64 = 0
        /// Requests that the intake could not take for another reason.
        public var failed: UInt64 = 0

        public init() {}
    }

    /// Relaxed: each is a number of its own, and there is one of them a request.
    private final class Cell: Sendable {
        let accepted = Atomic<UInt64>(0)
        let items = Atomic<UInt64>(0)
        let rejectedItems = Atomic<UInt64>(0)
        let bad = Atomic<UInt64>(0)
        let full = Atomic<UInt64>(0)
        let failed = Atomic<UInt64>(0)
    }

    private let otlpHTTP = Cell()
    private let otlpGRPC = Cell()
    private let zipkin = Cell()
    private let jaeger = Cell()

    public init() {}

    private func cell(_ receiver: ReceiverName) -> Cell {
        switch receiver {
        case .otlpHTTP: otlpHTTP
        case .otlpGRPC: otlpGRPC
        case .zipkin: zipkin
        case .jaeger: jaeger
        }
    }

    public func counts(of receiver: ReceiverName) -> Counts {
        let cell = cell(receiver)
        var counts = Counts()
        counts.accepted = cell.accepted.load(ordering: .relaxed)
        counts.items = cell.items.load(ordering: .relaxed)
        counts.rejectedItems = cell.rejectedItems.load(ordering: .relaxed)
        counts.bad = cell.bad.load(ordering: .relaxed)
        counts.full = cell.full.load(ordering: .relaxed)
        counts.failed = cell.failed.load(ordering: .relaxed)
        return counts
    }

    func addAccepted(_ receiver: ReceiverName, items: Int, rejected: Int) {
        let cell = cell(receiver)
        cell.accepted.wrappingAdd(1, ordering: .relaxed)
        cell.items.wrappingAdd(UInt64(items), ordering: .relaxed)
        if rejected > 0 { cell.rejectedItems.wrappingAdd(UInt64(rejected), ordering: .relaxed) }
    }

    func addBad(_ receiver: ReceiverName) { cell(receiver).bad.wrappingAdd(1, ordering: .relaxed) }
    func addFull(_ receiver: ReceiverName) { cell(receiver).full.wrappingAdd(1, ordering: .relaxed) }
    func addFailed(_ receiver: ReceiverName) { cell(receiver).failed.wrappingAdd(1, ordering: .relaxed) }
}
