import Logs
import Telemetry

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Lines of two streams of a container, mixed: words, JSON, traces, lines in pieces, empty ones.
struct RandomLines {
    var numbers: SeededNumbers
    private var count = 0
    private var pending: [[String]] = [[], []]

    init(seed: UInt64) { numbers = SeededNumbers(state: seed) }

    private mutating func event() -> [String] {
        count += 1
        switch Int.random(in: 0..<12, using: &numbers) {
        case 0:
            return ["Error: e\(count)"]
                + (0..<Int.random(in: 1..<5, using: &numbers)).map { "    at f\($0) (a.js:\(count):1)" }
        case 1: return ["{\"level\":30,\"msg\":\"json \(count)\",\"n\":\(count)}"]
        case 2:
            return [
                "Traceback (most recent call last):", "  File \"a.py\", line \(count), in f", "    g()",
                "KeyError: 'k\(count)'",
            ]
        case 3:
            return ["panic: p\(count)", "", "goroutine 1 [running]:", "main.main()", "\t/app/main.go:\(count) +0x1d"]
        case 4: return ["", "after an empty line \(count)"]
        case 5:
            return [
                "2026-11-26T10:00:00Z ERROR report \(count)", "java.lang.IllegalStateException: j\(count)",
                "\tat a.B.c(D.java:1)", "Caused by: x.YException",
            ]
        case 6: return ["  indented \(count)", "}"]
        case 7: return ["Error: m\(count)", "", "second", "  third", "", "    at f (a.js:1:1)"]
        case 8: return ["Error: bare \(count)"]
        case 9: return (0..<20).map { $0 == 0 ? "Error: long \(count)" : "more \($0)" }
        default: return ["word \(count)"]
        }
    }

    /// A line of one of the streams with its runtime's head, pieces included.
    mutating func next(isDocker: Bool) -> String {
        let stream = Int.random(in: 0..<2, using: &numbers)
        if pending[stream].isEmpty { pending[stream] = event().reversed() }
        var text = pending[stream].removeLast()
        var isPiece = false
        if text.count > 3, Int.random(in: 0..<6, using: &numbers) == 0 {
            let cut = text.index(text.startIndex, offsetBy: Int.random(in: 1..<text.count, using: &numbers))
            pending[stream].append(String(text[cut...]))
            text = String(text[..<cut])
            isPiece = true
        }
        let name = stream == 0 ? "stdout" : "stderr"
        guard isDocker else { return "2026-11-26T10:00:00.000000000Z \(name) \(isPiece ? "P" : "F") \(text)\n" }
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\t", with: "\\t")
        return
            "{\"log\":\"\(escaped)\(isPiece ? "" : "\\n")\",\"stream\":\"\(name)\",\"time\":\"2026-11-26T10:00:00Z\"}\n"
    }

    mutating func lines(_ count: Int, isDocker: Bool = false) -> [String] {
        (0..<count).map { _ in next(isDocker: isDocker) }
    }
}

/// What one stream's records say.
func texts(_ records: [LogRecord], of stream: String) -> [String] {
    records.filter { $0.fields["log.iostream"] == .string(stream) }.map { record in
        record.fields["exception.stacktrace"].map { record.text + "\n" + ($0.string ?? "") } ?? record.text
    }
}
