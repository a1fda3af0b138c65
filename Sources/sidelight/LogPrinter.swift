import Store
import Telemetry

/// Prints the log records in which an expression and a search's words are found, and those around them.
struct LogPrinter {
    let output = Output()
    private let expression: Regex<AnyRegexOutput>?
    private let matcher: SearchMatcher?
    private let context: Int
    private let isJSON: Bool
    private let line: LogLine
    /// The last that were not printed, at most `context`.
    private var before: [StoredLog] = []
    /// So many more are printed whatever is in them.
    private var after = 0
    /// Whether something was left out since the last that was printed.
    private var hasGap = false
    private var hasPrinted = false

    init(_ expression: Regex<AnyRegexOutput>?, _ search: SearchQuery?, context: Int, isJSON: Bool) {
        self.expression = expression
        matcher = search.map(SearchMatcher.init)
        self.context = context
        self.isJSON = isJSON
        let highlight = expression ?? search.flatMap(Self.highlight)
        line = LogLine(painter: Painter(hasColor: Terminal.standardOutput().hasColor), highlight: highlight)
    }

    private static func highlight(_ search: SearchQuery) -> Regex<AnyRegexOutput>? {
        let texts = search.soughtTexts
        // Words are letters and digits: nothing in them means anything else to an expression.
        return texts.isEmpty ? nil : try? Regex("(?i)(?:" + texts.joined(separator: "|") + ")")
    }

    func matches(_ log: StoredLog) -> Bool {
        if let matcher, !matcher.matches(log.record) { return false }
        guard let expression else { return true }
        return LogLine.searchable(log).contains(expression)
    }

    mutating func take(_ log: StoredLog) {
        if matches(log) {
            if context > 0, hasGap, hasPrinted, !isJSON { output.line("--") }
            for earlier in before { put(earlier) }
            before = []
            put(log)
            after = context
            (hasGap, hasPrinted) = (false, true)
        } else if after > 0 {
            after -= 1
            put(log)
        } else if context > 0 {
            before.append(log)
            if before.count > context {
                before.removeFirst()
                hasGap = true
            }
        }
    }

    /// Something was left out here.
    mutating func leaveOut() { (before, after, hasGap) = ([], 0, true) }

    private func put(_ log: StoredLog) {
        if isJSON {
            output.json(TelemetryJSON.text(log))
        } else {
            for text in line.lines(log) { output.line(text) }
        }
    }

    /// So many were not shown.
    func skipped(_ count: Int) {
        output.json(isJSON ? "{\"skipped\":\(count)}" : "… \(counted(count, "record")) not shown")
    }
}

/// The last records in which something is found, with those around them.
struct LastMatches {
    let count: Int
    let context: Int
    let matches: (StoredLog) -> Bool
    /// Nil: something was left out here.
    private var logs: [StoredLog?] = []
    /// Places in `logs` of the last that match, `count` at most.
    private var found: [Int] = []
    private var before: [StoredLog] = []
    private var after = 0

    init(count: Int, context: Int, _ matches: @escaping (StoredLog) -> Bool) {
        self.count = count
        self.context = context
        self.matches = matches
    }

    mutating func take(_ log: StoredLog) {
        if matches(log) {
            logs += before as [StoredLog?] + [log]
            before = []
            after = context
            found.append(logs.count - 1)
            if found.count > count { forgetFirst() }
        } else if after > 0 {
            after -= 1
            logs.append(log)
        } else {
            before.append(log)
            guard before.count > context else { return }
            before.removeFirst()
            if case .some(.some) = logs.last { logs.append(nil) }
        }
    }

    /// What is before the first that counts goes, now and then.
    private mutating func forgetFirst() {
        found.removeFirst()
        let unused = (found.first ?? logs.count) - context
        guard unused > 4_096 else { return }
        logs.removeFirst(unused)
        found = found.map { $0 - unused }
    }

    /// From the context of the first that counts. Nil: something was left out here.
    func trimmed() -> ArraySlice<StoredLog?> {
        guard let first = found.first else { return [] }
        return logs[max(0, first - context)...]
    }
}
