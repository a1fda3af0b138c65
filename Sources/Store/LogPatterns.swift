public import Telemetry

/// Log records of one kind.
public struct LogPattern: Sendable, Equatable {
    /// What they have in common, with signs for the rest: `<num>`, `<id>`, `<ip>`, `<path>`, `<str>`, `<*>`.
    public var template: String
    public var count = 0
    /// Of these, the ones in the last part of the window.
    public var recent = 0
    /// Records by level; those without one are not in it.
    public var levels: [SeverityLevel: Int] = [:]
    public var services: [String: Int] = [:]
    /// Unix nanoseconds.
    public var firstTime = UInt64.max
    public var lastTime: UInt64 = 0
    /// Text and trace of the last record.
    public var example = ""
    public var traceID = TraceID.invalid
    /// It came in the last part of the window only.
    public var isNew = false
    /// It came at twice the rate or more in the last part of the window.
    public var isGrowing = false

    public init(template: String) { self.template = template }

    /// The highest level of its records.
    public var level: SeverityLevel? { levels.keys.max { $0.severityMin < $1.severityMin } }
}

/// The kinds of log records in a window of time.
public struct LogPatterns: Sendable {
    /// The most frequent first.
    public var patterns: [LogPattern]
    /// Patterns beyond the limit that was asked for.
    public var omittedPatterns: Int
    /// All records in the window, and those of them that were not sorted, because there were too many patterns. The oldest ones.
    public var total: Int
    public var unsorted: Int
    /// The window: from the first record, and where its last part, a quarter, begins. Unix nanoseconds.
    public var start: UInt64
    public var recentStart: UInt64
    public var end: UInt64

    public init(
        patterns: [LogPattern], omittedPatterns: Int, total: Int, unsorted: Int, start: UInt64, recentStart: UInt64,
        end: UInt64
    ) {
        self.patterns = patterns
        self.omittedPatterns = omittedPatterns
        self.total = total
        self.unsorted = unsorted
        self.start = start
        self.recentStart = recentStart
        self.end = end
    }
}
