// `sidelight run`: one worker, one ring, the exporters and the store.
//
// All of it is one thread, the main one, which sleeps in poll(2) on the ring's wake-up, the worker's pidfd and the signals. What takes
// time (SQLite, HTTP) has threads of its own behind bounded queues, so that this one always comes back to the ring. The worker
// starts before anything else is set up: its own start takes longest.

internal import Configuration
internal import Exposition
internal import Glibc
internal import Linux
internal import SidelightMetrics
internal import Store
internal import System
internal import Telemetry

/// How a run ended, for the process that ran it.
public struct RunEnding: Sendable {
    public var exitCode: Int32
    /// End the process by this signal instead, if that can be.
    public var signal: Int32?

    init(exitCode: Int32, signal: Int32? = nil) {
        self.exitCode = exitCode
        self.signal = signal
    }

    /// Ends the process this way.
    public func end() -> Never {
        if let signal { SignalDescriptor.endProcess(by: signal) }
        // Not exit(): handlers of libraries would run beside threads that still use them.
        _exit(signal.map { 128 + $0 } ?? exitCode)
    }
}

/// One run. Main thread.
public final class Run {
    /// Whom what the worker records is shown to.
    private final class Shown {
        /// Nil: none was asked for.
        var admin: AdminPort?
        var metrics: CurrentMetrics?
    }

    private let settings: RunSettings
    private let messages: Messages
    private let clock = LinuxClock()
    private let signals: SignalDescriptor
    private let worker: AttendedWorker
    private let destinations: Destinations
    private let control: ControlServer?
    private let duties: Duties
    private let findings: FindingBoard
    let trail: AuditTrail
    private let shown: Shown
    /// Nil: nobody wants to know.
    private var keeper: HealthKeeper?
    private let startTime: UInt64
    private let components: SidelightMetrics
    private let resource: Resource
    private var supervisor = Supervisor()
    /// Nil: switched off.
    private var resources: ResourceSampling?
    /// Of the agent's own.
    private var received: [Signal: Int] = [:]

    private static let wakeIndex = 0, workerIndex = 1, signalIndex = 2, dutiesIndex = 3

    /// Runs it from beginning to end.
    public static func run(_ settings: RunSettings) -> RunEnding {
        let messages = Messages(
            isQuiet: settings.isQuiet, level: settings.configuration.logLevel, isJSON: settings.configuration.isJSON)
        for warning in settings.warnings { messages.warn(warning) }
        // It changes the environment: before there are threads.
        let wish = NotifySocket.takeWish()
        let trail = AuditTrail(
            store: settings.configuration.storeDirectory, isHeld: true, clock: LinuxClock(), messages: messages)
        return trail.around("run", target: settings.entry) { run(settings, wish, trail, messages) }
    }

    private static func run(
        _ settings: RunSettings, _ wish: NotifySocket.Wish?, _ trail: AuditTrail, _ messages: Messages
    ) -> RunEnding {
        let fence: FencePlan?
        do throws(FenceError) {
            fence = try FencePlan(settings.configuration.worker, entry: settings.entry)
        } catch {
            messages.fail(error.description)
            return RunEnding(exitCode: 2)
        }
        var settings = settings
        do throws(StartRefusal) {
            try settings.configuration.admit(settings.entry, trail)
        } catch {
            messages.fail(error, entry: settings.entry)
            return RunEnding(exitCode: error.exitCode)
        }
        let doors: AgentDoors
        do throws(DoorProblem) {
            doors = try AgentDoors(settings.configuration.common.security, DoorNotes(trail))
        } catch {
            messages.fail("\(error)")
            return RunEnding(exitCode: 2)
        }
        var socket: ListeningSocket?
        if settings.configuration.isAdminGiven, let place = settings.configuration.admin {
            do throws(ListeningSocket.Failure) {
                socket = try ListeningSocket(.tcp(host: place.host, port: place.port))
            } catch {
                messages.fail("--admin \(place): \(error.reason)")
                return RunEnding(exitCode: 2)
            }
        }
        do {
            let run = try Run(settings, fence, trail, messages)
            if socket != nil || wish != nil { run.keepHealth(wish) }
            run.beginSampling()
            if let socket { try run.openAdmin(socket, doors) }
            return try run.run()
        } catch {
            messages.fail("\(error)")
            return RunEnding(exitCode: 70)
        }
    }

