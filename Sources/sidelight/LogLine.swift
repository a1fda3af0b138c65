import Store
import Telemetry

/// Log records as lines for people.
struct LogLine {
    let painter: Painter
    /// What is found of it stands out, where there are colours.
    var highlight: Regex<AnyRegexOutput>?
    var utc = false
    /// Says which service each line comes from.
    var showsService = true

    static let indent = "    "

    /// One line, and more for further lines of the text and for the stack of an error. Nothing is cut, but of long arrays among the attributes there is the beginning.
    func lines(_ log: StoredLog) -> [String] {
        let record = log.record
        var body = bodyLines(record)
        let first = body.removeFirst()
        var line = painter(TimeText.timeOfDay(log.time, utc: utc), .dim)
        line += " " + painter(levelName(record).padded(to: 5), Severity.style(record.severity))
        if showsService {
            let service = log.resource.serviceName
            line += " " + painter(service.escaped, .of(service: service))
        }
        line += "  " + painted(first, record.severity >= 17 ? .red : nil)
        let attributes = Self.shown(record).map { $0.assignment(arrayMax: AttributeValue.arrayShortMax) }
            .joined(separator: " ")
        if !attributes.isEmpty { line += "  " + painter(attributes, .dim) }
        if record.traceID.isValid { line += "  " + painter("trace=" + TraceText.short(record.traceID), .dim) }
        return [line] + body.map { Self.indent + painted($0, nil) } + stackLines(record, after: body + [first])
    }

    private func painted(_ text: String, _ style: Style?) -> String {
        guard let highlight, painter.hasColor else { return painter(text, style) }
        var out = ""
        var rest = text[...]
        while let match = rest.firstMatch(of: highlight), !match.range.isEmpty {
            out += painter(String(rest[..<match.range.lowerBound]), style) + painter(String(rest[match.range]), .found)
            rest = rest[match.range.upperBound...]
        }
        return out + painter(String(rest), style)
    }

    /// What `--grep` looks at: the text, its attributes and the stack, without colours.
    static func searchable(_ log: StoredLog) -> String {
        let record = log.record
        var parts = [record.body.string ?? record.body.text()]
        parts += record.attributes.map { $0.assignment() }
        if let stack = record.attributes["exception.stacktrace"]?.string { parts.append(stack) }
        return parts.joined(separator: "\n")
    }

    func levelName(_ record: LogRecord) -> String {
        record.severity == 0 && !record.severityText.isEmpty
            ? record.severityText.escaped : Severity.name(record.severity)
    }

    /// Without those of the exception, which has lines of its own, and the file's, which would be more than half of each line: `--json` has them.
    static func shown(_ record: LogRecord) -> Attributes {
        record.attributes.filter { !$0.key.hasPrefix(ExceptionText.prefix) && !$0.key.hasPrefix("log.file.") }
    }

    /// At least one line, escaped.
    func bodyLines(_ record: LogRecord) -> [String] {
        let text: [String] =
            if case .string(let text) = record.body { text.escapedLines } else {
                [record.body == .empty ? "" : record.body.text()]
            }
        if text.allSatisfy(\.isEmpty), let exception = ExceptionText(record.attributes) {
            return exception.headline.escapedLines
        }
        return text.isEmpty ? [""] : text
    }

    /// The stack, without what the text has said already.
    private func stackLines(_ record: LogRecord, after said: [String]) -> [String] {
        guard let stack = record.attributes["exception.stacktrace"]?.string else { return [] }
        return ExceptionText.shown(stack.escapedLines)
            .filter { line in !line.isEmpty && !said.contains { $0.hasSuffix(line) } }
            .map { Self.indent + painter($0, .dim) }
    }
}

enum TraceText {
    static let shortDigits = 12

    /// The digits that people see and may type again.
    static func short(_ id: TraceID) -> String {
        String((id.high == 0 ? SpanID(id.low).hex : id.hex).prefix(shortDigits))
    }
}
