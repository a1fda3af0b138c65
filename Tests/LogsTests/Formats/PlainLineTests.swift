import Logs
import Telemetry
import Testing

@Suite("Times and levels of plain lines")
struct PlainLineTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let line: String
        let time: UInt64
        let severity: UInt8
        var testDescription: String { line }
    }

    @Test(
        "Layouts of libraries",
        arguments: [
            // log4j, logback
            Sample(
                line: "2026-11-26 10:00:00,123 ERROR [main] com.shop.App - out of stock",
                time: onTheDay(10, nanoseconds: 123_000_000), severity: 17),
            Sample(line: "10:00:00.123 [main] DEBUG com.shop.App - cached", time: 0, severity: 5),
            // Python
            Sample(
                line: "2026-11-26 10:00:00,123 - shop - WARNING - slow", time: onTheDay(10, nanoseconds: 123_000_000),
                severity: 13),
            Sample(line: "CRITICAL:root:out of disk", time: 0, severity: 18),
            Sample(
                line: "[2026-11-26 10:00:00,123: WARNING/ForkPoolWorker-1] slow",
                time: onTheDay(10, nanoseconds: 123_000_000), severity: 13),
            Sample(line: "2026-11-26 10:00:00 GET /ERROR/x", time: onTheDay(10), severity: 0),
            // Go: log, slog, klog, zap
            Sample(line: "2026/11/26 10:00:00 listening", time: onTheDay(10), severity: 0),
            Sample(
                line: "2026/11/26 10:00:00.123456 INFO listening port=80", time: onTheDay(10, nanoseconds: 123_456_000),
                severity: 9),
            Sample(
                line: "E1126 10:00:00.123456   12345 controller.go:12] sync failed",
                time: onTheDay(10, nanoseconds: 123_456_000), severity: 17),
            Sample(
                line: "2026-11-26T11:00:00.000+0100\tWARN\tserver/main.go:10\tslow\t{\"ms\": 5}", time: onTheDay(10),
                severity: 13),
            // Rust: env_logger, tracing
            Sample(line: "[2026-11-26T10:00:00Z INFO  shop::db] connected", time: onTheDay(10), severity: 9),
            Sample(
                line: "2026-11-26T10:00:00.123456Z  WARN shop: slow", time: onTheDay(10, nanoseconds: 123_456_000),
                severity: 13),
            Sample(
                line:
                    "\u{1B}[2m2026-11-26T10:00:00.123456Z\u{1B}[0m \u{1B}[32m INFO\u{1B}[0m \u{1B}[2mshop\u{1B}[0m: up",
                time: onTheDay(10, nanoseconds: 123_456_000), severity: 9),
            // nginx, Apache, PostgreSQL, MySQL
            Sample(line: "2026/11/26 10:00:00 [error] 12#12: *1 open() failed", time: onTheDay(10), severity: 17),
            Sample(
                line: "[Thu Nov 26 10:00:00.123456 2026] [core:warn] [pid 7:tid 8] AH00098: pid file",
                time: onTheDay(10, nanoseconds: 123_456_000), severity: 13),
            Sample(
                line: "2026-11-26 10:00:00.123 UTC [71] FATAL:  password authentication failed",
                time: onTheDay(10, nanoseconds: 123_000_000), severity: 21),
            Sample(
                line: "2026-11-26T10:00:00.000000Z 0 [Warning] [MY-010068] [Server] CA certificate", time: onTheDay(10),
                severity: 13),
            // Winston, console
            Sample(line: "info: listening", time: 0, severity: 9),
            Sample(line: "[WARN] low memory", time: 0, severity: 13),
            Sample(line: "[2026-11-26 10:00:00] production.ERROR: no route", time: onTheDay(10), severity: 17),
            // Numbers
            Sample(line: "1795687200 started", time: onTheDay(10), severity: 0),
            Sample(line: "1795687200.25 started", time: onTheDay(10, nanoseconds: 250_000_000), severity: 0),
            Sample(line: "1795687200123 started", time: onTheDay(10, nanoseconds: 123_000_000), severity: 0),
            Sample(line: "1795687200123456 started", time: onTheDay(10, nanoseconds: 123_456_000), severity: 0),
            Sample(line: "1795687200123456789 started", time: onTheDay(10, nanoseconds: 123_456_789), severity: 0),
            // Zones
            Sample(line: "2026-11-26T05:00:00.5-05:00 x", time: onTheDay(10, nanoseconds: 500_000_000), severity: 0),
            Sample(line: "2026-11-26 10:00:00 -5 retries left", time: onTheDay(10), severity: 0),
            // None of either
            Sample(line: "no error here, and no warning either; information follows", time: 0, severity: 0),
            Sample(line: "GET /ERRORS 200", time: 0, severity: 0),
            Sample(line: "2026-13-26 10:00:00 x", time: 0, severity: 0),
            Sample(line: "2026-11-26 25:00:00 x", time: 0, severity: 0),
            Sample(line: "12345678901234567890123 x", time: 0, severity: 0),
        ])
    func layout(_ sample: Sample) {
        let record = FormatProbe.record(sample.line)
        #expect(record.time == sample.time)
        #expect(record.severity == sample.severity)
        #expect(record.text == sample.line)
    }

    @Test("Syslog files: host, program, process", arguments: ["Nov 26 10:00:00", "2026-11-26T10:00:00.000000+00:00"])
    func syslog(time: String) {
        let record = FormatProbe.record(time + " web-1 sshd[812]: Accepted publickey for root")
        #expect(record.time == onTheDay(10))
        #expect(record.text == "Accepted publickey for root")
        #expect(record.fields == ["host.name": "web-1", "syslog.appname": "sshd", "syslog.procid": "812"])
        let kernel = FormatProbe.record(time + " web-1 kernel: [1.5] usb: ERROR -71")
        #expect(kernel.text == "[1.5] usb: ERROR -71")
        #expect(kernel.fields == ["host.name": "web-1", "syslog.appname": "kernel"])
        #expect(kernel.severity == 17)
    }

    @Test("A time without a year is of the year that brings it near")
    func year() {
        #expect(FormatProbe.record("Dec 31 10:00:00 h a: x").time == 1_798_711_200_000_000_000)
        #expect(FormatProbe.record("Jan  1 10:00:00 h a: x").time == 1_798_797_600_000_000_000)
        #expect(FormatProbe.record("Jul  1 10:00:00 h a: x").time == 1_782_900_000_000_000_000)
    }

    @Test("A trace's ids wherever they stand")
    func ids() {
        let record = FormatProbe.record(
            "2026-11-26 10:00:00,123 INFO [shop] [main.py:5] [trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 trace_sampled=True] - x=1"
        )
        #expect(record.traceID.hex == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(record.spanID.hex == "00f067aa0ba902b7")
        let parent = FormatProbe.record("x traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(parent.traceID.hex == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(parent.traceFlags == 1)
        #expect(FormatProbe.record("trace_id=00000000000000000000000000000000 x").traceID == .invalid)
        #expect(FormatProbe.record("trace_id=4bf92f3577b34da6a3ce929d0e0e473 x").traceID == .invalid)
    }

    @Test("A last line without its end, ends of DOS, empty lines")
    func ends() {
        let probe = FormatProbe()
        probe.take("one\r\n\ntwo\n\r\nthree")
        probe.end()
        #expect(probe.records.map(\.text) == ["one", "two", "three"])
        #expect(probe.workspace.counts.empty == 2)
    }
}

@Suite("Services of files")
struct FileServiceTests {
    @Test(
        "The file's name, or its folder's where that says more",
        arguments: [
            ("/var/log/shop.log", "shop"), ("/var/log/nginx/access.log", "nginx"),
            ("/var/log/nginx/error.log.1", "nginx"), ("/var/log/nginx/shop.access.log", "shop"),
            ("/srv/shop-1.2/app.log", "shop-1.2"), ("/srv/shop/logs/app.log", "app"), ("/var/log/messages", "messages"),
            ("/messages", "messages"), ("access.log", "access"), ("./access.log", "access"), ("../out", "out"),
            ("/var/log/nginx/applog", "applog"), ("/var/log/nginx/.log", "unknown_service"),
        ])
    func names(_ path: String, _ service: String) {
        let probe = FormatProbe(path: path)
        probe.take("x\n")
        probe.end()
        #expect(probe.resources[0].attributes == [Attribute("service.name", .string(service))])
    }

    @Test("What the configuration says comes first")
    func named() {
        let probe = FormatProbe(path: "/var/log/nginx/access.log") { $0.serviceName = "edge" }
        probe.take("x\n")
        probe.end()
        #expect(probe.resources[0].attributes == [Attribute("service.name", "edge")])
    }
}
