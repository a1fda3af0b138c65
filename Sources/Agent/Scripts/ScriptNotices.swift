internal import Telemetry

/// What a script says, and what is said of it, as lines of the agent's log: a burst, and then a few a second; what is left out is counted. Times are monotonic nanoseconds.
struct ScriptNotices {
    private static let burst = 20.0
    private static let perSecond = 2.0

    private let name: String
    private let messages: Messages
    private var tokens = ScriptNotices.burst
    private var lastAt: UInt64 = 0
    private var leftOut = 0

    init(_ name: String, _ messages: Messages) {
        self.name = name
        self.messages = messages.about(.scripts)
    }

    /// A line of the script's console.
    mutating func line(severity: UInt8, _ text: String, now: UInt64) {
        guard isAllowed(now) else { return }
        let line = "\(name): \(text)"
        switch severity {
        case 13...: messages.warn(line)
        case 9...: messages.say(line)
        default: messages.inform(line)
        }
    }

    mutating func warn(_ text: String, now: UInt64) {
        if isAllowed(now) { messages.warn("\(name): \(text)") }
    }

    private mutating func isAllowed(_ now: UInt64) -> Bool {
        if now > lastAt { tokens = min(Self.burst, tokens + Double(now - lastAt) / 1e9 * Self.perSecond) }
        lastAt = max(lastAt, now)
        guard tokens >= 1 else {
            leftOut += 1
            return false
        }
        tokens -= 1
        if leftOut > 0 { messages.warn("\(name): \(countText(leftOut, "line")) left out") }
        leftOut = 0
        return true
    }
}
