public import Telemetry

/// Something that is put on record: who did what to what, and what came of it.
public struct AuditEvent: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// A workload tried what its policy refuses.
        case violation
        /// A workload came to one of its limits.
        case limit
        /// Another policy counts from here on.
        case policyChange
        /// A signature was looked at.
        case signature
        /// Somebody used a door of the agent: changed something, or was refused.
        case admin
        case start
        case stop
        /// The log itself: what was torn, lost or signed.
        case integrity
    }

    public var kind: Kind
    /// Unix nanoseconds; 0: when it is noted.
    public var time: UInt64
    /// Who: "worker 4711", "uid 0", a token's name, an address.
    public var actor: String
    /// What was done or tried, a word or two: a permission, a limit, "reload".
    public var action: String
    /// To what: a host, a path, a name.
    public var target: String
    /// What came of it, a word: "refused", "allowed", "failed", "exceededCpu".
    public var outcome: String
    /// A sentence for people.
    public var reason: String
    public var attributes: Attributes
    public var traceID: TraceID?
    public var spanID: SpanID?

    public init(
        _ kind: Kind, time: UInt64 = 0, actor: String = "", action: String, target: String = "", outcome: String = "",
        reason: String = "", attributes: Attributes = [], traceID: TraceID? = nil, spanID: SpanID? = nil
    ) {
        self.kind = kind
        self.time = time
        self.actor = actor
        self.action = action
        self.target = target
        self.outcome = outcome
        self.reason = reason
        self.attributes = attributes
        self.traceID = traceID
        self.spanID = spanID
    }
}
