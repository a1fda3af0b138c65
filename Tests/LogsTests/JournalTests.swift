import Telemetry
import Testing
import Wire

@testable import Logs

@Suite struct JournalTests {
    private static let entry =
        #"{"_SYSTEMD_UNIT":"ssh.service","__CURSOR":"s=1;i=2a","PRIORITY":"4","SYSLOG_FACILITY":"10","SYSLOG_IDENTIFIER":"sshd","#
        + #""_PID":"812","_HOSTNAME":"web-1","__REALTIME_TIMESTAMP":"1795780800123456","_COMM":"sshd-session","MESSAGE":"Accepted key","X":null}"#

    private static func records(
        _ lines: [String], _ formatter: JournalFormatter
    ) throws -> [(resource: Attributes, record: LogRecord)] {
        let text = Array(lines.map { $0 + "\n" }.joined().utf8)
        text.withUnsafeBytes { formatter.take($0, at: 0, sourceBytes: UInt64($0.count), observed: 7) }
        return try formatter.takeBatches().flatMap { batch in
            let request = OTLP.exportRequest(batches: [batch])
            #expect(try OTLP.batches(fromExportRequest: request, signal: .logs).rejectedItems == 0)
            return try batch.items.indices.map { (try batch.decodedResource().attributes, try batch.logRecord(at: $0)) }
        }
    }

    private static func formatter() -> JournalFormatter { JournalFormatter(SyslogSettings(), LogWorkspace()) }

    @Test func anEntryIsARecord() throws {
        let formatter = Self.formatter()
        let (resource, record) = try #require(try Self.records([Self.entry], formatter).first)
        #expect(resource == [Attribute("service.name", "sshd"), Attribute("host.name", "web-1")])
        #expect(record.body == "Accepted key" && record.severity == 13 && record.severityText == "warning")
        #expect(record.time == 1_795_780_800_123_456_000 && record.observedTime == 7)
        #expect(
            record.attributes == [
                Attribute("syslog.facility", "authpriv"), Attribute("syslog.procid", "812"),
                Attribute("systemd.unit", "ssh.service"),
            ])
        #expect(String(decoding: formatter.cursor, as: UTF8.self) == "s=1;i=2a")
    }

    @Test(arguments: [
        (#"{"MESSAGE":[72,105,255,33]}"#, "Hi\u{FFFD}!"), (#"{"MESSAGE":null}"#, ""), ("{}", ""),
        (#"{"MESSAGE":["a","b"]}"#, #"["a","b"]"#), (#"{"MESSAGE":"a\n\"b\" é \u00e9"}"#, "a\n\"b\" é é"),
        (#"{"MESSAGE":"{\"msg\":\"inner\",\"level\":\"error\"}","PRIORITY":"6"}"#, "inner"),
        (#"{"MESSAGE":"x""#, #"{"MESSAGE":"x""#), ("-- No entries --", "-- No entries --"), ("{", "{"),
        (#"{"MESSAGE":[999]}"#, "[999]"),
    ])
    func messages(line: String, body: String) throws {
        let found = try Self.records([line], Self.formatter())
        #expect(found.map(\.record.body) == [.string(body)])
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func damagedEntriesTrapNothing(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let formatter = Self.formatter()
        for _ in 0..<2_000 {
            var line = Array(Self.entry.utf8)
            for _ in 0..<random.below(6) {
                let at = random.below(line.count)
                switch random.below(3) {
                case 0: line[at] = UInt8(random.below(128))
                case 1: line.removeSubrange(at..<min(at + random.below(9), line.count))
                default: line.insert(Array("[]{}\",:\\".utf8)[random.below(8)], at: at)
                }
                if line.isEmpty { line = [0x7B] }
            }
            _ = try Self.records([String(decoding: line, as: UTF8.self)], formatter)
        }
    }
}
