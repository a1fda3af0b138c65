// `sidelight serve`: one listening socket, N workers that accept from it, each with its ring and its board, the exporters and the store.
//
// All of it is the main thread, as in `run`: it sleeps in poll(2) on every worker's wake-up and pidfd, the signals and the watched
// folder. What to do about a worker decides `ServeSupervisor`. docs/adr/0006 says why a process an isolate.

internal import Audit
internal import Configuration
internal import Discovery
internal import Exposition
internal import Linux
internal import SidelightMetrics
internal import System
internal import Telemetry
internal import Transport
internal import Wire

/// One `serve`. Main thread.
public final class Serve {
    private let settings: ServeSettings
    /// Of the admin port, as it is now.
    private var security: SecurityConfiguration
    private let messages: Messages
    private let clock = LinuxClock()
    private let signals: SignalDescriptor
    /// Nil once the end was asked for.
    private var socket: ListeningSocket?
    private let address: ListenAddress
    /// Of a server that speaks TLS.
    private let identity: ServedIdentity?
    private let destinations: Destinations
    private let resource: Resource
    private let control: ControlServer?
    private let duties: Duties
    let trail: AuditTrail
    /// Nil: there is none.
    private var admin: AdminPort?
    /// Nil: switched off.
    private var resources: ResourceSampling?
    private let registrations = RegistrationBoard()
    /// Nil: nothing is registered, or not yet.
    private var registrar: Registrar?
    private var page: CurrentMetrics?
    private let exemplars = ServedExemplars()
    private let components: SidelightMetrics
    /// Nil until it begins.
    private var keeper: HealthKeeper?
    private let startTime: UInt64
    private var workerStart: ServedStart
    private let findings: FindingBoard
    private var fenceNotice = FenceNotice()
    private var supervisor: ServeSupervisor
    private var workers: [ServeSupervisor.WorkerID: AttendedWorker] = [:]
    /// In the order of the poller.
    private var order: [ServeSupervisor.WorkerID] = []
    private var watch: FolderWatch?
    private var reload = ReloadDelay()
    private var metrics: BoardMetrics
    private var metricsAt: UInt64
    private var report: RunReport
    /// How the worker ended that the supervisor is hearing of.
    private var lastEnd = "?"
    private var lastReason = "exit"
    private var isLastAtLimit = false
    private var restartNotices = RestartNotices()
    private var ending: ServeSupervisor.Ending?
    /// Why not every place came to serve.
    private var failure: (exitCode: Int32, reason: String) = (1, "?")

    /// Requests named of a worker that was cut off.
    private static let cutOffMax = 10
    /// The poller does not know what is being checked now.
    private var isPollerOld = false

    private static let signalIndex = 0, watchIndex = 1, checkIndex = 2, dutiesIndex = 3, workersIndex = 4
    private static let scope = InstrumentationScope(name: Release.name, version: Release.version)

    /// Serves from beginning to end.
    public static func run(_ settings: ServeSettings) -> RunEnding {
        let messages = Messages(
            isQuiet: settings.isQuiet, level: settings.configuration.logLevel, isJSON: settings.configuration.isJSON)
        for warning in settings.warnings { messages.warn(warning) }
        // It changes the environment: before there are threads.
        let wish = NotifySocket.takeWish()
        let trail = AuditTrail(
            store: settings.configuration.storeDirectory, clock: LinuxClock(), messages: messages)
        return trail.around("serve", target: settings.entry) { run(settings, wish, trail, messages) }
    }

