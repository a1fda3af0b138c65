import Logs
import Telemetry
import Testing

@Suite("JSON lines of libraries")
struct JSONLineTests {
    private let traceID = TraceID(hex: "4bf92f3577b34da6a3ce929d0e0e4736")!
    private let spanID = SpanID(hex: "00f067aa0ba902b7")!

    @Test("pino")
    func pino() {
        let record = FormatProbe.record(
            #"{"level":30,"time":1795687200123,"pid":41,"hostname":"web-1","reqId":"a1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","trace_flags":"01","msg":"request completed","ratio":0.25,"ok":true,"none":null,"res":{"statusCode":200,"tags":["a",1]}}"#
        )
        #expect(record.time == onTheDay(10, nanoseconds: 123_000_000))
        #expect(record.severity == 9)
        #expect(record.severityText == "30")
        #expect(record.text == "request completed")
        #expect(record.traceID == traceID)
        #expect(record.spanID == spanID)
        #expect(record.traceFlags == 1)
        #expect(
            record.fields == [
                "pid": 41, "hostname": "web-1", "reqId": "a1", "ratio": 0.25, "ok": true, "none": .empty,
                "res": .map([Attribute("statusCode", 200), Attribute("tags", .array(["a", 1]))]),
            ])
        #expect(record.observedTime == FormatProbe.observed)
        #expect(record.attributes["log.file.name"] == "shop.log")
        #expect(record.attributes["log.file.path"] == "/var/log/shop.log")
    }

    @Test("winston")
    func winston() {
        let record = FormatProbe.record(
            #"{"level":"warn","message":"slow \"query\"\n\u00fc\ud83d\ude00\ud83d","timestamp":"2026-11-26T10:00:00.250Z","service":"db","ms":-12}"#
        )
        #expect(record.time == onTheDay(10, nanoseconds: 250_000_000))
        #expect(record.severity == 13)
        #expect(record.severityText == "warn")
        #expect(record.text == "slow \"query\"\nü😀\u{FFFD}")
        #expect(record.fields == ["service": "db", "ms": -12])
    }

    @Test("bunyan")
    func bunyan() {
        let record = FormatProbe.record(
            #"{"name":"shop","hostname":"h","pid":7,"level":50,"msg":"boom","time":"2026-11-26T10:00:00.000Z","v":0,"err":{"message":"bad","name":"TypeError","stack":"TypeError: bad\n    at f (a.js:1:2)"}}"#
        )
        #expect(record.severity == 17)
        #expect(record.text == "boom")
        #expect(record.time == onTheDay(10))
        #expect(record.eventName == "exception")
        #expect(record.fields["exception.type"] == "TypeError")
        #expect(record.fields["exception.message"] == "bad")
        #expect(record.fields["exception.stacktrace"] == "TypeError: bad\n    at f (a.js:1:2)")
        #expect(record.fields["name"] == "shop")
        #expect(record.fields["v"] == 0)
    }
}

