import Logs
import Telemetry
import Testing

@Suite("logfmt, access logs, users' patterns")
struct TextFormatTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"
    private static let parent = "00-\(trace)-\(span)-01"

    @Test("logrus, slog and Grafana's logfmt", arguments: [LogFormatSettings.Format.auto, .logfmt])
    func logfmt(_ format: LogFormatSettings.Format) {
        let record = FormatProbe.record(
            #"time="2026-11-26T10:00:00Z" level=warning msg="slow \"query\"" caller=db.go:12 ms=12 ratio=0.5 ok=true id=007 text="15" traceID=4bf92f3577b34da6a3ce929d0e0e4736 empty="#,
            format)
        #expect(record.time == onTheDay(10))
        #expect(record.severity == 13)
        #expect(record.severityText == "warning")
        #expect(record.text == "slow \"query\"")
        #expect(record.traceID.hex == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(
            record.fields == [
                "caller": "db.go:12", "ms": 12, "ratio": 0.5, "ok": true, "id": "007", "text": "15", "empty": "",
            ])
        #expect(FormatProbe.record(#"time=2026-11-26T10:00:00.000Z level=ERROR+2 msg=bye"#, format).severity == 19)
    }

    @Test(
        "Text with an equals sign is no logfmt",
        arguments: ["a=b c", "x=1 and more", "key=value", "a=b c=d", "msg=\"open"])
    func noLogfmt(_ line: String) {
        let record = FormatProbe.record(line)
        #expect(record.text == line)
        #expect(record.fields.isEmpty)
    }

    @Test("Groups of a pattern that lie in each other take more room than the line")
    func nestedGroups() throws {
        let names = "abcdefghijklmnopqrstuvwx".map { "group_with_a_long_name_\($0)" }
        let pattern = names.reduce("") { $0 + "(?P<\($1)>" } + ".*" + names.map { _ in ")" }.joined()
        let format = LogFormatSettings.Format.regex(try LinePattern(pattern))
        for count in [1, 1_000, 200_000] {
            let line = String(repeating: "x", count: count)
            let record = FormatProbe.record(line, format)
            let groups = record.attributes.filter { $0.key.hasPrefix("group_") && $0.value.string == line }
            #expect(groups.count == names.count)
        }
    }

    @Test("nginx and Apache")
    func access() {
        let line =
            #"203.0.113.7 - alice [26/Nov/2026:11:00:00 +0100] "GET /cart?item=7&n=1 HTTP/1.1" 503 1024 "https://shop.example/" "Mozilla/5.0 \"x\"" "0.5""#
        for format in [LogFormatSettings.Format.auto, .access] {
            let record = FormatProbe.record(line, format)
            #expect(record.time == onTheDay(10))
            #expect(record.severity == 17)
            #expect(record.text == line)
            #expect(
                record.fields == [
                    "client.address": "203.0.113.7", "user.name": "alice", "http.request.method": "GET",
                    "url.path": "/cart", "url.query": "item=7&n=1",
                    "network.protocol.version": "1.1", "http.response.status_code": 503,
                    "http.response.body.size": 1024,
                    "http.request.header.referer": "https://shop.example/",
                    "user_agent.original": #"Mozilla/5.0 \"x\""#,
                ])
        }
        let common = FormatProbe.record(#"::1 - - [26/Nov/2026:10:00:00 +0000] "POST / HTTP/2.0" 204 -"#)
        #expect(
            common.fields == [
                "client.address": "::1", "http.request.method": "POST", "url.path": "/",
                "network.protocol.version": "2.0",
                "http.response.status_code": 204,
            ])
        #expect(common.severity == 9)
        let garbage = FormatProbe.record(
            #"198.51.100.1 - - [26/Nov/2026:10:00:00 +0000] "\x16\x03\x01" 400 157 "-" "-""#)
        #expect(
            garbage.fields == [
                "client.address": "198.51.100.1", "http.response.status_code": 400, "http.response.body.size": 157,
            ])
        let host = FormatProbe.record(
            #"shop.example:443 203.0.113.7 - - [26/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8""#)
        #expect(host.fields["server.address"] == "shop.example:443")
        #expect(host.fields["client.address"] == "203.0.113.7")
    }

    @Test(
        "A trace behind an access log's own fields",
        arguments: [
            " \(parent)", " \"\(parent)\"", " 0.005 \"-\" \(parent)", " rt=0.005 traceparent=\(parent) x",
            " traceparent=\"\(parent)\"",
            " trace_id=\(trace) span_id=\(span) trace_flags=01",
        ])
    func accessTrace(_ rest: String) {
        let line = #"203.0.113.7 - - [26/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8""#
        let record = FormatProbe.record(line + rest)
        #expect(record.traceID.hex == Self.trace && record.spanID.hex == Self.span && record.traceFlags == 1)
        #expect(record.fields["user_agent.original"] == "curl/8" && record.text == line + rest)
    }

    @Test(
        "No trace",
        arguments: [
            "", " -", " \"-\"", " \"", "\"", " \(parent.dropLast())", " \(parent.dropLast())g", "\(parent)",
            " 00-\(String(repeating: "0", count: 32))-\(span)-01", " trace_id=", " =",
        ])
    func noAccessTrace(_ rest: String) {
        let line = #"203.0.113.7 - - [26/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "\#(Self.parent)""#
        let record = FormatProbe.record(line + rest)
        #expect(record.traceID == .invalid && record.fields["http.response.status_code"] == 200)
    }

    @Test("A user's pattern: roles, types, groups that take no part, lines that do not fit")
    func pattern() throws {
        let pattern = try LinePattern(
            #"^(?P<time>\S+) \((?P<level>\w+)\) (?P<user>\w+)(?: took (?P<ms>\d+))?(\s*): (?P<message>.*)$"#)
        let probe = FormatProbe(.regex(pattern))
        probe.take(
            "2026-11-26T10:00:00Z (warn) alice took 15: hello there\n2026-11-26T10:00:01Z (info) bob: hi\nnothing of that\n"
        )
        probe.end()
        #expect(probe.records.map(\.text) == ["hello there", "hi", "nothing of that"])
        #expect(probe.records[0].time == onTheDay(10))
        #expect(probe.records[0].severity == 13)
        #expect(probe.records[0].fields == ["user": "alice", "ms": 15])
        #expect(probe.records[1].fields == ["user": "bob"])
        #expect(probe.workspace.counts.misfits == 1)
    }

    @Test(
        "Patterns that are none say why",
        arguments: ["", "(", "a{1001}", "(?P<x>a)(?P<x>b)", String(repeating: "(a)", count: 65)])
    func badPattern(_ source: String) {
        #expect(throws: LinePattern.Invalid.self) { try LinePattern(source) }
    }

    @Test("A pattern that other engines never finish with")
    func linear() throws {
        let pattern = try LinePattern("^(a+)+$")
        let probe = FormatProbe(.regex(pattern))
        probe.take(String(repeating: "a", count: 100_000) + "!\n")
        probe.end()
        #expect(probe.records.count == 1)
    }

    @Test(
        "A format that was asked for takes no other",
        arguments: [LogFormatSettings.Format.json, .docker, .cri, .logfmt, .access])
    func misfits(_ format: LogFormatSettings.Format) {
        let probe = FormatProbe(format)
        probe.take("just text\n")
        probe.end()
        #expect(probe.records.map(\.text) == ["just text"])
        #expect(probe.workspace.counts.misfits == 1)
    }
}