    private static func run(
        _ settings: ServeSettings, _ wish: NotifySocket.Wish?, _ trail: AuditTrail, _ messages: Messages
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
        let identity: ServedIdentity?
        do throws(ServedIdentityError) {
            SignalDescriptor.awaitChildren()
            let now = LinuxClock().monotonicNanoseconds()
            identity = try settings.configuration.tls.map { (files) throws(ServedIdentityError) in
                try ServedIdentity(files, messages, now: now)
            }
        } catch {
            messages.fail("\(error.description)")
            return RunEnding(exitCode: error.exitCode)
        }
        let socket: ListeningSocket
        do {
            socket = try ListeningSocket(settings.configuration.listen.place)
        } catch {
            messages.fail("--listen \(settings.configuration.listen): \(error.reason)")
            return RunEnding(exitCode: 2)
        }
        let doors: AgentDoors
        do throws(DoorProblem) {
            doors = try AgentDoors(settings.configuration.common.security, DoorNotes(trail))
        } catch {
            messages.fail("\(error)")
            return RunEnding(exitCode: 2)
        }
        let admin: ListeningSocket?
        do {
            admin = try Self.adminSocket(settings.configuration)
        } catch {
            messages.fail("--admin \(settings.configuration.admin!): \(error.reason)")
            socket.removePath()
            return RunEnding(exitCode: 2)
        }
        do {
            let serve = try Serve(settings, fence, socket, identity, trail, messages)
            serve.keepHealth(wish)
            serve.beginSampling()
            try serve.openAdmin(admin, doors)
            return try serve.run()
        } catch {
            socket.removePath()
            messages.fail("\(error)")
            return RunEnding(exitCode: 70)
        }
    }

    private init(
        _ settings: ServeSettings, _ fence: FencePlan?, _ socket: ListeningSocket, _ identity: ServedIdentity?,
        _ trail: AuditTrail, _ messages: Messages
    ) throws {
        self.settings = settings
        security = settings.configuration.common.security
        self.trail = trail
        workerStart = ServedStart(settings, fence, trail, messages)
        findings = FindingBoard(
            settings.configuration.policy, of: settings.configuration.worker, entry: settings.entry, trail)
        self.identity = identity
        self.messages = messages
        self.socket = socket
        let configuration = settings.configuration
        address = configuration.listen.bound(to: socket.place)
        SignalDescriptor.ignoreBrokenPipes()
        SignalDescriptor.awaitChildren()
        signals = try SignalDescriptor(Signals.end)
        components = ComponentMetrics.make(configuration.worker.resource.serviceName)
        destinations = try Destinations(configuration, components, messages)
        // One instance for all its workers, dead ones included: what they count is summed.
        var resource = Resource.run(configuration.worker.resource, entry: settings.entry, pid: Machine.processID)
        resource.set(fence)
        self.resource = resource
        control = ControlServer(
            store: configuration.storeDirectory, service: configuration.worker.resource.serviceName, trail)
        supervisor = ServeSupervisor(
            places: configuration.isolates, startNanoseconds: configuration.startNanoseconds,
            shutdownNanoseconds: configuration.shutdownNanoseconds)
        duties = try Duties()
        startTime = clock.unixNanoseconds()
        metrics = BoardMetrics(startTime: startTime)
        metricsAt = clock.monotonicNanoseconds() &+ configuration.metricNanoseconds
        report = RunReport(
            outcome: WorkerOutcome(exitCode: 0), workerStatus: .exited(0))
        if settings.isWatching { startWatching() }
    }

    private func startWatching() {
        let slash = settings.entry.lastIndex(of: "/")
        let folder = slash.map { $0 == settings.entry.startIndex ? "/" : String(settings.entry[..<$0]) } ?? "."
        do {
            watch = try FolderWatch(folder, isWanted: CodeFiles.isCode, isSkipped: CodeFiles.isSkipped)
        } catch {
            messages.warn("--watch: \(error); changes are not seen")
        }
        tellOfWatch()
    }

    private func tellOfWatch() {
        if let problem = watch?.takeProblem() { messages.warn("--watch: \(problem)") }
    }

    // MARK: the loop

