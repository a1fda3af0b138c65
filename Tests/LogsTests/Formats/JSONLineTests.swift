import Telemetry
import Testing

@Suite("JSON lines of libraries")
struct JSONLineTests {
    private let traceID = TraceID(hex: "4bf92f3577b34da6a3ce929d0e0e4736")!
    private let spanID = SpanID(hex: "00f067aa0ba902b7")!

    @Test("pino")
    func pino() {
        let record = FormatProbe.record(
            #"{"level":30,"time":1795687200123,"pid":41,"hostname":"web-1","reqId":"a1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","trace_flags":"01","msg":"request completed","ratio":0.25,"ok":true,"none":null,"res":{"statusCode":200,"tags":["a",1]}}"#)
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
            #"{"level":"warn","message":"slow \"query\"\n\u00fc\ud83d\ude00\ud83d","timestamp":"2026-11-26T10:00:00.250Z","service":"db","ms":-12}"#)
        #expect(record.time == onTheDay(10, nanoseconds: 250_000_000))
        #expect(record.severity == 13)
        #expect(record.severityText == "warn")
        #expect(record.text == "slow \"query\"\nü😀\u{FFFD}")
        #expect(record.fields == ["service": "db", "ms": -12])
    }

    @Test("bunyan")
    func bunyan() {
        let record = FormatProbe.record(
            #"{"name":"shop","hostname":"h","pid":7,"level":50,"msg":"boom","time":"2026-11-26T10:00:00.000Z","v":0,"err":{"message":"bad","name":"TypeError","stack":"TypeError: bad\n    at f (a.js:1:2)"}}"#)
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
