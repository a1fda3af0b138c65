import Telemetry
import Testing

@testable import Configuration

@Suite struct LogFilesConfigurationTests {
    private let load = PipelineLoading()

    @Test func aPatternAloneIsEnough() throws {
        let configuration = try load.configuration("receivers: {files: /var/log/*.log, otlp-http: }\n")
        #expect(configuration.logFiles == [LogFilesConfiguration(name: "files", include: ["/var/log/*.log"])])
        #expect(configuration.receivers.map(\.name) == ["otlp-http"])
        #expect(configuration.pipelines.first { $0.signal == .logs }?.receivers == ["otlp-http", "files"])
        #expect(configuration.pipelines.first { $0.signal == .traces }?.receivers == ["otlp-http"])
    }

    @Test func alone() throws {
        let configuration = try load.configuration("receivers: {files/a: {include: [/a/*, /b/*]}, files/b: /c}\n")
        #expect(configuration.receivers.isEmpty)
        #expect(configuration.logFiles.map(\.name) == ["files/a", "files/b"])
        #expect(configuration.pipelines.map(\.name) == ["logs"])
        #expect(load.warnings("receivers: {files: /a}\n") == [])
    }

    @Test func everySetting() throws {
        let text = """
            receivers:
              files:
                include: [/a/**/*.log, /b]
                exclude: ["*.old"]
                start: end
                format: regex
                pattern: '^(?<message>.*)$'
                multiline: {start: '^\\S', continue: '^\\s', end: ';$'}
                multiline-wait: 250ms
                encoding: latin-1
                service: shop
                attributes: {a: b, n: 7}
                line-max: 64KB
                record-max: 512KB
                rate-limit: 1MB
            log-files: {open-max: 10, poll: 200ms, rotate-wait: 1m}
            """
        var wanted = LogFilesConfiguration(name: "files", include: ["/a/**/*.log", "/b"])
        wanted.exclude = ["*.old"]
        wanted.start = .end
        wanted.format = .regex
        wanted.pattern = "^(?<message>.*)$"
        wanted.multiline = .rules(start: "^\\S", continuation: "^\\s", end: ";$")
        wanted.multilineWaitNanoseconds = 250_000_000
        wanted.encoding = .latin1
        wanted.service = "shop"
        wanted.attributes = [Attribute("a", .string("b")), Attribute("n", .int(7))]
        wanted.lineBytesMax = 64 << 10
        wanted.recordBytesMax = 512 << 10
        wanted.rateBytesMax = 1 << 20
        var limits = LogFilesLimits()
        limits.openFilesMax = 10
        limits.pollNanoseconds = 200_000_000
        limits.rotateWaitNanoseconds = 60_000_000_000
        #expect(try load.configuration(text).logFiles == [wanted])
        #expect(try load.configuration(text).logFilesLimits == limits)
        // What is printed reads as the same.
        let printed = try load.loaded(text).effective.yaml()
        #expect(try load.configuration(printed).logFiles == [wanted], "\(printed)")
    }

