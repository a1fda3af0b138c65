/// How much the agent says about itself: `--log-level`, `OTEL_LOG_LEVEL`.
public enum LogLevel: Int, Sendable, CaseIterable, Comparable {
    case trace, debug, info, notice, warning, error, critical

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// In any case; "warn" and "fatal" are understood.
    public init?(parsing text: String) {
        switch text.lowercased() {
        case "warn": self = .warning
        case "fatal": self = .critical
        case let name:
            guard let level = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
            self = level
        }
    }

    static func parse(flag: String?, _ environment: Environment, _ problems: inout Problems) -> LogLevel {
        let known = allCases.map { "\($0)" }.joined(separator: ", ")
        if let flag {
            if let level = LogLevel(parsing: flag) { return level }
            problems.error("--log-level", "there is no level \"\(flag)\"; there are \(known)")
        } else if let text = environment.text("OTEL_LOG_LEVEL") {
            if let level = LogLevel(parsing: text) { return level }
            problems.warning("OTEL_LOG_LEVEL", "\"\(text)\" is ignored: known are \(known)")
        }
        return .warning
    }
}
