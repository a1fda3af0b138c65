// Who keeps the health of a process: a duty of the main thread. Every second, and whenever a check has come back, it lets each component take what was found
// of it, and publishes what that comes to. That it is called at all is the sign that the main loop turns.

internal import Configuration
internal import Health
internal import Linux
internal import System

/// Main thread.
final class HealthKeeper: Duty {
    let desk: HealthDesk

    private struct Kept {
        var name: String
        var measurement: String
        var kind: String
        var unit: String
        /// One that the configuration has, and not of the process itself.
        var isCheck = false
        /// Of `HealthLook`; of checks as the configuration has it.
        var need: HealthConfiguration.Need?
        var probes: HealthProbes
        var isFickle = true
        var health: ComponentHealth
    }

    private static let lookNanoseconds: UInt64 = 1_000_000_000

    private var settings: HealthConfiguration
    private let subject: any HealthSubject
    private let checks: HealthChecks
    private let manager: ServiceManager?
    private let clock: any SystemClock
    private let messages: Messages
    private let service: String
    private let description: String
    private var components: [Kept] = []
    private var lookAt: UInt64 = 0
    private var hasLooked = false
    private var isEnding = false
    /// What was said of readiness last; nil: it was not ready yet.
    private var saidReady: Bool?

    /// What it needs of the process that it is of.
    struct Surroundings {
        var service: String
        /// What the process does, in a line.
        var description: String
        /// For the checks.
        var transport: any HTTPTransport
        /// The main thread's.
        var wake: EventDescriptor
        var clock: any SystemClock
        /// Nil: nobody wants to be told.
        var wish: NotifySocket.Wish?
        var messages: Messages
    }

    init(_ settings: HealthConfiguration, _ subject: any HealthSubject, _ surroundings: Surroundings) {
        self.settings = settings
        self.subject = subject
        (service, description) = (surroundings.service, surroundings.description)
        clock = surroundings.clock
        messages = surroundings.messages
        manager = surroundings.wish.map(ServiceManager.init)
        checks = HealthChecks(surroundings.transport, surroundings.wake, clock)
        desk = HealthDesk(
            HealthReport(service: service, version: Release.version, description: description), clock)
        checks.adopt(settings.checks, now: clock.monotonicNanoseconds())
        addChecks()
        publish()
    }

    // MARK: the duty

    var timer: UInt64 { isEnding ? .max : min(lookAt, checks.timer, manager?.timer ?? .max) }

    func tick(now: UInt64) {
        guard !isEnding else { return }
        desk.beat(now: now)
        let time = HealthTime(monotonic: now, unix: clock.unixNanoseconds())
        for outcome in checks.tick(now: now) {
            desk.count(outcome.name, outcome.word)
            take(outcome.finding, of: outcome.name, time)
        }
        if lookAt <= now {
            lookAt = now &+ Self.lookNanoseconds
            hasLooked = true
            look(time)
        }
        for index in components.indices {
            if components[index].health.tick(now: time) { tell(components[index]) }
        }
        publish()
    }

    /// Something has happened that shows: it is looked at in the next turn.
    func lookSoon() { lookAt = 0 }

    /// Other settings.
    func adopt(_ next: HealthConfiguration) {
        guard next != settings else { return }
        let kept = Set(settings.checks.filter(next.checks.contains).map(\.name))
        settings = next
        checks.adopt(next.checks, now: clock.monotonicNanoseconds())
        components.removeAll { $0.isCheck && !kept.contains($0.name) }
        for index in components.indices where !components[index].isCheck {
            components[index].health.adopt(thresholds(isFickle: components[index].isFickle))
        }
        addChecks()
        lookSoon()
    }

    func reloading() { manager?.reloading(now: clock.monotonicNanoseconds()) }
    func reloaded() { manager?.reloaded() }

