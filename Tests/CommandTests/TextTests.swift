import Store
import System
import Telemetry
import Testing

@testable import sidelight

@Suite struct TextTests {
    @Test(arguments: [
        ("127.0.0.1:1", "127.0.0.1:1: Couldn't connect to server", "Couldn't connect to server"),
        ("http://[::1]:1/v1/traces", "[::1]:1: Timeout was reached", "Timeout was reached"),
        ("127.0.0.1:1", "10.0.0.1:2: Couldn't connect to server", "10.0.0.1:2: Couldn't connect to server"),
        ("127.0.0.1:1", "the HTTP client was shut down", "the HTTP client was shut down"), ("", "", ""),
    ])
    func aPlaceStandsOnceInALine(_ place: String, _ message: String, _ expected: String) {
        #expect(HTTPTransportError(.connect, message).message(at: place) == expected)
    }

    @Test func durationsHaveThreeDigits() {
        let cases: [(UInt64, String)] = [
            (0, "0 ns"), (7, "7 ns"), (999, "999 ns"), (1_000, "1 µs"), (1_234, "1.23 µs"), (412_000, "412 µs"),
            (999_499, "999 µs"), (999_500, "1 ms"), (3_210_000, "3.21 ms"), (9_996_000, "10 ms"),
            (42_300_000, "42.3 ms"),
            (1_200_000_000, "1.2 s"), (59_949_999_999, "59.9 s"), (59_960_000_000, "1m 00s"),
            (125_000_000_000, "2m 05s"),
            (3_780_000_000_000, "1h 03m"), (352_800_000_000_000, "4d 02h"), (.max / 2, "106751d 23h"),
        ]
        for (nanoseconds, text) in cases { #expect(TimeText.duration(nanoseconds) == text, "\(nanoseconds)") }
    }

    @Test func timeSpansAreReadWithTheirUnits() {
        #expect(TimeSpan(argument: "10ms")?.nanoseconds == 10_000_000)
        #expect(TimeSpan(argument: "1.5s")?.nanoseconds == 1_500_000_000)
        #expect(TimeSpan(argument: "1h30m")?.nanoseconds == 5_400_000_000_000)
        #expect(TimeSpan(argument: "7d")?.nanoseconds == 604_800_000_000_000)
        for bad in ["", "10", "ms", "-1s", "1.2.3s", "1y", "9999999w", "1 s", "s1"] {
            #expect(TimeSpan(argument: bad) == nil, "\(bad)")
        }
    }

    @Test func timesAreWrittenForPeopleAndMachines() {
        #expect(TimeText.dateAndTime(start, utc: true) == "2026-11-23 14:00:00.123")
    }

    @Test func terminalSequencesAreEscaped() {
        #expect("plain ütf 🛒".escaped == "plain ütf 🛒")
        #expect("\u{1B}]0;title\u{7}".escaped == "\\e]0;title\\x07")
        #expect("a\u{9B}31mb\u{202E}c\u{7F}\0".escaped == "a\\u{9b}31mb\\u{202e}c\\x7f\\x00")
        #expect("one\r\ntwo\tthree\rfour".escapedLines == ["one", "two  three", "four"])
    }

    @Test func columnsAreCountedAsTerminalsDo() {
        let cases = [
            ("", 0), ("abc", 3), ("価格", 4), ("🛒", 2), ("e\u{301}", 1), ("👩‍👩‍👧‍👦", 2), ("🇩🇪", 2), ("한국", 4), ("ｆ", 2),
            ("→", 1), ("✔\u{FE0F}", 2),
        ]
        for (text, columns) in cases { #expect(text.columns == columns, "\(text)") }
        #expect("価格計算".cut(to: 6) == "価格…")
        #expect("価格計算".cut(to: 8) == "価格計算")
        #expect("abc".cut(to: 0) == "")
        #expect("価".padded(to: 4) == "価  ")
    }

    @Test func valuesAreWrittenOnOneLine() {
        #expect(AttributeValue.array(["a\nb", 3, 2.5, true, .empty]).text() == "[\"a\\nb\", 3, 2.5, true, null]")
        #expect(AttributeValue.map([Attribute("k", .bytes([1]))]).text() == "{k: <1 byte>}")
        #expect(Attribute("k", "two \"words\"").assignment() == "k=\"two \\\"words\\\"\"")
        #expect(Attribute("k", "").assignment() == "k=\"\"")
        #expect(Attribute("k", "one").assignment() == "k=one")
        let frames = AttributeValue.array((0..<100).map { .int($0) })
        #expect(Attribute("k", frames).assignment(arrayMax: 3) == "k=[0, 1, 2, … 100 in all]")
        #expect(Attribute("k", .array([1, 2, 3])).assignment(arrayMax: 3) == "k=[1, 2, 3]")
        #expect(AttributeValue.map([Attribute("a", frames)]).text(arrayMax: 1) == "{a: [0, … 100 in all]}")
        #expect(frames.text().hasSuffix("98, 99]"))
    }

    @Test func countsHaveTheirNoun() {
        #expect(counted(1, "span") == "1 span")
        #expect(counted(0, "span") == "0 spans")
        #expect(counted(1_234_567, "span") == "1,234,567 spans")
    }
}

@Suite struct LogLineTests {
    private let plain = LogLine(painter: Painter(hasColor: false), utc: true)

    @Test func longArraysAreShortenedButFound() {
        let burst = log(
            "busy", 0, attributes: [Attribute("system.cpu.utilization", .array((0..<1_000).map { .int($0) }))])
        #expect(
            plain.lines(burst) == ["14:00:00.123 INFO  shop  busy  system.cpu.utilization=[0, 1, 2, … 1000 in all]"])
        #expect(LogLine.searchable(burst).contains("998, 999]"))
    }

    @Test func aRecordIsALine() {
        #expect(
            plain.lines(log("hello", 0, span: 1, attributes: [Attribute("n", 3)])) == [
                "14:00:00.123 INFO  shop  hello  n=3  trace=4bf92f3577b3"
            ])
        #expect(plain.lines(log("", 0, severity: 13)) == ["14:00:00.123 WARN  shop  "])
    }

