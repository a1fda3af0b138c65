import Testing

@testable import Configuration

@Suite struct ResourcesConfigurationTests {
    private let load = PipelineLoading()

    private func resources(_ text: String) throws -> ResourcesConfiguration {
        try load.configuration(text).common.resources
    }

    @Test func withoutTheSectionThereAreStandards() throws {
        #expect(try resources("service: x") == ResourcesConfiguration())
        #expect(try resources("resources: on") == ResourcesConfiguration())
    }

    @Test func everyKeyIsRead() throws {
        let resources = try resources(
            """
            resources:
              enabled: on
              cpu: 500ms
              memory: off
              pressure: 2s
              processes: 3s
              threads: 4s
              pss: off
              container: 6s
              network: 7s
              disk: 8s
              filesystems: 9s
              burst:
                enabled: on
                cpu: 1
                process-cpu: 200
                throttling: 2
                pressure-cpu: 3
                pressure-memory: 4
                pressure-io: 5
                memory: 6
                stalls: off
                length: 20s
                interval: 50ms
                pause: 2m
            """)
        var expected = ResourcesConfiguration()
        expected[.cpu] = 500_000_000
        expected[.memory] = nil
        expected[.pressure] = 2_000_000_000
        expected[.processes] = 3_000_000_000
        expected[.threads] = 4_000_000_000
        expected[.pss] = nil
        expected[.container] = 6_000_000_000
        expected[.network] = 7_000_000_000
        expected[.disk] = 8_000_000_000
        expected[.filesystems] = 9_000_000_000
        expected.burst.cpu = 1
        expected.burst.processCPU = 200
        expected.burst.throttling = 2
        expected.burst.pressureCPU = 3
        expected.burst.pressureMemory = 4
        expected.burst.pressureIO = 5
        expected.burst.memory = 6
        expected.burst.isOfStalls = false
        expected.burst.lengthNanoseconds = 20_000_000_000
        expected.burst.intervalNanoseconds = 50_000_000
        expected.burst.pauseNanoseconds = 120_000_000_000
        #expect(resources == expected)
    }

    @Test func aSingleWordSwitchesItOff() throws {
        #expect(try !resources("resources: off").isEnabled)
        #expect(try !resources("resources: false").isEnabled)
        #expect(try !resources("resources: {burst: off}").burst.isEnabled)
    }

    @Test(
        arguments: [
            ("cpu: 5", "is not a time from 100ms to 1h, or off"), ("disk: 1ms", "or off"),
            ("cpus: 1s", "did you mean \"cpu\"?"),
            ("enabled: maybe", "is not on or off"), ("burst: {cpu: 0}", "is not a whole number from 1 to 100"),
            ("burst: {length: 2m}", "is not a time from 1s to"),
        ])
    func whatMakesNoSenseIsNamed(_ text: String, _ expected: String) {
        let errors = load.errors("resources: {\(text)}")
        #expect(errors.contains { $0.contains(expected) }, "\(errors)")
    }

    @Test func pipelinesMayTakeFromTheAgentItself() {
        #expect(load.errors("pipelines: {metrics: {receivers: [sidelight]}, logs: {receivers: [sidelight]}}").isEmpty)
        let errors = load.errors("pipelines: {traces: {receivers: [sidelight]}}")
        #expect(errors.contains { $0.contains("sidelight receives logs, metrics, and no traces") }, "\(errors)")
    }
}