    private func run() throws -> RunEnding {
        perform(supervisor.begin(now: clock.monotonicNanoseconds()))
        var poller = makePoller()
        while !supervisor.isOver {
            if isPollerOld || order.count != workers.count || !order.allSatisfy({ workers[$0] != nil }) {
                poller = makePoller()
            }
            try poller.wait(nanoseconds: sleepNanoseconds())
            if poller.isReady(Self.signalIndex) { takeSignals() }
            if poller.isReady(Self.watchIndex) {
                if watch?.next() == true { reload.changed(now: clock.monotonicNanoseconds()) }
                tellOfWatch()
            }
            if poller.isReady(Self.checkIndex) { endCheck() }
            duties.tick(now: clock.monotonicNanoseconds(), isWoken: poller.isReady(Self.dutiesIndex))
            for (index, id) in order.enumerated() {
                guard let worker = workers[id] else { continue }
                let at = Self.workersIndex + 2 * index
                if poller.isReady(at) { worker.wake.clear() }
                if poller.isReady(at + 1) { try end(id, worker) } else { attend(id, worker, &poller, at) }
            }
            takeTime()
        }
        return finish()
    }

    private func makePoller() -> Poller {
        isPollerOld = false
        order = workers.keys.sorted()
        var descriptors = [
            signals.fileDescriptor, watch?.fileDescriptor ?? -1, identity?.checkDescriptor ?? -1,
            duties.wake.fileDescriptor,
        ]
        for id in order {
            guard let worker = workers[id] else { continue }
            descriptors.append(worker.ringBroken == nil ? worker.wake.fileDescriptor : -1)
            descriptors.append(worker.process.fileDescriptor)
        }
        return Poller(descriptors)
    }

    private func sleepNanoseconds() -> UInt64 {
        let now = clock.monotonicNanoseconds()
        var sleep = min(metricsAt > now ? metricsAt - now : 0, duties.sleepNanoseconds(now: now))
        for time in [supervisor.timer, reload.time, identity?.timer] {
            if let time { sleep = min(sleep, time > now ? time - now : 0) }
        }
        for worker in workers.values { sleep = min(sleep, worker.prepareToSleep(now: now) ?? .max) }
        return sleep
    }

    private func attend(
        _ id: ServeSupervisor.WorkerID, _ worker: AttendedWorker, _ poller: inout Poller, _ wakeIndex: Int
    ) {
        if worker.drain(now: clock.unixNanoseconds()) != nil {
            // Its wake-ups mean nothing any more.
            poller.ignore(wakeIndex)
            perform(supervisor.isBroken(id))
        }
        if worker.state == .serving { perform(supervisor.isServing(id, now: clock.monotonicNanoseconds())) }
    }

    private func takeSignals() {
        while let signal = signals.next() {
            // A terminal that is gone is no request for new code.
            if signal.number == Signals.hangup, !signal.fromTerminal {
                beginReload()
            } else {
                perform(supervisor.received(signal, now: clock.monotonicNanoseconds()))
            }
        }
    }

    private func takeTime() {
        let now = clock.monotonicNanoseconds()
        if reload.isDue(now: now) { beginReload() }
        identity?.tick(now: now)
        if let timer = supervisor.timer, timer <= now { perform(supervisor.tick(now: now)) }
        if now >= metricsAt {
            exportMetrics()
            metricsAt = now &+ settings.configuration.metricNanoseconds
        }
    }

    // MARK: reload

    /// New code; and certificate and key as they are now, which are looked at first.
    private func beginReload() {
        let now = clock.monotonicNanoseconds()
        trail.note(
            AuditEvent(
                .admin, actor: "uid \(Machine.userID)", action: "reload", target: settings.entry, outcome: "begun"))
        let read = supervisor.isEnding ? nil : settings.readAgain?()
        renewDoors(read)
        keeper?.reloading()
        switch workerStart.renew(read) {
        case .same: break
        case .policyChanged: findings.change(workerStart.configuration.policy, of: workerStart.configuration.worker)
        case .refused: keeper?.reloaded(); return
        }
        guard let identity, !supervisor.isEnding else { return perform(supervisor.reload(now: now)) }
        if identity.beginCheck(now: now) { isPollerOld = true }
    }