    @Test func furtherLinesAreIndentedAndTheStackIsNotSaidTwice() {
        #expect(
            plain.lines(log("TypeError: no price\nmore", 0, severity: 17, attributes: exceptionAttributes)) == [
                "14:00:00.123 ERROR shop  TypeError: no price", "    more", "        at total (src/cart.ts:12:19)",
                "        at checkout (src/checkout.ts:40:7)", "        at handle (src/server.ts:9:3)",
                "        at further (src/server.ts:1:1)",
            ])
    }

    @Test func anErrorWithoutTextShowsItsException() {
        let lines = plain.lines(log("", 0, severity: 17, attributes: exceptionAttributes))
        #expect(lines[0] == "14:00:00.123 ERROR shop  TypeError: no price")
        #expect(lines.count == 5)
    }

    @Test func levelsAreColored() {
        let lines = LogLine(painter: Painter(hasColor: true), utc: true).lines(log("x", 0, severity: 13))
        #expect(lines == ["\u{1B}[2m14:00:00.123\u{1B}[0m \u{1B}[33mWARN \u{1B}[0m \u{1B}[36mshop\u{1B}[0m  x"])
    }

    @Test func aRecordCannotSendSequencesToTheTerminal() {
        let hostile = "\u{1B}[2J\u{9D}x\u{7}"
        let lines = plain.lines(log(hostile, 0, attributes: [Attribute(hostile, .string(hostile))]))
        #expect(lines.joined().unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
    }

    @Test func whatWasLookedForStandsOut() throws {
        var line = LogLine(painter: Painter(hasColor: true), utc: true)
        line.highlight = try Regex("l+")
        #expect(line.lines(log("hello", 0))[0].hasSuffix("  he\u{1B}[1;7mll\u{1B}[0mo"))
        line.highlight = try Regex("x*")
        #expect(line.lines(log("hello", 0))[0].hasSuffix("  hello"), "what is empty cannot be seen")
    }

    @Test func theLastMatchesAndWhatIsAroundThem() {
        func bodies(_ count: Int, _ context: Int, _ found: Set<Int>, of number: Int = 20_000) -> [Int] {
            var last = LastMatches(count: count, context: context) { found.contains(Int($0.record.body.string!)!) }
            for number in 0..<number { last.take(log("\(number)", Double(number))) }
            return last.trimmed().map { $0.map { Int($0.record.body.string!)! } ?? -1 }
        }
        // -1: something was left out.
        #expect(bodies(1, 1, [5, 19_998]) == [19_997, 19_998, 19_999])
        #expect(bodies(2, 1, [9, 19_990]) == [8, 9, 10, -1, 19_989, 19_990, 19_991, -1])
        #expect(bodies(5, 2, [0]) == [0, 1, 2, -1])
        #expect(bodies(2, 1, [3, 4, 6], of: 8) == [3, 4, 5, 6, 7])
        #expect(bodies(1, 1, Set(0..<20_000)) == [19_998, 19_999])
        #expect(bodies(3, 2, []) == [])
        #expect(bodies(0, 2, [1]) == [])
    }

    @Test func jsonIsReadBack() throws {
        let attributes: Attributes = [
            Attribute("a", .bool(true)), Attribute("b", .double(1.5)), Attribute("c", .array([.int(.max), .empty])),
            Attribute("d", .map([Attribute("e", "f")])),
        ]
        let record = log("a\nb\u{1B}", 0, severity: 17, span: 1, attributes: attributes, eventName: "e")
        #expect(try TelemetryJSON.log(parsing: Array(TelemetryJSON.text(record).utf8)).record.attributes == attributes)
        var back = try TelemetryJSON.log(parsing: Array(TelemetryJSON.text(record).utf8))
        #expect(back.record.severityText == "ERROR")
        back.record.severityText = ""
        #expect(back == record)
        #expect(throws: (any Error).self) { try TelemetryJSON.log(parsing: Array("{".utf8)) }
        #expect(try TelemetryJSON.log(parsing: Array("[1]".utf8)).record.body == .empty)
    }

    @Test func jsonHasOneObjectALine() {
        #expect(
            TelemetryJSON.text(log("a\nb", 0, span: 1, attributes: [Attribute("k", 1), Attribute("k", 2)]))
                == #"{"time":"2026-11-23T14:00:00.123000000Z","timeUnixNano":"1795442400123000000","severity":"INFO","severityNumber":9,"#
                + #""service":"shop","body":"a\nb","attributes":{"k":1},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000001"}"#
        )
    }
}

