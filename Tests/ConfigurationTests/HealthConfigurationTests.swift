import Testing

@testable import Configuration

@Suite struct HealthConfigurationTests {
    private let load = PipelineLoading()

    private func health(_ text: String) throws -> HealthConfiguration { try load.configuration(text).common.health }

    @Test func withoutTheSectionThereAreStandards() throws {
        #expect(try health("service: x") == HealthConfiguration())
        #expect(try health("health:") == HealthConfiguration())
    }

    @Test func everyKeyIsRead() throws {
        let health = try health(
            """
            health:
              interval: 2s
              timeout: 300ms
              failures: 2
              successes: 4
              start: 20s
              damping: off
              stall: 3s
              heap: 75
              restarts: 7
              restart-window: 5m
              outage: 10s
              queue: 60
              needs: [workload, exporters, store]
            """)
        var expected = HealthConfiguration()
        expected.intervalNanoseconds = 2_000_000_000
        expected.timeoutNanoseconds = 300_000_000
        expected.failures = 2
        expected.successes = 4
        expected.startNanoseconds = 20_000_000_000
        expected.halfLifeNanoseconds = nil
        expected.stallNanoseconds = 3_000_000_000
        expected.heapPercent = 75
        expected.restarts = 7
        expected.restartWindowNanoseconds = 300_000_000_000
        expected.outageNanoseconds = 10_000_000_000
        expected.queuePercent = 60
        expected.needs = [.workload, .exporters, .store]
        #expect(health == expected)
    }

    @Test func checksHaveWhatTheSectionHasUnlessTheySayOtherwise() throws {
        let health = try health(
            """
            health:
              interval: 2s
              failures: 5
              checks:
                db: {tcp: "[::1]:5432"}
                api: {http: "http://api.example/healthz?full=1", status: 204, failures: 1, affects: liveness}
                page: {http: "https://page.example", status: 200-299, body: welcome, affects: none}
            """)
        #expect(health.checks.map(\.name) == ["db", "api", "page"])
        #expect(health.checks[0].target == .tcp(HostPort(host: "::1", port: 5432)))
        #expect(health.checks[0].intervalNanoseconds == 2_000_000_000)
        #expect(health.checks.map(\.failures) == [5, 1, 5])
        #expect(health.checks.map(\.affects) == [.readiness, .liveness, .none])
        let api = try EndpointURL(parsing: "http://api.example/healthz?full=1")
        #expect(health.checks[1].target == .http(api, statuses: 204...204, text: nil))
        guard case .http(_, let statuses, let text) = health.checks[2].target else { throw Missing() }
        #expect(statuses == 200...299 && text == "welcome")
    }

    private struct Missing: Error {}

    @Test func anEmptyListOfNeedsIsOne() throws { #expect(try health("health: {needs: []}").needs == []) }

    @Test(arguments: [
        ("interval: 1ms", "1:20: health.interval: \"1ms\" is not a time from 100ms to 1h"),
        ("damping: never", "1:19: health.damping: \"never\" is not a time from 1s to 1h, or off"),
        ("heap: 101", "1:16: health.heap: \"101\" is not a whole number from 1 to 100"),
        (
            "needs: [all]",
            "1:18: health.needs: \"all\" is not one of workload, checks, queues, exporters, store, memory"
        ),
        ("chekcs: {}", "1:10: health.chekcs: there is no such key; did you mean \"checks\"?"),
        ("checks: [a]", "1:18: health.checks: expected a mapping of names to settings, not a list"),
        ("checks: {a: {}}", "1:19: health.checks.a: what is to be asked? http: URL or tcp: HOST:PORT is missing"),
        ("checks: {a: {http: ftp://x}}", "health.checks.a.http: \"ftp://x\" is a bad URL"),
        ("checks: {a: {tcp: nowhere}}", "health.checks.a.tcp: \"nowhere\" is not HOST:PORT, as in 127.0.0.1:5432"),
        ("checks: {a: {tcp: \"h:1\", http: \"http://h\"}}", "it is a check of http already"),
        ("checks: {a: {tcp: \"h:1\", status: 200}}", "health.checks.a.status: there is no such key"),
        ("checks: {a: {http: \"http://h\", status: 299-200}}", "is not a status of HTTP, or two as in 200-299"),
        ("checks: {a: {http: \"http://h\", status: 20-30}}", "is not a status of HTTP, or two as in 200-299"),
        ("checks: {a: {http: \"http://h\", status: 200-300-400}}", "is not a status of HTTP, or two as in 200-299"),
        ("checks: {a: {http: \"http://h\", body: \"\"}}", "has not 1 to 1024 bytes"),
        ("checks: {heap: {tcp: \"h:1\"}}", "1:19: health.checks.heap: this name is taken"),
        ("checks: {\"a b\": {tcp: \"h:1\"}}", "1:19: health.checks.a b: a name has 1 to 64 letters"),
        ("checks: {a: {tcp: \"h:1\", affects: all}}", "\"all\" is not one of readiness, liveness, none"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ expected: String) {
        let errors = load.errors("health: {\(text)}")
        #expect(errors.contains { $0.contains(expected) }, "\(errors)")
    }

    @Test func aKeyIsKnownThoughTheURLBesideItIsWrong() {
        let errors = load.errors("health: {checks: {a: {http: foo, status: 99-10, body: x}}}")
        #expect(errors.count == 2, "\(errors)")
        #expect(!errors.contains { $0.contains("there is no such key") }, "\(errors)")
    }

    @Test func thereAreNoMoreChecksThanTheLimit() {
        let checks = (0...HealthConfiguration.checksMax).map { "    c\($0): {tcp: \"h:1\"}" }.joined(separator: "\n")
        #expect(load.errors("health:\n  checks:\n\(checks)").contains { $0.contains("at most 64 are taken") })
    }

    @Test func workloadsReadIt() throws {
        let configured = AgentConfiguration.parse(
            FlagValues(), environment: [:],
            file: PipelineConfiguration.File(name: "s.yaml", bytes: Array("health: {stall: 9s}".utf8)))
        #expect(try configured.get().value.common.health.stallNanoseconds == 9_000_000_000)
    }
}