    private init(
        _ settings: RunSettings, _ fence: FencePlan?, _ trail: AuditTrail, _ messages: Messages
    ) throws {
        self.settings = settings
        self.trail = trail
        self.messages = messages
        let configuration = settings.configuration
        SignalDescriptor.ignoreBrokenPipes()
        SignalDescriptor.awaitChildren()
        signals = try SignalDescriptor(Signals.end)
        duties = try Duties()
        startTime = clock.unixNanoseconds()
        let started = try Worker(
            configuration.worker, fence: fence, arguments: [settings.entry] + settings.arguments)
        components = ComponentMetrics.make(configuration.worker.resource.serviceName)
        let destinations = try Destinations(configuration, components, messages)
        control = ControlServer(
            store: configuration.storeDirectory, service: configuration.worker.resource.serviceName, trail)
        control?.add(pid: started.process.pid, place: 0, started.control)
        self.destinations = destinations
        var resource = Resource.run(configuration.worker.resource, entry: settings.entry, pid: started.process.pid)
        resource.set(fence)
        self.resource = resource
        let shown = Shown()
        self.shown = shown
        let findings = FindingBoard(
            configuration.policy, of: configuration.worker, entry: settings.entry, trail)
        self.findings = findings
        worker = AttendedWorker(
            started, mask: configuration.worker.mask, resource: resource, clock: clock,
            handOn: { batch, isolate in
                destinations.accept(batch)
                shown.admin?.show(batch)
                shown.metrics?.take(batch, source: .isolate(isolate))
            }, found: { [resource] in findings.take($0, resource) }, ended: { shown.metrics?.ended(isolate: $0) })
    }

    // MARK: resources

    private func beginSampling() {
        let configuration = settings.configuration.common.resources
        resources = ResourceSampling.make(
            configuration, ResourceReading.make(configuration, resource), clock: clock, workload: self
        ) { [unowned self] batch in
            guard !settings.configuration.worker.isDisabled else { return }
            received[batch.signal, default: 0] += batch.items.count
            destinations.accept(batch)
            shown.admin?.show(batch)
        }
        if let resources { duties.add(resources) }
    }

    // MARK: the admin port

    private func openAdmin(_ socket: ListeningSocket, _ doors: AgentDoors) throws {
        guard let keeper, let place = settings.configuration.admin else { return }
        let desk = FactsDesk(duties.wake) { [unowned self] in facts }
        duties.add(desk)
        let metrics = CurrentMetrics(
            resource: resource, startTime: startTime, clock: clock, components: components,
            resources: resources?.reading,
            limits: ExpositionLimits(
                interval: settings.configuration.metricNanoseconds, unreadBytesMax: AdminPort.memoryBytesMax))
        shown.metrics = metrics
        let pages = AdminPort.pages(
            desk, metrics, keeper.desk, resources?.reading, store: settings.configuration.storeDirectory,
            messages.levels, doors.notes, clock)
        shown.admin = try AdminPort(socket, place, doors, pages + [FindingPages(findings: findings)], clock)
    }

    private var facts: WorkloadFacts {
        var report = RunReport(outcome: WorkerOutcome(exitCode: 0), workerStatus: .exited(0))
        report.add(worker)
        (report.exporters, report.store) = destinations.accounts
        let facts = worker.facts()
        var counters = report.countersSoFar
        keeper?.desk.add(to: &counters)
        trail.add(to: &counters)
        return WorkloadFacts(
            service: resource.serviceName, entry: settings.entry, url: nil, startTime: startTime, resource: resource,
            workers: [facts], total: facts.board, restarts: [:], counters: counters, isEnding: false)
    }

    // MARK: health

