/// Keeps or drops whole traces, after having seen them.
public struct TailSampling: Hashable, Sendable {
    /// Conditions on a trace. All that are given have to hold; none holds always.
    public struct Policy: Hashable, Sendable {
        public var name: String
        /// For each of these the trace has a span that it matches.
        public var all: [ItemFilter.Rule] = []
        /// For one of these, if there are any.
        public var any: [ItemFilter.Rule] = []
        /// Nanoseconds from the first start to the last end, this or more.
        public var traceDurationMin: UInt64?
        /// From 0 to 1: of the traces for which all that holds, by their ids.
        public var ratio: Double?
        /// Traces a second at most, of those that are left.
        public var ratePerSecond: Double?
        /// The trace is dropped, not kept.
        public var drops = false

        public init(name: String) { self.name = name }
    }

    /// Bytes that a decision costs at most.
    static let decisionBytes = 40
    /// All rules of all policies.
    public static let rulesMax = 64

    /// Nanoseconds from a trace's first span to the decision.
    public var waitNanoseconds: UInt64 = 10_000_000_000
    /// Nanoseconds from a trace's root span to the decision, if that is earlier.
    public var settleNanoseconds: UInt64?
    /// Of the spans that are held.
    public var bytesMax = 16 << 20
    /// Traces that are held.
    public var tracesMax = 50_000
    /// Decisions that are remembered, for late spans.
    public var decisionsMax = 65_536
    /// In this order: the first that holds for a trace decides. Where none does, it is dropped.
    public var policies: [Policy] = []

    public init() {}
}