    /// The admin port shows the certificate and asks for the tokens that are there now; what cannot be used changes nothing.
    private func renewDoors(_ read: Result<Configured<AgentConfiguration>, ConfigurationErrors>?) {
        guard let admin else { return }
        switch read {
        case nil: break
        // Whether its port may be as open as the new ones make it was judged for the place that they were read with.
        case .success(let read) where read.value.admin == settings.configuration.admin:
            security = read.value.common.security
        case .success:
            messages.warn("the admin port goes on where it is, with the tokens before: its place changes at a restart")
        case .failure:
            messages.warn("the admin port goes on with the tokens before: the configuration is not valid as it is now")
        }
        do throws(DoorProblem) {
            admin.change(try AgentDoors(security, DoorNotes(trail)))
        } catch {
            messages.warn("\(error); the admin port goes on with the certificate and the tokens before")
        }
    }

    private func endCheck() {
        isPollerOld = true
        let now = clock.monotonicNanoseconds()
        guard identity?.endCheck(now: now) == true else { keeper?.reloaded(); return }
        perform(supervisor.reload(now: now))
    }

    // MARK: workers

    private func perform(_ actions: [ServeSupervisor.Action]) {
        // Told when all is done that was asked for: the answer may be to ask for something else.
        var notStarted: [(ServeSupervisor.WorkerID, WorkerStartError)] = []
        for action in actions {
            switch action {
            case .start(let id, let place):
                if let error = start(id, place) { notStarted.append((id, error)) }
            case .drain(let id, let isFollowed):
                // Before the signal, so that it is there when that comes. One that does not take it drains all the same.
                if isFollowed { _ = workers[id]?.control.sendNow(ControlCommand.followed.bytes) }
                workers[id]?.process.send(Signals.terminate)
            case .kill(let id): workers[id]?.process.send(Signals.kill)
            case .announce:
                announce()
                beginRegistering()
                keeper?.lookSoon()
                Machine.releaseStartPages()
                tellIdle()
            case .crashed(let place, let delay): tellCrash(place, delay)
            case .reloaded:
                messages.say("serving \(settings.entry) as it is now")
                tellIdle()
                keeper?.reloaded()
            case .reloadFailed:
                messages.warn("\(settings.entry) does not start as it is now, so what was serves on: \(lastEnd)")
                keeper?.reloaded()
            case .finish(let how): ending = how
            }
        }
        for (id, error) in notStarted { self.notStarted(id, error) }
        // So that nobody comes any more while the workers finish what they have.
        if supervisor.isEnding {
            registrar?.end()
            keeper?.end()
        }
        if supervisor.isEnding, let socket {
            // Who comes now is refused as soon as the last worker has closed it, and need not wait for that in vain.
            socket.removePath()
            self.socket = nil
        }
    }

    /// Why it could not be started, if so.
    private func start(_ id: ServeSupervisor.WorkerID, _ place: Int) -> WorkerStartError? {
        let configuration = settings.configuration
        do {
            guard let socket else { preconditionFailure("worker \(id) started after the end was asked for") }
            let serving = ServingConfiguration(
                address: address.description, index: place, isolates: configuration.isolates,
                crons: place == 0 ? configuration.crons.map(\.text) : [], health: configuration.common.health)
            let worker = workerStart.configuration.worker
            let started = try Worker(
                worker, fence: workerStart.fence, arguments: [settings.entry], serving: (serving, socket, identity))
            let (destinations, admin, page, exemplars, clock) = (destinations, admin, page, exemplars, clock)
            let findings = findings
            var resource = resource
            resource.set("process.pid", .int(Int64(started.process.pid)))
            control?.add(pid: started.process.pid, place: place, started.control)
            workers[id] = AttendedWorker(
                started, place: place, mask: worker.mask, resource: resource, clock: clock,
                handOn: { batch, isolate in
                    destinations.accept(batch)
                    admin?.show(batch)
                    page?.take(batch, source: .isolate(isolate))
                    exemplars.take(batch, now: clock.monotonicNanoseconds())
                }, found: { [resource] in findings.take($0, resource) }, ended: { page?.ended(isolate: $0) })
            return nil
        } catch {
            return error
        }
    }

