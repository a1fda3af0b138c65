import Foundation
import Telemetry
import Testing
import Wire

@testable import Logs

/// 2026-11-27T12:00:00Z.
private let noon: UInt64 = 1_795_780_800_000_000_000

private struct Made: Equatable {
    var resource: [String: String] = [:]
    var record: LogRecord
    var attributes: [String: String]

    init(_ batch: Batch, _ index: Int) throws {
        for attribute in try batch.decodedResource().attributes { resource[attribute.key] = Self.text(attribute.value) }
        record = try batch.logRecord(at: index)
        attributes = [:]
        for attribute in record.attributes { attributes[attribute.key] = Self.text(attribute.value) }
    }

    static func text(_ value: AttributeValue) -> String {
        if case .string(let text) = value {
            text
        } else if case .int(let number) = value {
            "\(number)"
        } else {
            "\(value)"
        }
    }

    var body: String { Self.text(record.body) }
}

private func made(_ messages: [[UInt8]], _ edit: (inout SyslogSettings) -> Void = { _ in }) throws -> [Made] {
    var settings = SyslogSettings()
    settings.utcOffsetSeconds = 0
    edit(&settings)
    let formatter = SyslogFormatter(settings, LogWorkspace())
    for message in messages { message.withUnsafeBytes { formatter.take($0, observed: noon) } }
    return try formatter.takeBatches().flatMap { batch in
        let request = OTLP.exportRequest(batches: [batch])
        #expect(try OTLP.batches(fromExportRequest: request, signal: .logs).rejectedItems == 0)
        return try batch.items.indices.map { try Made(batch, $0) }
    }
}

private func one(_ message: String, _ edit: (inout SyslogSettings) -> Void = { _ in }) throws -> Made {
    try #require(try made([Array(message.utf8)], edit).first)
}

