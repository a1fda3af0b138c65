import Policy
import Testing

@testable import Configuration

/// `limits` and `volume` of a policy, beside `--limit`.
@Suite struct PolicyLimitsTests {
    private func load(_ text: String) -> (configuration: PolicyConfiguration, errors: [String]) {
        let loaded = PolicyConfiguration.load("policy.yaml", folder: "/here", environment: [:]) { _ in
            .bytes(Array(text.utf8))
        }
        return (loaded.configuration, loaded.errors.map(\.message))
    }

    @Test func limitsHaveTheNamesOfTheFlag() {
        let (configuration, errors) = load(
            "limits: {cpu: 50ms, heap: 64MB, memory: 128MB, loop-block: 200ms, cpu-window: 50%/10s, timers: 1000, request-timeout: none}"
        )
        #expect(errors == [])
        let limits = configuration.limits
        #expect(limits.cpu == 50_000_000)
        #expect(limits.heap == 64 << 20)
        #expect(limits[.memory] == 128 << 20)
        #expect(limits[.loopBlock] == 200_000_000)
        #expect(limits.cpuWindow == CPUWindow(percent: 50, nanoseconds: 10_000_000_000))
        #expect(limits[.timers] == 1000)
        #expect(limits.requestTimeout == 0)
        #expect(limits[.sockets] == nil)
    }

    @Test(arguments: ["cpu: many", "heap: 1KB", "timers: 0", "cpu-window: 50%", "cpus: 5ms", "memory: [1MB]"])
    func whatIsNoLimitIsAnError(_ text: String) {
        #expect(load("limits: {\(text)}").errors.count == 1, "\(text)")
    }

    @Test func theFlagBeatsThePolicy() {
        let (configuration, errors) = load(
            "limits: {cpu: 50ms, wall: 2s}\nvolume: {logs-per-second: 7, spans-per-second: 8}")
        #expect(errors == [])
        var given = WorkloadLimits()
        given.cpu = 1_000_000
        given[.logsPerSecond] = 5
        let limits = configuration.effectiveLimits(given: given)
        #expect(limits.cpu == 1_000_000)
        #expect(limits.wall == 2_000_000_000)
        #expect(limits[.logsPerSecond] == 5)
        #expect(limits[.spansPerSecond] == 8)
    }
}
