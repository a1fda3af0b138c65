/// What a worker has found its program to do: something that the policy refuses, or a limit that was hit. The platform's own code writes it, never the program.
public struct Finding: Hashable, Sendable {
    /// The raw value is the attribute `sidelight.finding.kind`.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case violation, limit
        /// Done all the same, for the policy is being audited.
        case audit

        /// Of the log record, and of the span's event.
        public var eventName: String { "sidelight.\(rawValue)" }

        /// OTLP's severity number: WARN, INFO.
        public var severity: UInt8 { self == .audit ? 9 : 13 }
    }

    public static let kindAttribute = "sidelight.finding.kind"

    public var kind: Kind
    /// As a log record: the sentence is its body.
    public var record: LogRecord

    /// Nil: it does not say which kind.
    public init?(_ record: LogRecord) {
        guard let text = record.attributes[Self.kindAttribute]?.string, let kind = Kind(rawValue: text) else {
            return nil
        }
        self.kind = kind
        self.record = record
        self.record.severity = kind.severity
        self.record.severityText = LogRecord.severityText(kind.severity)
        self.record.eventName = kind.eventName
    }

    public var sentence: String { record.body.string ?? "" }
    /// Of a violation and in an audit: one of `Permission`'s.
    public var permission: String? { record.attributes["sidelight.policy.permission"]?.string }
    public var rule: String? { record.attributes["sidelight.policy.rule"]?.string }
    /// Host and port, a path, a name.
    public var target: String? { record.attributes["sidelight.policy.target"]?.string }
    public var limit: String? { record.attributes["sidelight.limit.name"]?.string }
    public var outcome: String? { record.attributes["sidelight.outcome"]?.string }
}
