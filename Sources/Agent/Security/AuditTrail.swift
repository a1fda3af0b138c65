// What this process has to put on record (docs/audit.md). Who has something to note never waits: events go into a bounded queue, and a thread of the trail's
// own writes them. The thread, the log's folder and libcrypto come with the first event that is worth a log: `run` keeps its start in memory until then.

internal import Audit
internal import Linux
internal import System
internal import Telemetry
internal import Transport

/// Any thread, but for `end`.
final class AuditTrail: Sendable {
    /// What waits to be written; what comes beyond is counted, and the count is itself an entry.
    static let queueEventsMax = 4_096
    /// What is written, synced and signed at once.
    static let batchEventsMax = 256
    private static let retryNanoseconds: UInt64 = 1_000_000_000
    /// How long the end of the process waits for what is queued.
    private static let endNanoseconds: UInt64 = 2_000_000_000

    private struct State {
        var events: [AuditEvent] = []
        /// Since an entry said so.
        var lost: UInt64 = 0
        var counts = Counts()
        var isRunning = false
        var isEnding = false
        var isOver = false
        /// With the thread, and not written yet.
        var inHand = 0

        var unwritten: Int { events.count + inHand }
    }

    /// What there was to note so far.
    struct Counts {
        var entries: [AuditEvent.Kind: UInt64] = [:]
        /// The queue was full.
        var lost: UInt64 = 0
        /// Tries to write that failed.
        var failures: UInt64 = 0
    }

    private let state = Monitor(State())
    private let store: String
    private let isHeld: Bool
    private let clock: LinuxClock
    private let messages: Messages
    private let limits: AuditLimits

    /// - Parameters:
    ///   - store: The folder of the store; the log is in `audit` of it.
    ///   - isHeld: Start and stop alone are not worth a log.
    init(
        store: String, isHeld: Bool = false, clock: LinuxClock, messages: Messages, limits: AuditLimits = AuditLimits()
    ) {
        self.store = store
        self.isHeld = isHeld
        self.clock = clock
        self.messages = messages.about(.agent)
        self.limits = limits
    }

    /// Puts on record that a command begins, and how it ends where it has not come to say so itself: what was in its way.
    /// - Parameter target: What it runs.
    func around(_ command: String, target: String, _ body: () -> RunEnding) -> RunEnding {
        begin(command, target: target)
        let ending = body()
        end(command, target: target, outcome: ending.exitCode == 3 ? "refused" : "failed")
        return ending
    }

    /// That this process has begun, by its command; `target` is what it runs.
    func begin(_ command: String, target: String) {
        note(
            AuditEvent(
                .start, actor: "uid \(Machine.userID)", action: command, target: target, outcome: "started",
                attributes: [
                    Attribute("pid", .int(Int64(Machine.processID))), Attribute("version", .string(Release.version)),
                ]))
    }

    /// Puts it on record, soon.
    func note(_ event: AuditEvent) {
        var event = event
        if event.time == 0 { event.time = clock.unixNanoseconds() }
        let isFirst = state.withLock { state in
            guard state.events.count < Self.queueEventsMax, !state.isOver else {
                state.lost += 1
                state.counts.lost += 1
                return false
            }
            state.events.append(event)
            if state.isRunning || isHeld && event.kind == .start { return false }
            state.isRunning = true
            return true
        }
        guard isFirst else { return state.wake() }
        ServiceThread(name: "sidelight-audit") { [self] in run() }.detach()
    }

    /// No more comes: waits, not for long, until all is written. The first call counts.
    func end(_ command: String, target: String, outcome: String) {
        guard state.withLock({ $0.isRunning && !$0.isEnding }) else { return }
        note(
            AuditEvent(
                .stop, actor: "uid \(Machine.userID)", action: command, target: target, outcome: outcome,
                attributes: [Attribute("pid", .int(Int64(Machine.processID)))]))
        state.withLock { $0.isEnding = true }
        state.wake()
        let deadline = clock.monotonicNanoseconds() &+ Self.endNanoseconds
        let left: Int = state.wait { [clock] (state: inout State) -> Monitor<State>.Wait<Int> in
            let isDue = state.isOver || clock.monotonicNanoseconds() >= deadline
            return isDue ? .done(state.unwritten) : .until(deadline)
        }
        if left > 0 { messages.warn("audit: \(countText(left, "event")) could not be put on record") }
    }

    var counts: Counts { state.withLock { $0.counts } }

    func add(to counters: inout Counters) {
        let counts = counts
        for kind in AuditEvent.Kind.allCases {
            counters.add(.auditEntries, ["kind": kind.rawValue], counts.entries[kind] ?? 0)
        }
        counters.add(.auditLost, [:], counts.lost)
        counters.add(.auditFailures, [:], counts.failures)
    }

    // MARK: its thread

    private func run() {
        var log: AuditLog?
        var lastFailure: String?
        while true {
            let (events, isLast) = take()
            while true {
                do throws(AuditFileError) {
                    let opened: AuditLog
                    if let log { opened = log } else { opened = try open() }
                    log = opened
                    try opened.append(events, isLast: isLast, now: clock.unixNanoseconds())
                    written(events)
                    lastFailure = nil
                    break
                } catch {
                    if lastFailure != error.description { messages.warn("audit: \(error); tried again every second") }
                    lastFailure = error.description
                    guard waitToRetry() else { return over() }
                }
            }
            if isLast { return over() }
        }
    }

    private func open() throws(AuditFileError) -> AuditLog {
        let log = try AuditLog(AuditFolder(writing: AuditFolder.path(store: store)), limits)
        if log.isKeyNew {
            messages.inform(
                "audit: signed by \(log.publicKey.id) from here on; the public key is \(AuditFolder.path(store: store))/key.pub.pem"
            )
        }
        return log
    }

    private func take() -> (events: [AuditEvent], isLast: Bool) {
        state.wait { (state: inout State) -> Monitor<State>.Wait<(events: [AuditEvent], isLast: Bool)> in
            guard !state.events.isEmpty || state.isEnding else { return .untilWoken }
            var batch = Array(state.events.prefix(Self.batchEventsMax))
            state.events.removeFirst(batch.count)
            state.inHand = batch.count
            if state.lost > 0 {
                batch.append(
                    AuditEvent(
                        .integrity, time: self.clock.unixNanoseconds(), action: "queue", outcome: "lost",
                        reason: "\(countText(state.lost, "event")) came faster than they could be written",
                        attributes: [Attribute("events", .int(Int64(clamping: state.lost)))]))
                state.lost = 0
            }
            return .done((batch, state.isEnding && state.events.isEmpty))
        }
    }

    private func written(_ events: [AuditEvent]) {
        state.withLock { state in
            state.inHand = 0
            for event in events { state.counts.entries[event.kind, default: 0] += 1 }
        }
    }

    /// False: the process ends.
    private func waitToRetry() -> Bool {
        let time = clock.monotonicNanoseconds() &+ Self.retryNanoseconds
        state.withLock { $0.counts.failures += 1 }
        return state.wait { [clock] (state: inout State) -> Monitor<State>.Wait<Bool> in
            if state.isEnding { return .done(false) }
            guard clock.monotonicNanoseconds() >= time else { return .until(time) }
            return .done(true)
        }
    }

    private func over() {
        state.withLock { state in
            state.isOver = true
            state.counts.lost += UInt64(state.unwritten)
        }
        state.wake()
    }
}
