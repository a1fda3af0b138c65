import Configuration
import Glibc
import Pipeline
import Synchronization
import Telemetry
import Testing
import Wire

@testable import Exporters

@Suite struct ConsoleTests {
    private let resource = Resource(attributes: [Attribute("service.name", "shop")])

    @Test func spanIsALineWithItsEvents() {
        let span = SpanData(
            context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3)), parentSpanID: SpanID(4),
            name: "GET /users",
            kind: .server, startTime: 1_700_000_000_123_456_789, endTime: 1_700_000_000_135_800_000,
            attributes: [
                Attribute("http.request.method", "GET"), Attribute("text", "two words"), Attribute("n", .int(-1)),
            ],
            events: [SpanData.Event(time: 1_700_000_000_123_457_789, name: "cache miss")],
            status: SpanStatus(code: .error, message: "boom"))
        #expect(
            ConsoleText.line(span, service: "shop")
                == """
                2023-11-14T22:13:20.123Z SPAN  GET /users 12.3 ms error: boom service=shop \
                trace=00000000000000010000000000000002 span=0000000000000003 parent=0000000000000004 kind=server \
                http.request.method=GET text="two words" n=-1
                    + 1 µs cache miss
                """)
    }

    @Test func logIsALine() {
        let log = LogRecord(
            time: 951_827_696_000_000_000, severity: 13, body: "low on\nstock", attributes: [Attribute("ok", true)])
        #expect(
            ConsoleText.line(log, service: "a b")
                == "2000-02-29T12:34:56.000Z WARN  low on\\nstock service=\"a b\" ok=true")
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        let text = "\u{1B}[31mred\u{7}\u{9B}2J\u{202E}x"
        #expect(ConsoleText.escaped(text) == "\\u{1b}[31mred\\u{7}\\u{9b}2J\\u{202e}x")
        #expect(ConsoleText.value(.string("a\"b")) == "\"a\\\"b\"")
    }

    @Test(
        arguments: [
            (0, "0 ns"), (999, "999 ns"), (1_500, "1.5 µs"), (12_340, "12.3 µs"), (123_456, "123 µs"),
            (1_230_000, "1.23 ms"),
            (2_000_000_000, "2 s"), (3_723_000_000_000, "3723 s"),
        ] as [(UInt64, String)])
    func durationsHaveThreeDigits(nanoseconds: UInt64, text: String) {
        #expect(ConsoleText.duration(nanoseconds) == text)
    }

    @Test func exportsAreWrittenAndABrokenPipeIsARefusal() async {
        let log = Batch([LogRecord(time: 1, body: "hello")], resource: resource)
        for isJSON in [false, true] {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let destination = ConsoleDestination(ExporterConfiguration.Console(isJSON: isJSON), descriptor: ends[1])
            var machine = ExportMachine()
            _ = machine.accept(log, now: 0)
            let export = machine.tick(now: second).exports[0]
            #expect(await destination.result(export) == .delivered())
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let text = String(decoding: bytes[..<read(ends[0], &bytes, bytes.count)], as: UTF8.self)
            #expect(text.hasSuffix("\n"))
            #expect(text.hasPrefix(isJSON ? "{\"resourceLogs\":" : "1970-01-01T00:00:00.000Z INFO  hello service=shop"))
            close(ends[0])
            guard case .refused = await destination.result(export) else { return #expect(Bool(false)) }
            close(ends[1])
        }
    }
}

extension ConsoleDestination {
    fileprivate func result(_ export: Export) async -> ExportResult {
        await withCheckedContinuation { continuation in send(export) { continuation.resume(returning: $0) } }
    }
}
