import Logs
import Telemetry
import Testing

@Suite("Lines of containers")
struct ContainerLineTests {
    @Test("CRI: streams, pieces, what is inside")
    func cri() {
        let probe = FormatProbe(path: "/var/log/pods/prod_web-5d9_0a1b/app/3.log")
        probe.take(
            """
            2026-11-26T10:00:00.123456789Z stdout F hello
            2026-11-26T10:00:01.000000000Z stdout P first,
            2026-11-26T10:00:01.100000000Z stderr F {"level":"error","msg":"bad"}
            2026-11-26T10:00:01.200000000Z stdout F  second

            """)
        probe.end()
        #expect(probe.records.map(\.text) == ["bad", "hello", "first, second"])
        #expect(
            probe.records.map(\.time) == [
                onTheDay(10, 0, 1, nanoseconds: 100_000_000), onTheDay(10, nanoseconds: 123_456_789),
                onTheDay(10, 0, 1),
            ])
        #expect(probe.records.map { $0.fields["log.iostream"] } == ["stderr", "stdout", "stdout"])
        #expect(probe.records[0].severity == 17)
        #expect(
            probe.resources[0].attributes == [
                Attribute("service.name", "app"), Attribute("k8s.namespace.name", "prod"),
                Attribute("k8s.pod.name", "web-5d9"),
                Attribute("k8s.pod.uid", "0a1b"), Attribute("k8s.container.name", "app"),
                Attribute("k8s.container.restart_count", 3),
            ])
        #expect(probe.workspace.counts.partials == 1)
    }

    @Test("Docker's json-file: streams, pieces, what is inside")
    func docker() {
        let probe = FormatProbe(path: "/var/lib/docker/containers/abc/abc-json.log")
        probe.take(
            #"""
            {"log":"hello \u003cb\u003e\n","stream":"stdout","time":"2026-11-26T10:00:00.123456789Z"}
            {"log":"first,","stream":"stdout","time":"2026-11-26T10:00:01Z"}
            {"log":"{\"level\":\"error\",\"msg\":\"a\\nb\"}\n","stream":"stderr","time":"2026-11-26T10:00:01.1Z"}
            {"log":" second\r\n","stream":"stdout","time":"2026-11-26T10:00:02Z"}

            """#)
        probe.end()
        #expect(probe.records.map(\.text) == ["a\nb", "hello <b>", "first, second"])
        #expect(
            probe.records.map(\.time) == [
                onTheDay(10, 0, 1, nanoseconds: 100_000_000), onTheDay(10, nanoseconds: 123_456_789),
                onTheDay(10, 0, 1),
            ])
        #expect(probe.records.map { $0.fields["log.iostream"] } == ["stderr", "stdout", "stdout"])
        #expect(
            probe.resources[0].attributes == [
                Attribute("service.name", "unknown_service"), Attribute("container.id", "abc"),
            ])
    }

    @Test("A stack trace on one stream, other lines between its own")
    func interleaved() {
        let records = FormatProbe.records(
            """
            2026-11-26T10:00:00.000000000Z stderr F TypeError: x is not a function
            2026-11-26T10:00:00.000000000Z stdout F one
            2026-11-26T10:00:00.000000000Z stderr F     at f (a.js:1:2)
            2026-11-26T10:00:00.000000000Z stdout F two
            2026-11-26T10:00:00.000000000Z stderr F     at g (a.js:3:4)
            2026-11-26T10:00:00.000000000Z stderr F after

            """)
        #expect(records.map(\.text) == ["one", "TypeError: x is not a function", "two", "after"])
        #expect(records[1].fields["exception.type"] == "TypeError")
        #expect(records[1].fields["exception.message"] == "x is not a function")
        #expect(
            records[1].fields["exception.stacktrace"]
                == "TypeError: x is not a function\n    at f (a.js:1:2)\n    at g (a.js:3:4)")
    }
}

@Suite("What Docker tells with each line")
struct DockerLabelTests {
    @Test("Labels are attributes of the container's records")
    func labels() {
        let probe = FormatProbe()
        func line(_ text: String, _ attrs: String) -> String {
            #"{"log":"\#(text)\n","stream":"stdout",\#(attrs)"time":"2026-11-26T10:00:00Z"}"# + "\n"
        }
        probe.take(
            line("a", #""attrs":{"tag":"shop","n":1},"#) + line("b", #""attrs":{"tag":"shop","n":1},"#)
                + line("c", #""attrs":{"tag":"other"},"#) + line("d", ""))
        probe.end()
        #expect(probe.records.map(\.text) == ["a", "b", "c", "d"])
        let stream = ["log.iostream": AttributeValue.string("stdout")]
        #expect(probe.records[0].fields == ["log.iostream": "stdout", "tag": "shop", "n": 1])
        #expect(probe.records[1].fields == probe.records[0].fields)
        #expect(probe.records[2].fields == ["log.iostream": "stdout", "tag": "other"])
        #expect(probe.records[3].fields == stream)
    }

    @Test(
        "Any order, with and without spaces",
        arguments: [
            #"{"log": "a\n", "stream": "stderr", "time": "2026-11-26T10:00:00Z"}"#,
            #"{"stream":"stderr","log":"a\n","time":"2026-11-26T10:00:00Z"}"#,
            #"{"stream": "stderr", "time": "2026-11-26T10:00:00Z", "log": "a\n"}"#,
            #"{"time":"2026-11-26T10:00:00Z","stream":"stderr","log":"a\n"}"#,
            #"{"time": "2026-11-26T10:00:00Z", "log": "a\n", "stream": "stderr"}"#,
        ])
    func order(_ line: String) {
        let record = FormatProbe.record(line)
        #expect(record.text == "a" && record.time == onTheDay(10) && record.fields == ["log.iostream": "stderr"])
    }

    @Test("A library's JSON that begins like Docker's")
    func other() {
        let slog = FormatProbe.record(#"{"time":"2026-11-26T10:00:00Z","level":"INFO","msg":"m","stream":"stdout"}"#)
        #expect(slog.text == "m" && slog.severity == 9 && slog.fields == ["stream": "stdout"])
        let ecs = FormatProbe.record(#"{"log":{"level":"warn"},"message":"m"}"#)
        #expect(ecs.text == "m" && ecs.severity == 13)
        let more = FormatProbe.record(#"{"stream":"stdout","time":"2026-11-26T10:00:00Z","msg":"m"}"#)
        #expect(more.text == "m" && more.time == onTheDay(10))
    }

    @Test(
        "What only looks like Docker's is JSON",
        arguments: [
            #"{"log":"a\n","log":"b\n","stream":"stdout","time":"2026-11-26T10:00:00Z"}"#,
            #"{"log":"a\n","stream":"stdout","time":"soon"}"#,
            #"{"log":"a\n","stream":"other","time":"2026-11-26T10:00:00Z"}"#,
            #"{"log":"a\n","stream":"stdout"}"#, #"{"log":"a","x":1}"#,
        ])
    func json(_ line: String) {
        let record = FormatProbe.record(line)
        #expect(record.fields["log"] != nil)
        #expect(record.text == line)
    }

    @Test(
        "What only looks like CRI is plain",
        arguments: [
            "2026-11-26T10:00:00.000000000Z stdin F x", "2026-11-26T10:00:00.000000000Z stdout X x",
            "2026-11-26T10:00:00.000000000Z stdout Fx",
            "2026-99-26T10:00:00.000000000Z stdout F x", "2026-11-26T10:00:00.000000000Z stdout",
        ])
    func plain(_ line: String) { #expect(FormatProbe.record(line).text == line) }

    @Test("CRI with a zone, further tags, no text")
    func variants() {
        let records = FormatProbe.records(
            "2026-11-26T11:00:00.123456789+01:00 stdout F a\n2026-11-26T10:00:00.1Z stderr F:x:y b\n2026-11-26T10:00:00.000000000Z stdout F\n2026-11-26T10:00:00.000000000Z stdout F \n"
        )
        #expect(records.map(\.text) == ["a", "b"])
        #expect(
            records.map(\.time) == [onTheDay(10, nanoseconds: 123_456_789), onTheDay(10, nanoseconds: 100_000_000)])
    }
}
