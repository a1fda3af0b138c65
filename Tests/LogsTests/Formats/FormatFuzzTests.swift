import Foundation
import Logs
import Telemetry
import Testing

/// Lines that are nearly what libraries write. Each has a word of its own somewhere, which must come out in some record, whatever becomes of the line.
@Suite("Formats in the face of damaged lines")
struct FormatFuzzTests {
    private static let seeds = [
        #"{"level":30,"time":1795687200123,"pid":41,"msg":"request completed","err":{"type":"E","stack":"E: x\n    at f"},"a":[1,{"b":"\u00e9\n"}],"x":1.5e3}"#,
        #"{"log":"{\"level\":\"info\",\"msg\":\"inner \\\"text\\\"\"}\n","stream":"stdout","time":"2026-11-26T10:00:00.1Z"}"#,
        #"{"log":"piece","stream":"stderr","time":"2026-11-26T10:00:00.1Z"}"#,
        "2026-11-26T10:00:00.123456789Z stdout F 2026-11-26T10:00:00Z INFO plain text inside",
        "2026-11-26T10:00:00.123456789Z stderr P a piece of a line",
        #"2026-11-26T10:00:00.123456789Z stderr F {"severity":"warn","message":"m"}"#,
        #"time=2026-11-26T10:00:00Z level=info msg="a \"quoted\" text" n=12 f=1.5"#,
        #"203.0.113.7 - alice [26/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "curl/8 \"x\"""#,
        "Nov 26 10:00:00 web-1 sshd[812]: Accepted publickey",
        "2026-11-26 10:00:00,123 ERROR [main] c.s.App - failed trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
        "TypeError: x is not a function", "    at f (/app/a.js:1:2)", "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f", "KeyError: 'x'",
        "panic: boom", "goroutine 1 [running]:", "Caused by: a.BException: c", "}",
        "thread 'main' panicked at src/main.rs:2:5:", "", "/app/index.js:3",
        "E1126 10:00:00.123456   12345 a.go:12] m", "[Thu Nov 26 10:00:00.123456 2026] [core:warn] m",
        "info: Category[0]", "      message",
    ]
    private static let alphabet = Array("{}[]\",:\\ \tn0u1e9-+.=TZ/F\u{1B}\u{0}é😀\u{7F}".utf8)

    /// The line, damaged; what is not UTF-8 any more is repaired, as the reader of files does.
    private func damaged(_ line: String, _ numbers: inout SeededNumbers) -> String {
        var bytes = Array(line.utf8)
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) {
            let place = Int.random(in: 0...bytes.count, using: &numbers)
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0 where place < bytes.count: bytes.remove(at: place)
            case 1 where place < bytes.count: bytes[place] = Self.alphabet.randomElement(using: &numbers)!
            case 2: bytes.insert(Self.alphabet.randomElement(using: &numbers)!, at: place)
            default: bytes.removeSubrange(place..<min(place + Int.random(in: 0..<20, using: &numbers), bytes.count))
            }
        }
        return String(decoding: bytes, as: UTF8.self).replacing("\n", with: " ")
    }

    /// The line with the word in it: before a character of the line, but not within an escape, a number or a literal, where it would be read as something else.
    private func marked(_ line: String, _ word: String, _ numbers: inout SeededNumbers) -> String {
        let characters = Array(line)
        let places = characters.indices.filter { characters[$0] == " " && ($0 == 0 || characters[$0 - 1] != "\\") }
        guard let place = places.randomElement(using: &numbers), Bool.random(using: &numbers) else {
            return line + word
        }
        return String(characters[..<place]) + word + String(characters[place...])
    }

    private func text(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): text
        case .array(let values): values.map { text($0) }.joined(separator: " ")
        case .map(let entries): entries.map { $0.key + " " + text($0.value) }.joined(separator: " ")
        default: ""
        }
    }

    /// Of fields with the same name the last one counts, and a container's runtime may put tags behind `F` and `P` that mean nothing.
    private static func mayLose(_ line: String) -> Bool {
        let keys = line.matches(of: /([A-Za-z0-9_]+)"?\s*[=:]/).map(\.output.1)
        return Set(keys).count < keys.count || line.contains(/std(out|err) [FP]:/)
    }

    @Test(
        "Nothing crashes, no word is lost, and what comes out is what decoders take",
        arguments: [LogFormatSettings.Format.auto, .json, .docker, .cri, .logfmt, .access, .plain])
    func fuzz(_ format: LogFormatSettings.Format) {
        let deadline = fuzzDeadline()
        var seed: UInt64 = 0
        while seed < 60 || Date() < deadline {
            // Those that are always tried, then others each time.
            seed = seed < 60 ? seed + 1 : UInt64.random(in: 61...UInt64(UInt32.max))
            var numbers = SeededNumbers(state: seed)
            let probe = FormatProbe(format) { $0.multiline = seed % 5 == 0 ? .off : .auto }
            var words: [String] = []
            var lines: [String] = []
            for index in 0..<60 {
                let word = "w\(seed)x\(index)w"
                words.append(word)
                lines.append(marked(damaged(Self.seeds.randomElement(using: &numbers)!, &numbers), word, &numbers))
            }
            var rest = lines[...]
            var now: UInt64 = 0
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(8, rest.count), using: &numbers)
                probe.take(rest.prefix(count).joined(separator: "\n") + "\n")
                rest = rest.dropFirst(count)
                now += 400_000_000
                _ = probe.turn(now: now)
            }
            probe.end()
            #expect(probe.formatter.resume == ResumePoint(UInt64((lines.joined(separator: "\n") + "\n").utf8.count)))
            let all = probe.records.map { record in
                text(record.body) + " " + record.severityText + " "
                    + record.attributes.map { $0.key + " " + text($0.value) }.joined(separator: " ")
            }.joined(separator: "\n")
            for (word, line) in zip(words, lines) where !all.contains(word) && !Self.mayLose(line) {
                Issue.record("seed \(seed), \(format): \(word) of \(line.debugDescription) is lost")
                return
            }
        }
    }

    @Test("Bytes of any kind: as plain lines they come out as they went in")
    func bytes() {
        var numbers = SeededNumbers(state: 7)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 1...300, using: &numbers)).map { _ in
                Self.alphabet.randomElement(using: &numbers)!
            }
            let line = String(decoding: bytes, as: UTF8.self)
            let records = FormatProbe.records(line + "\n", .plain) { $0.multiline = .off }
            #expect(records.map(\.text) == [line])
        }
    }
}
