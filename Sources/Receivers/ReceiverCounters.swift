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

    private let counts = Mutex([Counts](repeating: Counts(), count: ReceiverName.allCases.count))

    public init() {}

    public func counts(of receiver: ReceiverName) -> Counts {
        counts.withLock { $0[Self.index(receiver)] }
    }

    func add(_ receiver: ReceiverName, _ change: (inout Counts) -> Void) {
        counts.withLock { change(&$0[Self.index(receiver)]) }
    }

    private static func index(_ receiver: ReceiverName) -> Int {
        switch receiver {
        case .otlpHTTP: 0
        case .otlpGRPC: 1
        case .zipkin: 2
        case .jaeger: 3
        }
    }
}