    /// - Parameter wish: Of the service manager.
    private func keepHealth(_ wish: NotifySocket.Wish?) {
        let settings = settings.configuration.common.health
        let subject = WorkloadHealth(settings) { [unowned self] in
            WorkloadHealth.Facts(
                places: 0, workers: [worker.healthFacts], restarts: [:], exporters: destinations.conditions,
                store: destinations.storeCounts, isEnding: false)
        }
        let keeper = HealthKeeper(
            settings, subject,
            HealthKeeper.Surroundings(
                service: resource.serviceName, description: "running \(self.settings.entry)",
                transport: HealthChecks.transport(), wake: duties.wake, clock: clock, wish: wish,
                messages: messages.about(.agent)))
        duties.add(keeper)
        self.keeper = keeper
    }

    // MARK: while the worker lives

    private func run() throws -> RunEnding {
        var poller = Poller([
            worker.wake.fileDescriptor, worker.process.fileDescriptor, signals.fileDescriptor,
            duties.wake.fileDescriptor,
        ])
        var notice = FenceNotice()
        while true {
            let now = clock.monotonicNanoseconds()
            let sleep = duties.sleepNanoseconds(now: now)
            try poller.wait(nanoseconds: worker.prepareToSleep(now: now).map { min($0, sleep) } ?? sleep)
            duties.tick(now: clock.monotonicNanoseconds(), isWoken: poller.isReady(Self.dutiesIndex))
            // Signals first: one that came by the terminal ended the worker, too, and is the reason for it.
            if poller.isReady(Self.signalIndex) { takeSignals() }
            if poller.isReady(Self.wakeIndex) { worker.wake.clear() }
            if poller.isReady(Self.workerIndex) { break }
            notice.look(worker, messages)
            if let reason = worker.drain(now: clock.unixNanoseconds()) {
                // Its wake-ups mean nothing any more.
                poller.ignore(Self.wakeIndex)
                perform(supervisor.ringBroke(reason.rawValue))
            }
        }
        return try finish()
    }

    private func takeSignals() {
        while let signal = signals.next() { perform(supervisor.received(signal, now: clock.monotonicNanoseconds())) }
    }

    private func perform(_ action: Supervisor.Action) {
        switch action {
        case .none: break
        case .signalWorker(let number): worker.process.send(number)
        // The worker lives; `finish` looks after the other time.
        case .abandonExport: break
        }
    }

    // MARK: after its end

    private func finish() throws -> RunEnding {
        let (status, usage) = try worker.process.reap()
        control?.remove(pid: worker.process.pid)
        control?.stop()
        keeper?.end()
        keeper?.desk.closeWatchers()
        resources?.finish()
        shown.admin?.end()
        shown.metrics?.end()
        var outcome = supervisor.workerEnded(status, deathNote: worker.deathNote)
        // Nobody writes any more, so this is the rest, at most a ring full.
        if let broken = worker.drain(now: clock.unixNanoseconds()) {
            outcome = supervisor.ringBrokeAtTheEnd(broken.rawValue)
        }
        outcome = outcome.withLimitValue(of: worker.limits)
        worker.finish(outcome, now: clock.unixNanoseconds())
        destinations.settle(asked: settings.configuration.flushNanoseconds, clock, signals) { signal in
            supervisor.received(signal, now: clock.monotonicNanoseconds()) == .abandonExport
        }

        var report = RunReport(outcome: outcome, workerStatus: status)
        report.workerUsage = usage
        report.add(worker)
        report.received.merge(received, uniquingKeysWith: +)
        (report.exporters, report.store) = destinations.close(now: clock.monotonicNanoseconds())
        trail.end("run", target: settings.entry, outcome: outcome.endReason)
        report.agentNanoseconds = clock.processNanoseconds()
        tell(report)
        return RunEnding(exitCode: outcome.exitCode, signal: outcome.endSignal)
    }

    private func tell(_ report: RunReport) {
        if let words = report.outcome.lastWords { messages.fail(words) }
        for warning in report.warnings { messages.warn(warning) }
        if settings.configuration.worker.policy.isAudited { messages.tell(policy: findings.policyFile) }
        if settings.configuration.isJSON { Machine.writeToStandardError(report.summary + "\n") }
    }
}

extension Run: ResourceWorkload {
    func forEachWorker(_ body: (_ pid: Int32, _ place: Int) -> Void) { body(worker.process.pid, worker.place) }
    var loopStalls: UInt64 { worker.loopStalls }
    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) { worker.forEachTraceInFlight(body) }
}