    private func notStarted(_ id: ServeSupervisor.WorkerID, _ error: WorkerStartError) {
        lastEnd = error.description
        lastReason = "start"
        if !supervisor.isEnding { failure = (70, lastEnd) }
        perform(supervisor.ended(id, now: clock.monotonicNanoseconds(), chance: .random(in: 0...1)))
    }

    /// The worker's process is over.
    private func end(_ id: ServeSupervisor.WorkerID, _ worker: AttendedWorker) throws {
        let (status, usage) = try worker.process.reap()
        // Nobody writes any more, so this is the rest, at most a ring full.
        _ = worker.drain(now: clock.unixNanoseconds())
        let outcome =
            supervisor.isOverdue(id)
            ? WorkerOutcome(overdueAfter: settings.configuration.startNanoseconds)
            : WorkerOutcome(
                status: status, deathNote: worker.deathNote, ringBroken: worker.ringBroken?.rawValue,
                requestedBy: supervisor.isAsked(id) ? Signals.terminate : nil)
        control?.remove(pid: worker.process.pid)
        let now = clock.unixNanoseconds()
        let (requests, left) = worker.finish(
            outcome.withLimitValue(of: worker.limits), now: now)
        if supervisor.isCutOff(id) { tellCutOff(worker, requests, left, now) }
        metrics.retire(worker.snapshot())
        workers[id] = nil
        report.add(worker)
        report.workerUsage.add(usage)
        report.workerEnds[outcome.endReason, default: 0] += 1
        lastReason = outcome.endReason
        lastEnd = outcome.reason
        isLastAtLimit = outcome.death?.limit != nil
        if !supervisor.isEnding { failure = (outcome.exitCode == 0 ? 1 : outcome.exitCode, lastEnd) }
        perform(
            supervisor.ended(
                id, now: clock.monotonicNanoseconds(), chance: .random(in: 0...1),
                atLimit: isLastAtLimit))
    }

    // MARK: words

    private func announce() {
        for worker in workers.values { fenceNotice.look(worker, messages) }
        let count = settings.configuration.isolates
        let url = address.url(isTLS: identity != nil)
        guard settings.configuration.isJSON else {
            messages.say("serving \(settings.entry) on \(url) (\(countText(count, "isolate")))\(adminText)")
            return
        }
        var json = JSONWriter()
        json.object { json in
            json.put("event", "serving")
            json.put("entry", settings.entry)
            json.put("url", url)
            json.put("isolates", count)
            if let admin { json.put("admin", admin.place.description) }
        }
        Machine.writeToStandardError(json.text + "\n")
    }

    /// A module that nothing will ever call.
    private func tellIdle() {
        guard settings.configuration.crons.isEmpty,
            workers.values.contains(where: { $0.handlers.isDisjoint(with: .fetch) && $0.handlers.contains(.scheduled) })
        else { return }
        messages.warn(
            "\(settings.entry) has scheduled and no fetch, and there is no --cron: nothing calls it, and requests are not answered"
        )
    }

    /// Once a step of the backoff, and for each cause: one that dies again and again says no more than who reads can take in.
    private func tellCrash(_ place: Int, _ delay: UInt64) {
        report.workerRestarts[lastReason, default: 0] += 1
        let when = delay == 0 ? "at once" : "in \((delay + 500_000) / 1_000_000) ms"
        let now = clock.monotonicNanoseconds()
        guard
            let untold = restartNotices.take(
                place, lastReason, atLimit: isLastAtLimit, isNewStep: supervisor.isNewStep(place), now: now)
        else { return }
        let others = untold > 0 ? "; \(untold) more since it was last told" : ""
        messages.warn("isolate \(place): \(lastEnd); started again \(when)\(others)")
    }

