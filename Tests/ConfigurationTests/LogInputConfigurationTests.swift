import Telemetry
import Testing

@testable import Configuration

/// Receivers of syslog, pipes and programs' output: how the file says what they read.
@Suite struct LogInputConfigurationTests {
    private let load = PipelineLoading()

    @Test func defaults() throws {
        let text = """
            receivers:
              syslog:
              stdin:
              pipe: /run/shop/log
              exec: {command: [tcpdump, -l]}
              journald:
            """
        let loaded = try load.loaded(text)
        let configuration = loaded.configuration
        #expect(
            configuration.logInputs == [
                LogInputConfiguration(name: "syslog", source: .syslog(.init())),
                LogInputConfiguration(name: "stdin", source: .stdin),
                LogInputConfiguration(name: "pipe", source: .pipe("/run/shop/log")),
                LogInputConfiguration(name: "exec", source: .exec(.init(command: ["tcpdump", "-l"]))),
                LogInputConfiguration(name: "journald", source: .journald(.init())),
            ])
        #expect(configuration.receivers.isEmpty)
        let logs = try #require(configuration.pipelines.first { $0.signal == .logs })
        #expect(logs.receivers == ["syslog", "stdin", "pipe", "exec", "journald"])
        #expect(try load.configuration(loaded.effective.yaml()) == configuration)
    }

    @Test func everyKey() throws {
        let text = """
            receivers:
              syslog/net:
                listen: 0.0.0.0:514
                transport: [tcp]
                time-zone: "-03:30"
                message-max: 8KB
                connections: 10
                service: router
                attributes: {site: a}
              syslog/local: {listen: "unix:/run/shop/syslog", transport: stream}
              exec/job:
                command: [job, --fast, -v, -v]
                environment: {MODE: a=b, AGE: 7}
                restart: on-failure
                format: json
                multiline: off
                service: job
                record-max: 8KB
              journald: {units: [ssh.service, cron.service], priority: err, directory: /j, start: beginning, service: host}
            """
        let loaded = try load.loaded(text)
        let inputs = loaded.configuration.logInputs
        var net = LogInputConfiguration.Syslog()
        net.listen = .tcp(HostPort(host: "0.0.0.0", port: 514))
        (net.transports, net.utcOffsetSeconds, net.messageBytesMax, net.connectionsMax) = ([.tcp], -12_600, 8 << 10, 10)
        var first = LogInputConfiguration(name: "syslog/net", source: .syslog(net))
        first.lines.service = "router"
        first.lines.attributes = [Attribute("site", "a")]
        #expect(inputs[0] == first)
        var local = LogInputConfiguration.Syslog()
        (local.listen, local.transports) = (.unix("/run/shop/syslog"), [.stream])
        #expect(inputs[1] == LogInputConfiguration(name: "syslog/local", source: .syslog(local)))
        var program = LogInputConfiguration.Program(command: ["job", "--fast", "-v", "-v"])
        (program.environment, program.restart) = (["AGE=7", "MODE=a=b"], .onFailure)
        var job = LogInputConfiguration(name: "exec/job", source: .exec(program))
        (job.lines.format, job.lines.multiline, job.lines.service, job.lines.recordBytesMax) = (
            .json, .off, "job", 8 << 10
        )
        #expect(inputs[2] == job)
        var journal = LogInputConfiguration.Journal()
        (journal.units, journal.priority, journal.directory, journal.start) = (
            ["ssh.service", "cron.service"], .err, "/j", .beginning
        )
        var last = LogInputConfiguration(name: "journald", source: .journald(journal))
        last.lines.service = "host"
        #expect(inputs[3] == last)
        #expect(try load.configuration(loaded.effective.yaml()) == loaded.configuration)
    }

    @Test func flagsMoveTheSyslogReceiver() throws {
        var load = load
        load.flags.receives = ["syslog=127.0.0.1:6000"]
        let moved = try load.configuration("receivers: {syslog: }").logInputs
        guard case .syslog(let syslog) = moved[0].source else { return #expect(Bool(false)) }
        #expect(syslog.listen == .tcp(HostPort(host: "127.0.0.1", port: 6_000)))
        #expect(try load.configuration("receivers: {zipkin: }").logInputs.count == 1)
        load.flags.receives = ["syslog=off", "pipe=off"]
        #expect(try load.configuration("receivers: {syslog: , pipe: /p, zipkin: }").logInputs.isEmpty)
        load.flags.receives = ["pipe=127.0.0.1:1"]
        #expect(load.errors("receivers: {pipe: /p}").contains { $0.contains("is not off; it listens nowhere") })
    }

    @Test(
        arguments: [
            (
                "receivers: {syslog: 514}",
                "1:21: receivers.syslog.listen: \"514\" is not HOST:PORT or unix:PATH, as in 127.0.0.1:5514"
            ),
            (
                "receivers: {syslog: {transport: [datagram]}}",
                "1:34: receivers.syslog.transport: \"datagram\" is not one of udp, tcp"
            ),
            (
                "receivers: {syslog: {listen: 'unix:/x', transport: [datagram, stream]}}",
                "1:52: receivers.syslog.transport: a socket in the file system has one of datagram and stream"
            ),
            (
                "receivers: {syslog: {time-zone: Berlin}}",
                "1:33: receivers.syslog.time-zone: \"Berlin\" is not UTC or an offset such as +01:00"
            ),
            (
                "receivers: {syslog: {format: json}}",
                "1:22: receivers.syslog.format: there is no such key"
            ),
            (
                "receivers: {pipe: }", "1:13: receivers.pipe: path is missing"
            ),
            (
                "receivers: {exec: }", "1:13: receivers.exec: command is missing"
            ),
            (
                "receivers: {exec: {command: x, restart: sometimes}}",
                "1:41: receivers.exec.restart: \"sometimes\" is not one of always, on-failure, never"
            ),
            (
                "receivers: {journald: {priority: error}}",
                "1:34: receivers.journald.priority: \"error\" is not one of emerg, alert, crit, err,"
            ),
            (
                "receivers: {stdin: , stdin/b: }",
                "1:22: receivers.stdin/b: there is one standard input, and stdin reads it"
            ),
            (
                "receivers: {syslog: 127.0.0.1:4318, otlp-http: }",
                "1:21: receivers.syslog.listen: 127.0.0.1:4318 is taken: otlp-http listens at 127.0.0.1:4318"
            ),
            (
                "receivers: {exec: {command: x}}\npipelines: {traces: {receivers: exec}}",
                "2:33: pipelines.traces.receivers: exec receives logs, and no traces"
            ),
        ])
    func isTold(_ text: String, _ message: String) {
        let errors = load.errors(text)
        #expect(errors.contains { $0.hasPrefix("f.yaml:" + message) }, "\(errors)")
    }

    /// The file may be for another machine.
    @Test(
        arguments: [
            ("exec: {command: tcpdump}", "1:29: receivers.exec.command: there is no program tcpdump in PATH; "),
            ("exec: {command: [/opt/job, -a b]}", "1:29: receivers.exec.command: there is no program /opt/job; "),
            (
                "exec: {command: echo hi there}",
                "1:29: receivers.exec.command: there is no program \"echo hi there\": each argument is an element of a list, as in [echo, hi, there]; "
            ),
            ("journald: ", "1:13: receivers.journald: there is no journalctl in PATH; "),
        ])
    func aProgramThatIsNotThereIsAWarning(_ receiver: String, _ message: String) throws {
        var load = load
        load.programs = []
        let text = "receivers: {\(receiver)}"
        let warning = "f.yaml:\(message)without it the agent does not start"
        #expect(load.warnings(text).contains(warning), "\(load.warnings(text))")
        #expect(try load.configuration(text).logInputs.count == 1)
        load.programs = nil
        #expect(!load.warnings(text).contains { $0.contains("there is no") })
    }
}
