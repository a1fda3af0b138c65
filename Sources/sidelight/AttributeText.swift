import Store
import Telemetry

extension AttributeValue {
    /// Elements that are shown of a long array where the room is short.
    static let arrayShortMax = 3

    /// For people, on one line, escaped; strings without quotes.
    /// - Parameter arrayMax: of a longer array only so many elements, and how many there are.
    func text(arrayMax: Int = .max) -> String {
        switch self {
        case .string(let text): text.escaped
        default: nestedText(arrayMax)
        }
    }

    /// Of a number of seconds, not negative.
    var nanoseconds: UInt64? {
        let value: Double? =
            switch self {
            case .double(let value): value
            case .int(let value): Double(value)
            default: nil
            }
        guard let value, value >= 0, value < 9e9 else { return nil }
        return UInt64(value * 1e9)
    }

    private func nestedText(_ arrayMax: Int) -> String {
        switch self {
        case .empty: "null"
        case .string(let text): "\"" + text.escaped + "\""
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .double(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .bytes(let bytes): "<\(counted(bytes.count, "byte"))>"
        case .array(let values):
            "[" + values.prefix(arrayMax).map { $0.nestedText(arrayMax) }.joined(separator: ", ")
                + (values.count > arrayMax ? ", … \(values.count) in all]" : "]")
        case .map(let entries):
            "{" + entries.map { $0.key.escaped + ": " + $0.value.nestedText(arrayMax) }.joined(separator: ", ") + "}"
        }
    }
}

extension Attribute {
    /// `key=value`, the value in quotes when it is empty or holds blanks.
    func assignment(arrayMax: Int = .max) -> String {
        let value = value.text(arrayMax: arrayMax)
        if case .string = self.value, value.isEmpty || value.contains(" ") || value.contains("\"") {
            return key.escaped + "=\""
                + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
        }
        return key.escaped + "=" + value
    }
}

/// What OpenTelemetry's conventions say of an exception, from a span's event or a log record.
/// <https://opentelemetry.io/docs/specs/semconv/exceptions/>.
struct ExceptionText: Equatable {
    static let eventName = "exception"
    static let prefix = "exception."

    /// "TypeError: x is not a function"; not escaped.
    var headline: String
    var message: String
    var stack: String

    /// Nil when the attributes name no exception.
    init?(_ attributes: Attributes) {
        let type = attributes["exception.type"]?.string ?? ""
        let message = attributes["exception.message"]?.string ?? ""
        guard !type.isEmpty || !message.isEmpty else { return nil }
        headline = type.isEmpty ? message : message.isEmpty ? type : type + ": " + message
        self.message = message
        stack = attributes["exception.stacktrace"]?.string ?? ""
    }

    /// The first frames ("at f (src/app.ts:3:14)"), those of the program rather than of the platform where it has any. Escaped.
    func frames(max count: Int) -> [String] { Self.own(ErrorStack(stack).frames, count) }

    /// What each error that it names says, causes and members of an AggregateError, and its first frames. Escaped.
    func others(max count: Int) -> [(headline: String, frames: [String])] {
        ErrorStack(stack).others.map { other in
            let mark = other.relation == .cause ? "caused by " : "with "
            return (mark + other.headline.escaped, Self.own(other.frames, count))
        }
    }

    private static func own(_ frames: [String], _ count: Int) -> [String] {
        ErrorStack.own(frames).prefix(count).map(\.escaped)
    }

    /// A stack's lines without the frames of the platform, where there are others.
    static func shown(_ lines: [String]) -> [String] {
        func isFrame(_ line: String) -> Bool { line.drop(while: \.isWhitespace).hasPrefix("at ") }
        func isOwn(_ line: String) -> Bool { !line.contains("node:") && !line.contains("sidelight:") }
        guard lines.contains(where: { isFrame($0) && isOwn($0) }) else { return lines }
        return lines.filter { !isFrame($0) || isOwn($0) }
    }
}

/// OTLP severity numbers for people.
enum Severity {
    static func name(_ number: UInt8) -> String { LogRecord.levelName(number) ?? "-" }

    static func style(_ number: UInt8) -> Style? {
        switch number {
        case 1...8: .dim
        case 9...12: .green
        case 13...16: .yellow
        case 17...24: .boldRed
        default: nil
        }
    }
}