    /// A worker was asked to end and killed in the end: what it had not finished, the oldest first.
    /// - Parameter left: requests that are over, but for their handlers.
    private func tellCutOff(
        _ worker: AttendedWorker, _ requests: [BoardRequest], _ left: [BoardRequest], _ now: UInt64
    ) {
        let isolate = "isolate \(worker.place) was killed before it had finished"
        let all = requests.map { ($0, false) } + left.map { ($0, true) }
        let timed = all.map { (request: $0.0, isLeft: $0.1, start: min(worker.startTime(of: $0.0) ?? now, now)) }
            .sorted { $0.start < $1.start }
        for (request, isLeft, start) in timed.prefix(Self.cutOffMax) {
            let context = request.context
            let (what, time) = ("\(request.method) \(request.path)", timeText(now - start))
            messages.warn(
                "\(isolate): \(isLeft ? "the handler of \(what) went on, which began \(time) ago and whose client got \(request.status > 0 ? "\(request.status)" : "no answer")" : "\(what), in flight for \(time)"), span \(context.spanID.hex) of trace \(context.traceID.hex)"
            )
        }
        if timed.count > Self.cutOffMax { messages.warn("\(isolate): \(timed.count - Self.cutOffMax) more") }
        guard timed.isEmpty || worker.state == .draining else { return }
        if let what = Self.awaited(worker.pending, worker.state, hasRequests: !timed.isEmpty) {
            messages.warn("\(isolate): \(what)")
        }
    }

    /// What a worker waited for beside requests and handlers; nil: nothing, and there were some.
    static func awaited(_ pending: BoardPending, _ state: BoardState?, hasRequests: Bool) -> String? {
        var parts: [String] = []
        if pending.promises > 0 { parts.append(countText(pending.promises, "promise") + " given to waitUntil") }
        if pending.runs > 0 { parts.append(countText(pending.runs, "run") + " of a schedule") }
        if !parts.isEmpty { return "it waited for " + parts.joined(separator: " and ") }
        if hasRequests { return nil }
        return switch state {
        case .draining: "it had nothing left to do, but connections to close"
        case .serving: "its JavaScript did not come back to the event loop to hear that it is to end"
        case .starting, .failed, nil: "it did not serve yet"
        }
    }

    // MARK: resources

    private func beginSampling() {
        let configuration = settings.configuration.common.resources
        resources = ResourceSampling.make(
            configuration, ResourceReading.make(configuration, resource), clock: clock, workload: self
        ) { [unowned self] batch in
            guard !settings.configuration.worker.isDisabled else { return }
            report.received[batch.signal, default: 0] += batch.items.count
            destinations.accept(batch)
            admin?.show(batch)
        }
        if let resources { duties.add(resources) }
    }

    // MARK: the admin port

    /// Nil: none is wanted, or nobody asked for it and somebody else has its place.
    private static func adminSocket(
        _ configuration: AgentConfiguration
    ) throws(ListeningSocket.Failure) -> ListeningSocket? {
        guard let place = configuration.admin else { return nil }
        do throws(ListeningSocket.Failure) {
            return try ListeningSocket(.tcp(host: place.host, port: place.port))
        } catch {
            if configuration.isAdminGiven { throw error }
            return nil
        }
    }

