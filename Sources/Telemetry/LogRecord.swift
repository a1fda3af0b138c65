/// A log record, decoded. OTLP `LogRecord`.
public struct LogRecord: Hashable, Sendable {
    /// Nanoseconds since the Unix epoch; 0 unknown.
    public var time: UInt64
    public var observedTime: UInt64
    /// OTLP severity number, 1 (TRACE) ... 24 (FATAL4); 0 unspecified.
    public var severity: UInt8
    public var severityText: String
    public var body: AttributeValue
    public var attributes: Attributes
    public var droppedAttributesCount: UInt32
    /// `.invalid` when the record belongs to no trace.
    public var traceID: TraceID
    public var spanID: SpanID
    public var traceFlags: UInt8
    /// Names the kind of event, "" for an ordinary log. An error is "exception".
    public var eventName: String

    public init(
        time: UInt64, observedTime: UInt64 = 0, severity: UInt8 = 9, severityText: String = "", body: AttributeValue,
        attributes: Attributes = [], droppedAttributesCount: UInt32 = 0, traceID: TraceID = .invalid,
        spanID: SpanID = .invalid, traceFlags: UInt8 = 0, eventName: String = ""
    ) {
        self.time = time
        self.observedTime = observedTime
        self.severity = severity
        self.severityText = severityText
        self.body = body
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.traceID = traceID
        self.spanID = spanID
        self.traceFlags = traceFlags
        self.eventName = eventName
    }
}

extension LogRecord {
    /// The short name of a severity number, "" for 0 and beyond 24.
    /// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#displaying-severity>
    public static func severityText(_ severity: UInt8) -> String {
        guard (1...24).contains(severity) else { return "" }
        return severityTexts[Int(severity - 1)]
    }

    private static let severityTexts = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
        .flatMap { name in [name, name + "2", name + "3", name + "4"] }

    /// The level that a severity number belongs to; nil for 0 and beyond 24.
    public static func levelName(_ severity: UInt8) -> String? {
        SeverityLevel(severity).map { $0.rawValue.uppercased() }
    }
}

/// The six levels that OTLP's severity numbers fall into.
public enum SeverityLevel: String, Sendable, CaseIterable {
    case trace, debug, info, warn, error, fatal

    /// Nil for 0 and beyond 24.
    public init?(_ severity: UInt8) {
        guard (1...24).contains(severity) else { return nil }
        self = Self.allCases[Int(severity - 1) / 4]
    }

    /// As people write it; "warning" is understood too.
    public init?(parsing text: String) {
        let name = text.lowercased()
        self.init(rawValue: name == "warning" ? "warn" : name)
    }

    /// The lowest severity number of the level.
    public var severityMin: UInt8 { UInt8(Self.allCases.firstIndex(of: self)!) * 4 + 1 }
}