@Suite struct CommandNameTests {
    @Test func aCommandThatThereIsNot() {
        #expect(throws: Never.self) { try Sidelight.checkNames(["run", "anything"]) }
        #expect(throws: Never.self) { try Sidelight.checkNames(["trace", "ls", "--json"]) }
        #expect(throws: Never.self) { try Sidelight.checkNames(["--version"]) }
        func message(_ arguments: [String]) -> String {
            do {
                try Sidelight.checkNames(arguments)
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message(["runn", "app.js"]).contains("there is no command `sidelight runn`; did you mean `sidelight run`?"))
        #expect(message(["trace", "list"]).contains("There are: ls, show"))
    }
}

@Suite struct TraceTableTests {
    private let traces = [
        TraceSummary(
            id: checkout, name: "POST /checkout", service: "shop", start: start, end: start + 42_300_000, spans: 7,
            errors: 2,
            isIncomplete: false),
        TraceSummary(
            id: TraceID(high: 0, low: 0xABCD_EF01_2345_6789), name: "価格", service: "stock-keeping", start: start,
            end: start,
            spans: 12_345, errors: 0, isIncomplete: true),
    ]

    @Test func aPipeGetsWholeIDsAndNothingCut() {
        let terminal = Terminal(width: 60, hasColor: false, isInteractive: false)
        #expect(
            TraceTable(terminal: terminal, utc: true).lines(traces) == [
                "TRACE                             START                    DURATION  SPANS  ERRORS  SERVICE        NAME",
                "4bf92f3577b34da6a3ce929d0e0e4736  2026-11-23 14:00:00.123   42.3 ms      7       2  shop           POST /checkout",
                "0000000000000000abcdef0123456789  2026-11-23 14:00:00.123      0 ns  12345       0  stock-keeping  価格 (incomplete)",
            ])
    }

    @Test func aRequestWithoutRouteIsToldByItsPath() {
        var trace = traces[1]
        trace.name = "GET"
        trace.path = "/cart/\u{1B}7"
        let terminal = Terminal(width: 60, hasColor: false, isInteractive: false)
        #expect(TraceTable(terminal: terminal, utc: true).lines([trace])[1].hasSuffix("  GET /cart/\\e7 (incomplete)"))
    }

    @Test func aTerminalGetsShortIDsAndNamesThatFit() {
        let terminal = Terminal(width: 90, hasColor: false, isInteractive: true)
        let lines = TraceTable(terminal: terminal, utc: true).lines(traces)
        #expect(lines[1].hasPrefix("4bf92f3577b3  2026"))
        #expect(lines[2].hasPrefix("abcdef012345  2026"))
        #expect(lines.allSatisfy { $0.columns <= 90 })
    }
}
