internal import Configuration
internal import Exporters
internal import Health
internal import Store
internal import Telemetry

/// How the workload of `serve` or `run` is. Main thread.
final class WorkloadHealth: HealthSubject {
    /// What is known at a moment.
    struct Facts {
        struct Worker {
            var pid: Int32
            var place: Int
            /// Nil: it has no board, or one that makes no sense.
            var state: BoardState?
            var handlers: BoardHandlers
            var health: BoardHealth?
            var board: BoardSnapshot
        }

        /// How many isolates are to serve; 0: the workload is run, not served.
        var places: Int
        var workers: [Worker]
        /// Workers that died and were started again.
        var restarts: [String: Int]
        var exporters: [(name: String, condition: ExporterCondition)]
        var store: StoreCounts
        var isEnding: Bool
        var registrations: [RegistrationStatus] = []
    }

    private let facts: () -> Facts
    private(set) var isEnding = false
    private var loops: [Int32: LoopWatch] = [:]
    private var restartLoop: RestartLoop
    private var restarts: [String: Int] = [:]
    private var lastReason = ""
    private var program: ProgramWatch
    private var exporters = ExporterWatch()
    private var store = StoreWatch()

    init(_ settings: HealthConfiguration, _ facts: @escaping () -> Facts) {
        self.facts = facts
        restartLoop = RestartLoop(
            countLimit: settings.restarts, windowNanoseconds: settings.restartWindowNanoseconds)
        program = ProgramWatch()
    }

    func look(_ settings: HealthConfiguration, now: UInt64) -> [HealthLook] {
        let facts = facts()
        isEnding = facts.isEnding
        var looks = [Self.workload(facts)]
        if facts.places > 0 {
            let serving = facts.workers.filter { $0.state == .serving }
            looks.append(loops(serving, settings, now))
            looks.append(Self.heap(serving, settings))
            looks.append(restarts(facts, now))
            if let look = program.look(serving, settings, now: now) { looks.append(look) }
        }
        // What a served request records waits in memory, and is in the store too: nobody is to be sent away for it.
        looks += exporters.look(facts.exporters, isDurable: false, settings, now: now)
        return looks + [store.look(facts.store)] + RegistryLooks.looks(facts.registrations)
    }

    private static func workload(_ facts: Facts) -> HealthLook {
        var look = HealthLook(
            name: "workload", measurement: "isolates", unit: "isolates", need: .workload, probes: .startup)
        guard facts.places > 0 else {
            look.finding = facts.workers.isEmpty ? HealthFinding(.fail, "it has ended", value: 0) : .pass
            return look
        }
        let count = Set(facts.workers.filter { $0.state == .serving }.map(\.place)).count
        let reason = count == 0 ? "no isolate serves" : "\(count) of \(facts.places) isolates serve"
        look.finding =
            count >= facts.places
            ? HealthFinding(.pass, value: Double(count))
            : HealthFinding(count == 0 ? .fail : .warn, reason, value: Double(count))
        return look
    }

    private func loops(_ serving: [Facts.Worker], _ settings: HealthConfiguration, _ now: UInt64) -> HealthLook {
        var shared = SharedFinding()
        var next: [Int32: LoopWatch] = [:]
        for worker in serving {
            var watch = loops[worker.pid] ?? LoopWatch(stallNanoseconds: settings.stallNanoseconds)
            let beats = worker.board.delay.buckets.reduce(0, &+)
            shared.add(watch.take(beats: beats, now: now), of: "isolate \(worker.place)")
            next[worker.pid] = watch
        }
        loops = next
        return HealthLook(
            name: "eventloop", measurement: "stall", unit: "s", need: .workload, probes: .liveness,
            finding: shared.finding ?? .pass)
    }

    private static func heap(_ serving: [Facts.Worker], _ settings: HealthConfiguration) -> HealthLook {
        var shared = SharedFinding()
        let failing = (Double(settings.heapPercent) + 100) / 2
        for worker in serving where worker.board[.heapLimit] > 0 {
            let percent = Double(worker.board[.heapUsed]) / Double(worker.board[.heapLimit]) * 100
            let rounded = percent.rounded()
            let status: HealthStatus =
                percent >= failing ? .fail : percent >= Double(settings.heapPercent) ? .warn : .pass
            let reason = status == .pass ? "" : "the heap is at \(Int(rounded)) % of its limit"
            shared.add(HealthFinding(status, reason, value: rounded), of: "isolate \(worker.place)")
        }
        return HealthLook(
            name: "heap", measurement: "utilization", unit: "percent", need: .workload, isFickle: true,
            finding: shared.finding ?? .pass)
    }

    private func restarts(_ facts: Facts, _ now: UInt64) -> HealthLook {
        if let reason = facts.restarts.first(where: { $0.value > restarts[$0.key, default: 0] })?.key {
            lastReason = reason
        }
        restarts = facts.restarts
        let finding = restartLoop.take(
            restarts: facts.restarts.values.reduce(0, +), lastReason: lastReason, now: now)
        return HealthLook(
            name: "restarts", measurement: "count", unit: "restarts", need: .workload, finding: finding)
    }
}

/// What the module's own `health` says, over time. Main thread.
private struct ProgramWatch {
    private struct Answer {
        /// Nil: there was none yet.
        var said: BoardHealth?
        /// When it was new.
        var at: UInt64
    }

    private var answers: [Int32: Answer] = [:]
    private var dueAt: UInt64 = 0
    /// Whether those that served last have one.
    private var isThere = false

    /// Nil: no module that serves has one.
    mutating func look(
        _ serving: [WorkloadHealth.Facts.Worker], _ settings: HealthConfiguration, now: UInt64
    ) -> HealthLook? {
        let asked = serving.filter { $0.handlers.contains(.health) }
        if !serving.isEmpty { isThere = !asked.isEmpty }
        guard isThere else { return nil }
        var look = HealthLook(
            name: "program", measurement: "health", need: .workload, probes: .startup, isFickle: true)
        // While none serves, it is as it was.
        guard !asked.isEmpty else { return look }
        var next: [Int32: Answer] = [:]
        var worst: HealthFinding?
        for worker in asked {
            var answer = answers[worker.pid] ?? Answer(said: nil, at: now)
            // While the next one is being written, there is the last one.
            if let said = worker.health {
                if said.answers != answer.said?.answers { answer.at = now }
                answer.said = said
            }
            next[worker.pid] = answer
            let finding = Self.finding(answer, "isolate \(worker.place)", settings, now)
            if worst.map({ finding.status > $0.status }) ?? true { worst = finding }
        }
        answers = next
        let isWaiting = next.values.contains { $0.said == nil }
        // An answer counts once, however often it is looked at.
        if now >= dueAt, !isWaiting || worst?.status == .fail {
            look.finding = worst
            dueAt = now &+ settings.intervalNanoseconds
        }
        return look
    }

    private static func finding(
        _ answer: Answer, _ name: String, _ settings: HealthConfiguration, _ now: UInt64
    ) -> HealthFinding {
        let silent = now &- answer.at
        guard silent <= 3 * settings.intervalNanoseconds + settings.timeoutNanoseconds else {
            return HealthFinding(.fail, "\(name): health() has not answered for \(silent / 1_000_000_000) s")
        }
        guard let said = answer.said, said.status != .pass else { return .pass }
        let reason = said.reason.isEmpty ? "health() says so" : said.reason
        return HealthFinding(said.status == .fail ? .fail : .warn, "\(name): \(reason)")
    }
}