    @Test(arguments: ["auto", "off"]) func multilineWords(_ word: String) throws {
        let files = try #require(
            try load.configuration("receivers: {files: {include: /a, multiline: \(word)}}").logFiles.first)
        #expect(files.multiline == (word == "off" ? .off : .auto))
    }

    @Test func aFlagMakesAReceiverBesideTheOthers() throws {
        var load = load
        load.flags.logs = ["/a/*.log", "/b", "/b"]
        let configuration = try load.configuration(nil)
        #expect(configuration.logFiles == [LogFilesConfiguration(name: "files/--logs", include: ["/a/*.log", "/b"])])
        #expect(configuration.receivers.count == 4)
        #expect(
            configuration.pipelines.first { $0.signal == .logs }?.receivers == [
                "otlp-http", "otlp-grpc", "files/--logs",
            ])
        let printed = try load.loaded(nil).effective.yaml()
        #expect(printed.contains("files/--logs:") && printed.contains("# --logs"))
        // It beats what the file says of this one.
        let both = try load.configuration("receivers: {files/--logs: {include: /c, start: end}}\n")
        #expect(both.logFiles.map(\.include) == [["/a/*.log", "/b"]])
        #expect(both.logFiles[0].start == .end)
    }

    @Test func offIsOff() throws {
        var load = load
        load.flags.receives = ["files=off"]
        let text = "receivers: {files: /a, otlp-http: }\npipelines: {logs: {receivers: [files, otlp-http]}}\n"
        let configuration = try load.configuration(text)
        #expect(configuration.logFiles.isEmpty)
        #expect(configuration.pipelines[0].receivers == ["otlp-http"])
        load.flags.receives = ["files=127.0.0.1:1"]
        #expect(
            load.errors(text) == [
                "--receive files=127.0.0.1:1: \"127.0.0.1:1\" is not off; it reads files, and listens nowhere"
            ])
        load.flags.receives = ["files/x=127.0.0.1:1"]
        #expect(
            load.errors("").first?.hasPrefix("--receive files/x=127.0.0.1:1: there is no files/x in the file") == true)
    }

    @Test(
        arguments: [
            (
                "files: ",
                "1:13: receivers.files: include is missing: which files, as in include: [\"/var/log/shop/*.log\"]"
            ),
            ("files: {start: end}", "1:13: receivers.files: include is missing"),
            ("files: {include: []}", "1:13: receivers.files: include is missing"),
            (
                "files: /var/log/",
                "1:20: receivers.files.include: \"/var/log/\" is a folder; /* at its end means the files in it"
            ),
            (
                "files: {include: ''}",
                "1:30: receivers.files.include: \"\" is no pattern of files, as in /var/log/shop/*.log"
            ),
            ("files: {include: [/a, /a]}", "1:35: receivers.files.include: \"/a\" stands twice in the list"),
            (
                "files: {include: /a, start: middle}",
                "1:41: receivers.files.start: \"middle\" is not one of beginning, end"
            ),
            (
                "files: {include: /a, format: jsn}",
                "receivers.files.format: \"jsn\" is not one of auto, json, docker, cri, logfmt, access, plain, raw, regex; did you mean json?"
            ),
            ("files: {include: /a, format: regex}", "receivers.files.format: pattern is missing"),
            (
                "files: {include: /a, pattern: x}",
                "receivers.files.pattern: it means something only with `format: regex`, and format is auto"
            ),
            ("files: {include: /a, multiline: on}", "receivers.files.multiline: \"on\" is not one of auto, off"),
            (
                "files: {include: /a, multiline: {}}",
                "receivers.files.multiline: expected auto, off, or some of {start: REGEX"
            ),
            (
                "files: {include: /a, multiline: {begin: x}}",
                "receivers.files.multiline.begin: there is no such key. There are: start, continue, end"
            ),
            (
                "files: {include: /a, encoding: utf8}",
                "receivers.files.encoding: \"utf8\" is not one of auto, latin-1"
            ),
            ("files: {include: /a, line-max: 1}", "receivers.files.line-max: \"1\" is not a size from 256 to 16MB"),
            (
                "files: {include: /a}, otlp-http: }\nlog-files: {poll: 1",
                "log-files.poll: \"1\" is not a time from 10ms to 1h"
            ),
            ("files: {include: /a, listen: x}", "receivers.files.listen: there is no such key"),
            ("files/a b: /a", "1:13: receivers.files/a b: a name after \"/\" has 1 to 64 letters"),
            (
                "file: /a",
                "receivers.file: \"file\" is not one of otlp-http, otlp-grpc, zipkin, jaeger, files, syslog, stdin, pipe, exec, journald; did you mean files?"
            ),
        ])
    func errors(_ text: String, _ wanted: String) {
        let errors = load.errors("receivers: {\(text)}\n")
        #expect(errors.contains { $0.contains(wanted) }, "\(errors)")
    }

    @Test func theyCarryLogsOnly() {
        #expect(
            load.errors("receivers: {files: /a}\npipelines: {traces: {receivers: files}}\n") == [
                "f.yaml:2:33: pipelines.traces.receivers: files receives logs, and no traces"
            ])
    }

    @Test func oneThatNoPipelineTakesFromIsWarnedOf() {
        #expect(
            load.warnings("receivers: {files: /a, otlp-http: }\npipelines: {logs: {receivers: otlp-http}}\n").contains {
                $0.contains("receivers.files: no pipeline takes from it")
            })
    }
}
