internal import Health
internal import Receivers
internal import Synchronization
internal import System

/// How this process is, for everybody who asks. Any thread; `HealthKeeper` writes.
final class HealthDesk: HealthSource {
    /// Streams of gRPC's `Watch` at a time.
    static let watchersMax = 256
    /// The main thread looks after its duties every second; when it has not for so long, it hangs. Nanoseconds.
    static let stillNanosecondsMax: UInt64 = 15_000_000_000

    private struct State: Sendable {
        var report: HealthReport
        var watchers: [HealthWatcher] = []
        /// How often checks came to what.
        var outcomes: [Outcome: Int] = [:]
    }

    private struct Outcome: Hashable {
        let check: String
        let word: String
    }

    private let state: Mutex<State>
    private let beatenAt: Atomic<UInt64>
    private let clock: any SystemClock

    init(_ report: HealthReport, _ clock: any SystemClock) {
        state = Mutex(State(report: report))
        beatenAt = Atomic(clock.monotonicNanoseconds())
        self.clock = clock
    }

    var report: HealthReport { state.withLock { $0.report } }

    /// Why the process does not live, whatever its components say.
    var hindrance: String? {
        let (now, beaten) = (clock.monotonicNanoseconds(), beatenAt.load(ordering: .relaxed))
        guard now > beaten, now - beaten > Self.stillNanosecondsMax else { return nil }
        // At the end the main thread waits for backends.
        guard !state.withLock({ $0.report.isEnding }) else { return nil }
        return "the agent's main loop has not turned for \((now - beaten) / 1_000_000_000) s"
    }

    // MARK: for the keeper

    /// The main loop turns.
    func beat(now: UInt64) { beatenAt.store(now, ordering: .relaxed) }

    func publish(_ report: HealthReport) {
        state.withLock { state in
            state.report = report
            state.watchers.removeAll { !$0.tell(report.servingStatus(of: $0.service) ?? .serviceUnknown) }
        }
    }

    /// A check has come to this.
    func count(_ check: String, _ word: String) {
        state.withLock { $0.outcomes[Outcome(check: check, word: word), default: 0] += 1 }
    }

    // MARK: counters

    func add(to counters: inout Counters) {
        let (report, outcomes) = state.withLock { ($0.report, $0.outcomes) }
        counters.add(.healthReady, [:], report.passes(.readiness) ? 1 : 0)
        for component in report.components {
            for status in HealthStatus.allCases {
                counters.add(
                    .healthStatus, ["component": component.name, "status": status.word],
                    component.status == status ? 1 : 0)
            }
            counters.add(.healthChanges, ["component": component.name], component.changes)
            counters.add(.healthFlapping, ["component": component.name], component.isFlapping ? 1 : 0)
        }
        for (outcome, count) in outcomes {
            counters.add(.healthChecks, ["check": outcome.check, "outcome": outcome.word], count)
        }
    }

    // MARK: gRPC

    func servingStatus(of service: String) -> HealthProtocol.ServingStatus? {
        guard let status = report.servingStatus(of: service) else { return nil }
        return hindrance == nil ? status : .notServing
    }

    var servingStatuses: [(service: String, status: HealthProtocol.ServingStatus)] {
        let statuses = report.servingStatuses
        return hindrance == nil ? statuses : statuses.map { ($0.service, .notServing) }
    }

    var hasRoom: Bool { state.withLock { $0.watchers.count < Self.watchersMax } }

    func add(_ watcher: HealthWatcher) {
        state.withLock { state in
            guard watcher.tell(state.report.servingStatus(of: watcher.service) ?? .serviceUnknown) else { return }
            state.watchers.append(watcher)
        }
    }

    /// Nobody watches any more: a stream without end would hold up the end of the server.
    func closeWatchers() {
        state.withLock { state in
            for watcher in state.watchers { watcher.end() }
            state.watchers = []
        }
    }

    func remove(_ watcher: HealthWatcher) { state.withLock { $0.watchers.removeAll { $0 === watcher } } }
}