@Suite("JSON lines of other libraries")
struct MoreJSONLineTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let span = "00f067aa0ba902b7"

    @Test("ECS, flat and nested")
    func ecs() {
        for line in [
            #"{"@timestamp":"2026-11-26T10:00:00.000Z","log.level":"ERROR","message":"m","trace.id":"\#(trace)","span.id":"\#(span)","error.type":"java.io.IOException","error.message":"late","error.stack_trace":"java.io.IOException: late\n\tat a.B.c(D.java:1)"}"#,
            #"{"@timestamp":"2026-11-26T10:00:00.000Z","log":{"level":"ERROR","logger":"x"},"message":"m","trace":{"id":"\#(trace)"},"span":{"id":"\#(span)"},"error":{"type":"java.io.IOException","message":"late","stack":"java.io.IOException: late\n\tat a.B.c(D.java:1)"}}"#,
        ] {
            let record = FormatProbe.record(line)
            #expect(record.time == onTheDay(10))
            #expect(record.severity == 17)
            #expect(record.text == "m")
            #expect(record.traceID.hex == trace)
            #expect(record.spanID.hex == span)
            #expect(record.fields["exception.message"] == "late")
            #expect(record.fields["exception.stacktrace"] == "java.io.IOException: late\n\tat a.B.c(D.java:1)")
            #expect(record.fields["exception.type"] == "java.io.IOException")
            #expect(record.fields["error"] == nil)
        }
    }

    @Test("OpenTelemetry's data model")
    func openTelemetry() {
        let record = FormatProbe.record(
            #"{"Timestamp":"1795687200000000000","SeverityText":"WARN","SeverityNumber":14,"Body":{"a":[1,{"b":null}]},"TraceId":"\#(trace)","SpanId":"\#(span)","TraceFlags":1,"Attributes":{"http.route":"/x","n":2},"Resource":{"service.name":"s"}}"#
        )
        #expect(record.time == onTheDay(10))
        #expect(record.severity == 14)
        #expect(record.severityText == "WARN")
        #expect(record.body == .map([Attribute("a", .array([1, .map([Attribute("b", .empty)])]))]))
        #expect(record.traceID.hex == trace && record.spanID.hex == span && record.traceFlags == 1)
        #expect(record.fields == ["http.route": "/x", "n": 2, "Resource": .map([Attribute("service.name", "s")])])
    }

    @Test("zap, zerolog, slog, logrus")
    func go() {
        let zap = FormatProbe.record(
            #"{"level":"dpanic","ts":1795687200.25,"caller":"a.go:1","msg":"m","stacktrace":"main.f\n\t/app/a.go:1"}"#)
        #expect(zap.time == onTheDay(10, nanoseconds: 250_000_000))
        #expect(zap.severity == 18)
        #expect(zap.fields == ["caller": "a.go:1", "exception.stacktrace": "main.f\n\t/app/a.go:1"])
        let zerolog = FormatProbe.record(#"{"level":"debug","time":1795687200,"message":"m"}"#)
        #expect(zerolog.time == onTheDay(10) && zerolog.severity == 5 && zerolog.text == "m" && zerolog.fields.isEmpty)
        let slog = FormatProbe.record(
            #"{"time":"2026-11-26T11:00:00.5+01:00","level":"DEBUG-2","msg":"m","user":{"id":7}}"#)
        #expect(slog.time == onTheDay(10, nanoseconds: 500_000_000) && slog.severity == 3)
        #expect(slog.fields == ["user": .map([Attribute("id", 7)])])
        let logrus = FormatProbe.record(
            #"{"error":"no route","level":"fatal","msg":"m","time":"2026-11-26T10:00:00Z"}"#)
        #expect(logrus.severity == 21)
        #expect(logrus.fields == ["error": "no route"])
    }

    @Test("log4j, logback, Python, Serilog, .NET, Rust's tracing, Google")
    func others() {
        let log4j = FormatProbe.record(
            #"{"instant":{"epochSecond":1795687200,"nanoOfSecond":5},"level":"TRACE","message":"m","thread":"main"}"#)
        #expect(log4j.time == onTheDay(10, nanoseconds: 5) && log4j.severity == 1 && log4j.fields == ["thread": "main"])
        let logback = FormatProbe.record(
            #"{"@timestamp":"2026-11-26T10:00:00.1Z","@version":"1","message":"m","level":"INFO","level_value":20000}"#)
        #expect(logback.severity == 9 && logback.fields == ["@version": "1", "level_value": 20000])
        let python = FormatProbe.record(
            #"{"asctime":"2026-11-26 10:00:00,250","levelname":"ERROR","message":"m","exc_info":"Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'"}"#
        )
        #expect(python.time == onTheDay(10, nanoseconds: 250_000_000) && python.severity == 17)
        #expect(python.fields["exception.type"] == "KeyError" && python.fields["exception.message"] == "'x'")
        let serilog = FormatProbe.record(
            #"{"@t":"2026-11-26T10:00:00.0000000Z","@mt":"{A} b","@l":"Warning","@x":"System.Exception: late\n   at A.B()","@tr":"\#(trace)","@sp":"\#(span)","A":1}"#
        )
        #expect(serilog.text == "{A} b" && serilog.severity == 13 && serilog.traceID.hex == trace)
        #expect(serilog.fields["exception.type"] == "System.Exception" && serilog.fields["exception.message"] == "late")
        let dotnet = FormatProbe.record(
            #"{"Timestamp":"2026-11-26T10:00:00Z","EventId":3,"LogLevel":"Information","Category":"C","Message":"m"}"#)
        #expect(dotnet.severity == 9 && dotnet.severityText == "Information" && dotnet.text == "m")
        let tracing = FormatProbe.record(
            #"{"timestamp":"2026-11-26T10:00:00.5Z","level":"INFO","fields":{"message":"m","yaks":3},"target":"t"}"#)
        #expect(tracing.text == "m" && tracing.fields == ["yaks": 3, "target": "t"])
        let google = FormatProbe.record(
            #"{"severity":"NOTICE","message":"m","logging.googleapis.com/trace":"projects/p/traces/\#(trace)","logging.googleapis.com/spanId":"\#(span)"}"#
        )
        #expect(google.severity == 10 && google.traceID.hex == trace && google.spanID.hex == span)
    }

    @Test("An error's further members stay; a stack alone names its error")
    func errors() {
        let pino = FormatProbe.record(
            #"{"level":50,"err":{"type":"TypeError","message":"bad \"x\"","stack":"TypeError: bad \"x\"\n    at f (a.js:1:2)","code":"E1"},"msg":"m"}"#
        )
        #expect(pino.fields["err"] == .map([Attribute("code", "E1")]))
        #expect(pino.fields["exception.message"] == #"bad "x""#)
        #expect(pino.fields["exception.stacktrace"] == "TypeError: bad \"x\"\n    at f (a.js:1:2)")
        let winston = FormatProbe.record(
            #"{"level":"error","message":"m","stack":"RangeError: bad \"x\"\n    at f (a.js:1:2)"}"#)
        #expect(winston.fields["exception.type"] == "RangeError" && winston.fields["exception.message"] == #"bad "x""#)
        #expect(winston.eventName == "exception")
    }

    @Test("Datadog's decimal ids, broken ids and levels stay attributes")
    func strange() {
        let record = FormatProbe.record(
            #"{"dd.trace_id":"1234567890","trace_id":"xyz","span_id":"00f067aa0ba902bz","level":"loud","time":"soon","trace_flags":"zz","msg":null}"#
        )
        #expect(record.traceID == .invalid && record.spanID == .invalid && record.severity == 0 && record.time == 0)
        #expect(
            record.fields == [
                "dd.trace_id": "1234567890", "trace_id": "xyz", "span_id": "00f067aa0ba902bz", "level": "loud",
                "time": "soon", "trace_flags": "zz",
                "msg": .empty,
            ])
        let parent = FormatProbe.record(#"{"traceparent":"00-\#(trace)-\#(span)-01","msg":"m"}"#)
        #expect(parent.traceID.hex == trace && parent.spanID.hex == span && parent.traceFlags == 1)
    }

    @Test("Numbers at their edges")
    func numbers() {
        let record = FormatProbe.record(
            #"{"msg":"m","a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808,"d":1e400,"e":-0,"f":1.5e-3,"g":123456789012345678901234567890,"h":0.1,"i":1E2,"j":-1}"#
        )
        #expect(
            record.fields == [
                "a": .int(.max), "b": .int(.min), "c": 9223372036854775808.0, "d": "1e400", "e": 0, "f": 0.0015,
                "g": 123456789012345678901234567890.0,
                "h": 0.1, "i": 100.0, "j": -1,
            ])
    }

    @Test("Of fields with the same name the last one counts; a record without a message is its line")
    func names() {
        #expect(FormatProbe.record(#"{"a":1,"b":2,"a":3,"msg":"m"}"#).fields == ["a": 3, "b": 2])
        let line = #"{"a" : 1 , "\u0062\n" : [ ] , "c" : { } }"#
        let record = FormatProbe.record(line)
        #expect(record.text == line)
        #expect(record.fields == ["a": 1, "b\n": .array([]), "c": .map([])])
    }

    @Test(
        "What is no JSON is a plain line, and counted",
        arguments: [
            "{", "{}x", "{]}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#,
            #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":tru}"#,
            #"{"a":nul}"#, #"{"a":"b}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u12g4"}"#, "{\"a\":\"\t\"}",
            #"{a:1}"#, #"{'a':1}"#, #"{"a":1 "b":2}"#,
            #"{"a":[1,2}"#, #"{"a":{"b":1]}"#, #"{"a":[1,]}"#, #"{"a":"b"}{"c":1}"#, #"{"a":NaN}"#, #"{"a":--1}"#,
            #"{"a":-}"#, "{\"a\":\u{0}}", #"{"a":"b\"}"#,
        ])
    func broken(_ line: String) {
        let probe = FormatProbe()
        probe.take(line + "\n")
        probe.end()
        #expect(probe.records.map(\.text) == [line])
        #expect(probe.records[0].fields.isEmpty)
        #expect(probe.workspace.counts.misfits == 1)
    }

    @Test("Of an object longer than a record's text each text is cut by itself, not within a character or an escape")
    func long() {
        func probe(_ line: String, _ format: LogFormatSettings.Format = .auto) -> FormatProbe {
            let probe = FormatProbe(format) { $0.recordBytesMax = 1_024 }
            probe.take(line + "\nafter\n")
            probe.end()
            return probe
        }
        let texts = #"{"level":"warn","a":"x\#(String(repeating: "é", count: 600))","n":7,"#
        for format in [LogFormatSettings.Format.auto, .json] {
            let probe = probe(texts + #""msg":"\#(String(repeating: "y", count: 1_025))"}"#, format)
            #expect(probe.records.map(\.text) == [String(repeating: "y", count: 1_024), "after"])
            #expect(probe.records[0].severity == 13)
            #expect(probe.records[0].fields == ["a": .string("x" + String(repeating: "é", count: 511)), "n": 7])
            #expect(probe.workspace.counts.cutRecords == 1 && probe.workspace.counts.cutBytes == 1_201 - 1_023 + 1)
        }
        // An escape of two bytes, or of six, on the edge.
        for (count, escape) in [(1_023, #"\n"#), (1_019, #"\u00e9"#), (1_023, #"\u00e9"#), (1_023, #"\\"#)] {
            let line = #"{"msg":"\#(String(repeating: "x", count: count))\#(escape)y"}"#
            #expect(probe(line).records[0].text == String(repeating: "x", count: count))
        }
        let ends = String(repeating: "\\n", count: 512)
        let whole = probe(#"{"msg":"\#(ends)","b":"c","k":[1]}"#)
        #expect(whole.records[0].text == String(repeating: "\n", count: 512))
        #expect(whole.records[0].fields == ["b": "c", "k": .array([1])])
        #expect(whole.workspace.counts.cutRecords == 0)
        let noMessage = probe(texts + #""b":1}"#)
        #expect(noMessage.records[0].fields["b"] == 1 && noMessage.records[0].text.utf8.count == 1_024)
        let frames = String(repeating: "x", count: 2_000)
        let error = probe(#"{"msg":"m","err":{"type":"E","message":"bad","stack":"E: bad\n\#(frames)"}}"#)
        #expect(error.records[0].fields["exception.stacktrace"]?.string?.utf8.count == 1_023)
        // No object, or too long an object: plain.
        #expect(probe("{" + String(repeating: "x", count: 2_000)).records[0].text.utf8.count == 1_024)
        let tooLong = probe(#"{"msg":"m","a":"\#(String(repeating: "x", count: 1 << 20))"}"#)
        #expect(tooLong.records[0].text.hasPrefix(#"{"msg":"m""#) && tooLong.records[0].fields.isEmpty)
    }

    @Test("Depth, fields and length have limits, behind which a line is a plain one")
    func limits() {
        func nested(_ depth: Int) -> String {
            #"{"msg":"m","a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(FormatProbe.record(nested(24)).text == "m")
        #expect(FormatProbe.record(nested(25)).text == nested(25))
        #expect(FormatProbe.record(nested(50_000)).text.utf8.count == 100_000 + 16)
        func wide(_ count: Int) -> String { "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}" }
        #expect(FormatProbe.record(wide(512)).fields.count == 512)
        #expect(FormatProbe.record(wide(513)).fields.isEmpty)
        let long = #"{"msg":""# + String(repeating: "é", count: 200_000) + "\"}"
        #expect(FormatProbe.record(long).text == String(repeating: "é", count: 131_072))
        let key = String(repeating: "k", count: 100_000)
        #expect(FormatProbe.record("{\"\(key)\":1,\"msg\":\"m\"}").fields == [key: 1])
    }
}