    private func openAdmin(_ socket: ListeningSocket?, _ doors: AgentDoors) throws {
        let desk = FactsDesk(duties.wake) { [unowned self] in facts }
        duties.add(desk)
        guard let keeper, let socket, let place = settings.configuration.admin else { return }
        let metrics = CurrentMetrics(
            resource: resource, startTime: startTime, clock: clock, components: components, exemplars: exemplars,
            resources: resources?.reading,
            limits: ExpositionLimits(
                interval: settings.configuration.metricNanoseconds, unreadBytesMax: AdminPort.memoryBytesMax))
        page = metrics
        let pages = AdminPort.pages(
            desk, metrics, keeper.desk, resources?.reading, store: settings.configuration.storeDirectory,
            messages.levels, doors.notes, clock)
        let own: [any AdminPages] = [DiscoveryPages(board: registrations), FindingPages(findings: findings)]
        admin = try AdminPort(socket, place, doors, pages + own, clock)
    }

    /// What is known at this moment.
    private var facts: WorkloadFacts {
        let workers = workers.sorted { ($0.value.place, $0.key) < ($1.value.place, $1.key) }.map { $0.value.facts() }
        var report = report
        for worker in self.workers.values { report.add(worker) }
        (report.exporters, report.store) = destinations.accounts
        var counters = report.countersSoFar
        registrations.count(in: &counters)
        keeper?.desk.add(to: &counters)
        trail.add(to: &counters)
        return WorkloadFacts(
            service: resource.serviceName, entry: settings.entry, url: address.url(isTLS: identity != nil),
            startTime: startTime, resource: resource, workers: workers, total: metrics.total(workers.map(\.board)),
            restarts: report.workerRestarts, counters: counters, isEnding: supervisor.isEnding)
    }

    // MARK: health

    /// - Parameter wish: Of the service manager.
    private func keepHealth(_ wish: NotifySocket.Wish?) {
        let settings = settings.configuration.common.health
        let subject = WorkloadHealth(settings) { [unowned self] in healthFacts }
        let keeper = HealthKeeper(
            settings, subject,
            HealthKeeper.Surroundings(
                service: resource.serviceName, description: "serving \(self.settings.entry)",
                transport: HealthChecks.transport(), wake: duties.wake, clock: clock, wish: wish,
                messages: messages.about(.agent)))
        duties.add(keeper)
        self.keeper = keeper
    }

    private var healthFacts: WorkloadHealth.Facts {
        WorkloadHealth.Facts(
            places: settings.configuration.isolates,
            workers: workers.values.map(\.healthFacts).sorted { $0.pid < $1.pid },
            restarts: report.workerRestarts, exporters: destinations.conditions, store: destinations.storeCounts,
            isEnding: supervisor.isEnding, registrations: registrations.statuses)
    }

    private var adminText: String {
        if let admin { return "; admin port: \(admin.place)" }
        return settings.configuration.admin.map { "; no admin port: \($0) is taken (--admin names another)" } ?? ""
    }

    // MARK: registries

    /// It serves: others are to find it.
    private func beginRegistering() {
        var configuration = settings.configuration.common.discovery.register
        var place = admin?.place
        if case .tcp(let own) = address {
            place = own
        } else if configuration.consul != nil || configuration.etcd != nil || configuration.dnsSD != nil {
            messages.about(.discovery).warn("\(address): a socket in the file system is known to nobody but Prometheus")
            (configuration.consul, configuration.etcd, configuration.dnsSD) = (nil, nil, nil)
        }
        guard let place else { return }
        let offers = Offers(configuration, service: resource.serviceName, admin: admin?.place)
        let offer = offers.workload(place, isTLS: identity != nil)
        registrations.show(offers.target([offer]))
        registrar = Registrar.begin(
            [offer], configuration, offers, { CurlTransport() }, duties, clock, messages, registrations
        ) { [unowned self] in
            keeper.map { InstanceHealth($0.desk.report) } ?? InstanceHealth(.passing)
        }
    }

    // MARK: metrics

