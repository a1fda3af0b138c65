import Testing

@testable import Configuration

/// What `-c FILE` says to `serve` and `run`.
@Suite struct WorkloadFileTests {
    private func parse(
        _ text: String, _ environment: [String: String] = [:], _ change: (inout FlagValues) -> Void = { _ in }
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        var flags = FlagValues()
        flags.entry = "app.js"
        change(&flags)
        return AgentConfiguration.parse(
            flags, environment: environment,
            file: PipelineConfiguration.File(name: "shop.yaml", bytes: Array(text.utf8)))
    }

    @Test func theFileSaysWhatNobodyElseDoes() throws {
        let text = "service: shop\nlog-level: info\nadmin: 127.0.0.1:7000\nstore: /tmp/shop\n"
        let configuration = try parse(text).get().value
        #expect(configuration.worker.resource.serviceName == "shop")
        #expect(configuration.logLevel == .info)
        #expect(configuration.admin == HostPort(host: "127.0.0.1", port: 7000))
        #expect(configuration.isAdminGiven)
        #expect(configuration.storeDirectory == "/tmp/shop")
    }

    @Test func theEnvironmentBeatsTheFileAndFlagsBeatBoth() throws {
        let text = "service: file\nlog-level: info\nadmin: off\n"
        let environment = ["OTEL_SERVICE_NAME": "environment", "OTEL_LOG_LEVEL": "error"]
        let second = try parse(text, environment).get().value
        #expect(second.worker.resource.serviceName == "environment")
        #expect(second.logLevel == .error)
        #expect(second.admin == nil)
        let third = try parse(text, environment) {
            $0.service = "flag"
            $0.admin = "[::1]:9"
            $0.logLevel = "debug"
        }.get().value
        #expect(third.worker.resource.serviceName == "flag")
        #expect(third.logLevel == .debug)
        #expect(third.admin == HostPort(host: "::1", port: 9))
    }

    @Test func withoutAWordOfItTheAdminPortIsWhereItIsExpected() throws {
        let configuration = try parse("").get().value
        #expect(configuration.admin == HostPort(host: "127.0.0.1", port: 9464))
        #expect(!configuration.isAdminGiven)
        #expect(try parse("") { $0.admin = "off" }.get().value.admin == nil)
    }

    @Test func whatIsTheAgentsIsLeftToItWithAWord() throws {
        let configured = try parse("receivers: {zipkin: 127.0.0.1:1}\npipelines: {}\nmemory: 64MB\n").get()
        #expect(configured.warnings.count == 3)
        #expect(
            configured.warnings.first?.description
                == "shop.yaml:1:1: receivers: only `sidelight agent` reads it; `serve` and `run` do not")
    }

    @Test func whatIsWrongIsSaidWithItsPlace() throws {
        guard case .failure(let errors) = parse("admin: nowhere\nservise: shop\nlog-level: loud\n") else {
            Issue.record("it was taken")
            return
        }
        #expect(errors.problems.map { $0.position?.line } == [1, 2, 3])
        #expect(errors.problems.map(\.key) == [["admin"], ["servise"], ["log-level"]])
        guard case .failure = parse("a: [") else {
            Issue.record("what is no YAML was taken")
            return
        }
    }
}