@Suite struct SyslogTests {
    @Test func theExampleOfRFC5424() throws {
        let made = try one(
            "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" "
                + "eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"] \u{FEFF}An application event"
        )
        #expect(made.resource == ["service.name": "evntslog", "host.name": "mymachine.example.com"])
        #expect(made.body == "An application event")
        #expect(made.record.time == 1_065_910_455_003_000_000 && made.record.observedTime == noon)
        // Notice.
        #expect(made.record.severity == 10 && made.record.severityText == "notice")
        #expect(
            made.attributes == [
                "syslog.facility": "local4", "syslog.version": "1", "syslog.msgid": "ID47",
                "syslog.exampleSDID@32473.iut": "3", "syslog.exampleSDID@32473.eventSource": "Application",
                "syslog.exampleSDID@32473.eventID": "1011", "syslog.examplePriority@32473.class": "high",
            ])
    }

    @Test func whatIsNilIsNotThere() throws {
        let made = try one("<0>1 - - - - - -") { $0.serviceName = "fallback" }
        #expect(made.resource == ["service.name": "fallback"])
        #expect(made.record.time == 0 && made.body == "" && made.record.severity == 21)
        #expect(made.attributes == ["syslog.facility": "kern", "syslog.version": "1"])
    }

    @Test(arguments: [
        (0, 21), (1, 19), (2, 18), (3, 17), (4, 13), (5, 10), (6, 9), (7, 5),
    ])
    func severitiesAreThoseOfTheDataModel(severity: Int, number: Int) throws {
        let made = try one("<\(8 * 23 + severity)>x: y")
        #expect(Int(made.record.severity) == number && made.attributes["syslog.facility"] == "local7")
    }

    @Test func valuesOfStructuredDataAreUnescaped() throws {
        let made = try one(#"<13>1 - h a 7 - [a@1 x="q\"b\\c\]d\e" y=""][only@2] text [not data]"#)
        #expect(made.attributes["syslog.a@1.x"] == #"q"b\c]d\e"#)
        #expect(made.attributes["syslog.a@1.y"] == "" && made.attributes["syslog.procid"] == "7")
        #expect(made.body == "text [not data]")
    }

    @Test(arguments: [
        #"[a x="1" text"#, #"[a x=1] text"#, "[", "[a", #"[a x="]"#, "[] text", #"[a x="1"]text"#, "[a b] text",
        "[" + String(repeating: "a", count: 65) + " x=\"1\"] text",
        "[a" + String(repeating: " b=\"\"", count: 300) + "] text",
        "[" + String(repeating: "i", count: 64)
            + String(repeating: " \(String(repeating: "n", count: 60))=\"\"", count: 200) + "]",
    ])
    func brokenStructuredDataIsText(data: String) throws {
        let made = try one("<13>1 2026-11-27T11:00:00Z host app - - " + data)
        // The last one is whole: its names are in proportion to it.
        if data.hasPrefix("[iii") { return #expect(made.record.attributes.count == 202) }
        #expect(made.body == data && made.resource["service.name"] == "app")
        #expect(made.attributes == ["syslog.facility": "user", "syslog.version": "1"])
    }

    @Test(arguments: [
        // As RFC 3164 has it.
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "mymachine", "su", "", "'su root' failed"),
        ("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", "10.0.0.99", "unknown_service", "", "Use the BFG!"),
        ("<86>Nov 27 11:00:00 h sshd[123]: Accepted", "h", "sshd", "123", "Accepted"),
        ("<86>Nov 27 11:00:00 h postfix/smtpd[9]: x", "h", "postfix/smtpd", "9", "x"),
        // No host, as syslog(3) and logger write to a socket of their own machine.
        ("<13>Nov 27 11:00:00 root: hello", "", "root", "", "hello"),
        ("<13>Nov 27 11:00:00 tool[7]: hello", "", "tool", "7", "hello"),
        // No time.
        ("<13>su: hello", "", "su", "", "hello"),
        ("<13>just text", "", "unknown_service", "", "just text"),
        ("<13>http://x.example/ is down", "", "unknown_service", "", "http://x.example/ is down"),
        // rsyslog's RSYSLOG_ForwardFormat, and clocks that are not set.
        ("<13>2026-11-27T11:00:00.5+01:00 h tool: hello", "h", "tool", "", "hello"),
        ("<13>*Nov 27 11:00:00.123: %SYS-5-CONFIG_I: set", "", "%SYS-5-CONFIG_I", "", "set"),
        // An address.
        ("<13>Nov 27 11:00:00 fe80::1 tool: hello", "fe80::1", "tool", "", "hello"),
        ("<13>Nov 27 11:00:00 h tool:", "h", "tool", "", ""),
        ("<13>", "", "unknown_service", "", ""),
        // No priority.
        ("Nov 27 11:00:00 h tool: hello", "h", "tool", "", "hello"),
        ("<999>Nov 27 11:00:00", "", "unknown_service", "", "<999>Nov 27 11:00:00"),
        ("<>x", "", "unknown_service", "", "<>x"),
        ("hello", "", "unknown_service", "", "hello"),
        // Like RFC 5424, and not it.
        ("<13>1 yesterday h a - - - text", "", "unknown_service", "", "1 yesterday h a - - - text"),
        ("<13>1 - h a", "", "unknown_service", "", "1 - h a"),
    ])
    func traditionalMessages(
        message: String, host: String, application: String, process: String, text: String
    ) throws {
        let made = try one(message + "\n")
        #expect(made.resource["host.name"] ?? "" == host)
        #expect(made.resource["service.name"] == application)
        #expect(made.attributes["syslog.procid"] ?? "" == process)
        #expect(made.body == text)
    }

    @Test func yearsAndZonesAreFound() throws {
        // The nearest to when it came: half a year ago at most.
        #expect(try one("<13>Nov 27 11:00:00 h t: x").record.time == noon - 3_600_000_000_000)
        #expect(
            try one("<13>Jan  1 00:00:00 h t: x").record.time == noon + 34 * 86_400_000_000_000 + 12 * 3_600_000_000_000
        )
        #expect(try one("<13>Jul 27 12:00:00 h t: x").record.time == noon - 123 * 86_400_000_000_000)
        #expect(
            try one("<13>Nov 27 11:00:00 h t: x") { $0.utcOffsetSeconds = 7_200 }.record.time == noon - 3
                * 3_600_000_000_000)
        #expect(try one("<13>1 2026-11-27T12:00:00.000003+01:00 h t - - - x").record.time == noon - 3_599_999_997_000)
    }

    @Test func aTextThatIsJSONIsTakenApart() throws {
        let text =
            #"{"level":"error","msg":"it broke","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","n":5}"#
        for cookie in ["", "@cee: ", "@cee:"] {
            let made = try one("<30>Nov 27 11:00:00 h app[3]: \(cookie)\(text)")
            #expect(made.body == "it broke" && made.record.severity == 17 && made.record.severityText == "error")
            #expect(made.record.traceID == TraceID(hex: "0af7651916cd43dd8448eb211c80319c"))
            #expect(made.attributes == ["n": "5", "syslog.facility": "daemon", "syslog.procid": "3"])
            #expect(made.resource["service.name"] == "app")
        }
        #expect(try one("<30>app: {\"a\":1} and more").body == "{\"a\":1} and more")
        #expect(try one("<30>app: {\"a\":1}").body == "{\"a\":1}")
    }

    @Test func whatIsNoUTF8IsReplaced() throws {
        let settings = SyslogSettings()
        let formatter = SyslogFormatter(settings, LogWorkspace())
        let message = Array("<13>Nov 27 11:00:00 h".utf8) + [0xFF] + Array(" t: caf".utf8) + [0xE9, 0x21]
        message.withUnsafeBytes { formatter.take($0, observed: noon) }
        let made = try Made(formatter.takeBatches()[0], 0)
        #expect(made.body == "caf\u{FFFD}!" && made.resource["host.name"] == "h\u{FFFD}" && formatter.replaced == 1)
    }

    @Test func hostsMakeBatchesAndFewAreOpen() throws {
        let formatter = SyslogFormatter(SyslogSettings(), LogWorkspace())
        for number in 0..<1_000 {
            Array("<13>Nov 27 11:00:00 h\(number % 100) t\(number % 2): \(number)".utf8).withUnsafeBytes {
                formatter.take($0, observed: noon)
            }
        }
        let batches = formatter.takeBatches()
        let made = try batches.flatMap { batch in try batch.items.indices.map { try Made(batch, $0) } }
        #expect(made.count == 1_000 && Set(made.map(\.body)).count == 1_000)
        #expect(
            made.allSatisfy { made in
                let number = Int(made.body)!
                return made.resource == ["host.name": "h\(number % 100)", "service.name": "t\(number % 2)"]
            })
        #expect(formatter.takeBatches().isEmpty && formatter.bytesWaiting == 0)
    }

    // MARK: hostile

    @Test(arguments: 0..<4 as Range<UInt64>)
    func fuzzedMessagesAreTextAndTrapNothing(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let seeds = [
            #"<165>1 2003-10-11T22:14:15.003Z host app 12 ID47 [a@1 b="c\"d" e="f"][g@2 h="i"] text"#,
            "<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed", #"<14>app: {"a":{"b":[1,2,"c"]},"msg":"x"}"#,
            "<13>2026-11-27T11:00:00.5+01:00 h tool: hello",
        ].map { Array($0.utf8) }
        let formatter = SyslogFormatter(SyslogSettings(), LogWorkspace())
        let deadline = fuzzDeadline()
        var round = 0
        while round < 3_000 || Date() < deadline {
            round += 1
            var message = seeds[random.below(seeds.count)]
            for _ in 0..<random.below(6) {
                let at = random.below(message.count)
                switch random.below(5) {
                case 0: message[at] = UInt8(random.below(256))
                case 1: message.removeSubrange(at..<min(at + random.below(9), message.count))
                case 2: message.insert(contentsOf: message[..<random.below(message.count)], at: at)
                case 3: message = Array(message[..<at])
                default: message.insert(Array("[]\"\\= -:<>{}".utf8)[random.below(12)], at: at)
                }
                if message.isEmpty { message = [0] }
            }
            message.withUnsafeBytes { formatter.take($0, observed: noon) }
            if round % 100 == 0 {
                for batch in formatter.takeBatches() {
                    let request = OTLP.exportRequest(batches: [batch])
                    let again = try OTLP.batches(fromExportRequest: request, signal: .logs)
                    #expect(again.rejectedItems == 0 && again.batches.map(\.items.count) == [batch.items.count])
                    for index in batch.items.indices { _ = try batch.logRecord(at: index) }
                }
            }
        }
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Further rounds, if `SIDELIGHT_FUZZ_SECONDS` asks for them (`make fuzz`).
func fuzzDeadline() -> Date {
    Date().addingTimeInterval(ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init) ?? 0)
}