    /// The end was asked for: it is not ready any more, and lives until it is over.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        publish()
        manager?.stopping()
    }

    // MARK: components

    private func addChecks() {
        for check in settings.checks where !components.contains(where: { $0.name == check.name }) {
            let thresholds = HealthThresholds(
                failures: check.failures, successes: check.successes, startNanoseconds: check.startNanoseconds,
                halfLifeNanoseconds: settings.halfLifeNanoseconds)
            components.append(
                Kept(
                    name: check.name, measurement: "responseTime", kind: "component", unit: "ms", isCheck: true,
                    need: check.affects == .none ? nil : .checks, probes: check.affects == .liveness ? .liveness : [],
                    health: ComponentHealth(thresholds, now: now)))
        }
    }

    private var now: HealthTime {
        HealthTime(monotonic: clock.monotonicNanoseconds(), unix: clock.unixNanoseconds())
    }

    private func look(_ time: HealthTime) {
        let looks = subject.look(settings, now: time.monotonic)
        let names = Set(looks.map(\.name))
        // Of an exporter that is no more, say.
        components.removeAll { !$0.isCheck && !names.contains($0.name) }
        for look in looks {
            if !components.contains(where: { $0.name == look.name }) { add(look, time) }
            if let finding = look.finding { take(finding, of: look.name, time) }
        }
        if subject.isEnding { end() }
    }

    private func add(_ look: HealthLook, _ time: HealthTime) {
        // What the process itself is comes before what it depends on.
        let index = components.firstIndex(where: \.isCheck) ?? components.count
        components.insert(
            Kept(
                name: look.name, measurement: look.measurement, kind: look.kind, unit: look.unit, need: look.need,
                probes: look.probes, isFickle: look.isFickle,
                health: ComponentHealth(thresholds(isFickle: look.isFickle), now: time)), at: index)
    }

    private func thresholds(isFickle: Bool) -> HealthThresholds {
        HealthThresholds(
            failures: isFickle ? settings.failures : 1, successes: isFickle ? settings.successes : 1,
            startNanoseconds: settings.startNanoseconds, halfLifeNanoseconds: settings.halfLifeNanoseconds)
    }

    /// What a component counts for, by what is needed.
    private func probes(_ kept: Kept) -> HealthProbes {
        var probes = kept.probes
        guard let need = kept.need else { return probes.contains(.startup) ? probes.union(.readiness) : probes }
        if settings.needs.contains(need) {
            probes.insert(.readiness)
        } else {
            // What nobody needs keeps nobody from coming up either.
            probes.remove(.startup)
        }
        return probes
    }

    private func take(_ finding: HealthFinding, of name: String, _ time: HealthTime) {
        guard let index = components.firstIndex(where: { $0.name == name }) else { return }
        let wasStarting = components[index].health.isStarting
        let hasChanged = components[index].health.take(finding, now: time)
        if hasChanged, !(wasStarting && components[index].health.status == .pass) { tell(components[index]) }
    }

    // MARK: what is told

    private func tell(_ component: Kept) {
        let health = component.health
        let reason = health.reason.isEmpty ? "" : ": \(health.reason)"
        let words = health.status == .pass ? "is well again" : health.status.word + "s"
        messages.inform("\(component.name) \(words)\(reason)")
    }

    private func publish() {
        var report = HealthReport(service: service, version: Release.version, description: description)
        report.isStarting = !hasLooked
        report.isEnding = isEnding
        let now = clock.monotonicNanoseconds()
        report.components = components.map { kept in
            HealthReport.Component(
                name: kept.name, measurement: kept.measurement, kind: kept.kind, unit: kept.unit,
                probes: probes(kept), kept.health, now: now)
        }
        desk.publish(report)
        guard hasLooked, !isEnding else { return }
        manager?.tick(report, now: now)
        let isReady = report.passes(.readiness)
        guard isReady != saidReady, isReady || saidReady != nil else { return }
        let wasReady = saidReady
        saidReady = isReady
        guard wasReady != nil else { return }
        // That workers die is said already.
        if isReady || report.failing(.readiness).allSatisfy({ $0.name == "workload" }) {
            messages.inform(report.line)
        } else {
            messages.warn(report.line)
        }
    }
}