    private func exportMetrics() {
        guard !settings.configuration.worker.isDisabled else { return }
        var builder = BatchBuilder(signal: .metrics, resource: resource)
        let live = workers.sorted { $0.key < $1.key }.map { $0.value.snapshot() }
        var points = metrics.points(live, time: clock.unixNanoseconds())
        exemplars.attach(to: &points)
        for point in points { builder.append(point, scope: Self.scope) }
        report.received[.metrics, default: 0] += builder.count
        destinations.accept(builder.take())
    }

    // MARK: the end

    private func finish() -> RunEnding {
        registrar?.settle()
        control?.stop()
        keeper?.desk.closeWatchers()
        exportMetrics()
        resources?.finish()
        admin?.end()
        page?.end()
        var isLeaving = false
        let began = clock.monotonicNanoseconds()
        destinations.settle(asked: settings.configuration.flushNanoseconds, clock, signals) { _ in
            // What ended the workers may come twice.
            if clock.monotonicNanoseconds() &- began > Supervisor.duplicateNanoseconds { isLeaving = true }
            return isLeaving
        }
        var exitCode: Int32 = 0
        switch ending {
        case .failedAtStart:
            exitCode = failure.exitCode
            messages.fail("\(settings.entry) cannot be served: \(failure.reason)")
        case .drained(let killed) where killed > 0:
            exitCode = 1
            messages.warn("\(countText(killed, "isolate")) did not finish in time and had to be killed")
        case .drained, nil: break
        }
        report.outcome.exitCode = exitCode
        trail.end("serve", target: settings.entry, outcome: exitCode == 0 ? "drained" : "failed")
        (report.exporters, report.store) = destinations.close(now: clock.monotonicNanoseconds())
        report.agentNanoseconds = clock.processNanoseconds()
        for warning in report.warnings { messages.warn(warning) }
        if workerStart.configuration.worker.policy.isAudited { messages.tell(policy: findings.policyFile) }
        if settings.configuration.isJSON { Machine.writeToStandardError(report.summary + "\n") }
        return RunEnding(exitCode: exitCode)
    }
}

extension Serve: ResourceWorkload {
    func forEachWorker(_ body: (_ pid: Int32, _ place: Int) -> Void) {
        for id in order { if let worker = workers[id] { body(worker.process.pid, worker.place) } }
    }

    var loopStalls: UInt64 { workers.values.reduce(0) { $0 &+ $1.loopStalls } }

    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) {
        for worker in workers.values { worker.forEachTraceInFlight(body) }
    }
}

/// Changes come in bursts: new code is looked at when there was none for a while.
struct ReloadDelay {
    static let quietNanoseconds: UInt64 = 100_000_000
    static let longestNanoseconds: UInt64 = 1_000_000_000

    private var first: UInt64 = 0
    /// When it is due; nil: nothing has changed.
    private(set) var time: UInt64?

    mutating func changed(now: UInt64) {
        if time == nil { first = now }
        time = min(now &+ Self.quietNanoseconds, first &+ Self.longestNanoseconds)
    }

    /// True once for each burst.
    mutating func isDue(now: UInt64) -> Bool {
        guard let time, time <= now else { return false }
        self.time = nil
        return true
    }
}

/// What `--watch` looks at. A program that writes its data beside its code is not to start again for that.
enum CodeFiles {
    private static let endings = [".js", ".mjs", ".cjs", ".json", ".wasm", ".ts", ".mts", ".jsx", ".tsx"]

    static func isCode(_ file: String) -> Bool { !file.hasPrefix(".") && endings.contains { file.hasSuffix($0) } }
    static func isSkipped(_ folder: String) -> Bool { folder.hasPrefix(".") || folder == "node_modules" }
}

extension ListenAddress {
    var place: ListeningSocket.Place {
        switch self {
        case .tcp(let place): .tcp(host: place.host, port: place.port)
        case .unix(let path): .unix(path: path)
        }
    }

    /// With the port that was chosen.
    func bound(to place: ListeningSocket.Place) -> ListenAddress {
        guard case .tcp(let own) = self else { return self }
        return .tcp(own.bound(to: place))
    }
}
