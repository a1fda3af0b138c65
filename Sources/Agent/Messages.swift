internal import Configuration
internal import Linux
internal import System
internal import Wire

/// "30 s", "1.5 s", "500 ms"; rounded to milliseconds.
func timeText(_ nanoseconds: UInt64) -> String {
    let milliseconds = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 >= 500_000 ? 1 : 0)
    guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
    let tenths = milliseconds / 100
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}

/// "1 span", "2 spans".
func countText(_ count: some BinaryInteger, _ noun: String) -> String { "\(count) \(noun)" + (count == 1 ? "" : "s") }

/// The agent's own words on stderr, a line each: text, or JSON where that was asked for (docs/specs/telemetry.md section 4).
struct Messages: Sendable {
    private let isQuiet: Bool
    private let isJSON: Bool
    /// They may change at any time.
    let levels: MessageLevels
    private var category = MessageCategory.agent

    init(isQuiet: Bool, level: LogLevel, isJSON: Bool = false) {
        self.isQuiet = isQuiet
        self.isJSON = isJSON
        levels = MessageLevels(level)
    }

    /// The same for messages about something else.
    func about(_ category: MessageCategory) -> Messages {
        var messages = self
        messages.category = category
        return messages
    }

    private var level: LogLevel { levels[category] }

    /// What a user waits for.
    func say(_ text: String) {
        if !isQuiet { write(text, .info) }
    }

    /// Worth knowing to who asked for more.
    func inform(_ text: String) {
        if !isQuiet, level <= .info { write(text, .info) }
    }

    /// Something is wrong and the run goes on.
    func warn(_ text: String) {
        if !isQuiet, level <= .warning { write(text, .warning) }
    }

    /// The run cannot go on, or could not.
    func fail(_ text: String) { write(text, .error) }

    /// What an audit was made for.
    func tell(policy text: String) {
        guard isJSON else { return Machine.writeToStandardError(text) }
        var json = JSONWriter()
        json.object { json in
            json.put("event", "policy")
            json.put("policy", text)
        }
        Machine.writeToStandardError(json.text + "\n")
    }

    private func write(_ text: String, _ level: LogLevel) {
        guard isJSON else { return Machine.writeToStandardError("sidelight: \(Self.printable(text))\n") }
        Machine.writeToStandardError(Self.json(text, level: "\(level)", category) + "\n")
    }

    static func json(_ text: String, level: String, _ category: MessageCategory) -> String {
        var json = JSONWriter()
        json.object { json in
            json.put("event", "message")
            json.put("level", level)
            json.put("category", category.rawValue)
            json.put("message", text)
        }
        return json.text
    }

    /// Several lines as they are, but for what could steer a terminal.
    static func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(separator: "\n")
    }

    /// Parts of a message come from workers and backends: what could steer a terminal is shown as an escape.
    static func printable(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t": out += " "
            case _ where scalar.isUnprintable: out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
