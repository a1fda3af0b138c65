// `sidelight agent`: telemetry of workloads that it does not run comes in at receivers, goes through the processors, and is kept until a backend has it.
//
// Threads: the server's (sockets, decoding, processors, the queues' writes), the tail's where files are read, the logs' where other logs come in, libcurl's (what goes out), the
// store's, and this one, the main thread, which looks after signals and gives the queues their second.

internal import Audit
public import Configuration
internal import Discovery
internal import Exposition
internal import Glibc
internal import Linux
internal import Logs
internal import Processors
internal import Queue
internal import Receivers
internal import Resolver
internal import Server
internal import Store
internal import System
internal import Telemetry
internal import Transport

/// What `sidelight agent` was asked for.
public struct AgentSettings: Sendable {
    public var configuration: PipelineConfiguration
    /// Whether somebody asked for the place of the admin port; if not, the agent can go without it.
    public var isAdminGiven = true
    /// What was ignored of the configuration; said before anything else.
    public var warnings: [String] = []
    /// What it was read from, set right after: when one of these files changes, it is read anew.
    public var files: [String] = [] { didSet { signatures = FileSignatures(files) } }
    var signatures = FileSignatures([])
    /// Of TLS at its doors.
    public var securityFiles: [String] { configuration.common.security.files }
    /// Where the scripts of processors stand in it.
    public var scripts: [ScriptSetting] = []
    /// Where regular expressions stand in it.
    public var patterns: [PatternSetting] = []
    /// Reads the configuration again. Main thread. Nil: it stays as it is.
    public var reload: (@Sendable () -> Result<AgentSettings, ConfigurationErrors>)?
    /// No messages but those that say why it failed.
    public var isQuiet = false

    public init(configuration: PipelineConfiguration) { self.configuration = configuration }
}

/// One `sidelight agent`. Main thread.
public final class AgentService {
    /// How long requests under way may take when the end was asked for, and then what is on its way to backends.
    private static let serverGraceMilliseconds = 5_000
    private static let exportGraceNanoseconds: UInt64 = 3_000_000_000
    private static let tickNanoseconds: UInt64 = 1_000_000_000

    private let settings: AgentSettings
    private let messages: Messages
    private let clock = LinuxClock()
    private let signals: SignalDescriptor
    private let surroundings: PipelineSurroundings
    /// For as long as the agent runs. Nil: no store, or one that cannot be written, of which its writer tells.
    private let storeLock: FolderLock?
    /// Nil: there is no store to have it in.
    let trail: AuditTrail?
    private let counters = ReceiverCounters()
    private let intake: PipelineIntake
    private let server: Server
    private let duties: Duties
    /// Nil: switched off.
    private let resources: ResourceSampling?
    private let status: PipelineStatus
    private let metrics: CurrentMetrics
    private let admin: AdminHandler
    private let health: PipelineHealth
    private let keeper: HealthKeeper
    private let reloads: ConfigurationReloads
    private var doors: AgentDoors
    private var builder: PipelineBuilder
    /// The intake's, as this thread knows it.
    private var plan: PipelinePlan
    /// Kept open for the server.
    private var sockets: Sockets = [:]
    /// Nil: there was no receiver of files yet.
    private var tail: LogTail?
    private let positionNotices = PositionNotices()
    private var registrar: Registrar?
    /// What is told to registries; made when the sockets are there.
    private var offers: Offers?
    /// Nil: there was no such receiver yet.
    private var logInputs: LogInputReading?

    /// By the receiver's name, or "admin", and the place that was asked for.
    private typealias Sockets = [Listen: ListeningSocket]

    private struct Listen: Hashable, Sendable {
        static let admin = "admin"

        var name: String
        var place: HostPort
    }

    /// Runs from beginning to end.
    public static func run(_ settings: AgentSettings) -> RunEnding {
        let configuration = settings.configuration
        let messages = Messages(
            isQuiet: settings.isQuiet, level: configuration.logLevel, isJSON: configuration.isJSON)
        for warning in settings.warnings { messages.warn(warning) }
        let wish = NotifySocket.takeWish()
        let storeLock: FolderLock?
        do throws(StartFailure) {
            storeLock = try lock(configuration.store)
        } catch {
            messages.fail(error.description)
            return RunEnding(exitCode: 2)
        }
        guard configuration.store.isEnabled else { return run(settings, messages, wish, nil, nil) }
        let trail = AuditTrail(store: configuration.store.directory, clock: LinuxClock(), messages: messages)
        return trail.around("agent", target: configuration.service) { run(settings, messages, wish, storeLock, trail) }
    }

    private static func run(
        _ settings: AgentSettings, _ messages: Messages, _ wish: NotifySocket.Wish?, _ storeLock: FolderLock?,
        _ trail: AuditTrail?
    ) -> RunEnding {
        do {
            return try AgentService(settings, messages, wish, storeLock, trail).run()
        } catch {
            messages.fail(Self.text(of: error, settings))
            let isTheirs =
                error is StartFailure || error is DoorProblem || error is QueueError || error is ScriptLoadError
                || error is LogSourceSettings.Invalid || error is PositionFileError || error is LogInputOpening.Failure
            return RunEnding(exitCode: isTheirs ? 2 : 70)
        }
    }

    /// With its place in the file, where it has one.
    private static func text(of error: any Error, _ settings: AgentSettings) -> String {
        if error is LogSourceSettings.Invalid, let problem = PatternCheck.problems(of: settings.patterns).first {
            return problem.description
        }
        guard let error = error as? ScriptLoadError, let name = error.processor else { return "\(error)" }
        let setting = settings.scripts.first { $0.name == name }
        return setting?.problem(error.description).description ?? "processors.\(name).js: \(error)"
    }

    /// What is in the way of a start: a place where nobody can listen, a store that is somebody else's.
    private struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    private init(
        _ settings: AgentSettings, _ messages: Messages, _ wish: NotifySocket.Wish?, _ storeLock: FolderLock?,
        _ trail: AuditTrail?
    ) throws {
        let configuration = settings.configuration
        self.settings = settings
        self.messages = messages
        self.storeLock = storeLock
        self.trail = trail
        // Before there are threads that inherit the mask.
        signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        SignalDescriptor.ignoreBrokenPipes()
        let transport = CurlTransport()
        let components = ComponentMetrics.make(configuration.service)
        let resource = Resource.agent(configuration.service)
        let reading = ResourceReading.make(configuration.common.resources, resource)
        let metrics = CurrentMetrics(
            resource: resource, startTime: clock.unixNanoseconds(), clock: clock, components: components,
            resources: reading, limits: ExpositionLimits(unreadBytesMax: configuration.memoryBytesMax))
        self.metrics = metrics
        surroundings = PipelineSurroundings(
            transport: transport, resolver: ServiceResolver(configuration.common.discovery.resolve, transport),
            budget: MemoryBudget(bytesMax: configuration.memoryBytesMax), clock: clock,
            audit: DropAudit(clock), messages: messages,
            followers: LogFollowers(clock, memoryBytesMax: configuration.memoryBytesMax), deliveries: Deliveries(),
            components: components, metrics: metrics)
        builder = PipelineBuilder(surroundings)
        plan = try builder.first(configuration)
        metrics.show(configuration.admin != nil)
        intake = PipelineIntake(plan, surroundings)
        reloads = ConfigurationReloads()
        duties = try Duties()
        let own = OwnTelemetry(intake)
        resources = ResourceSampling.make(
            configuration.common.resources, reading, clock: clock, workload: nil
        ) { own.accept($0) }
        if let resources { duties.add(resources) }
        status = PipelineStatus(intake: intake, receivers: counters, surroundings: surroundings, reloads: reloads)
        health = PipelineHealth()
        keeper = HealthKeeper(
            configuration.common.health, health,
            HealthKeeper.Surroundings(
                service: configuration.service, description: "receiving telemetry",
                transport: surroundings.transport.client(HealthChecks.options), wake: duties.wake, clock: clock,
                wish: wish, messages: messages.about(.agent)))
        duties.add(keeper)
        status.follow(keeper.desk)
        if let trail { status.follow(trail) }
        doors = try AgentDoors(configuration.common.security, trail.map(DoorNotes.init))
        admin = AdminHandler([
            MetricsPages(source: status, metrics: metrics), HealthPages(keeper.desk),
            PipelinePages(status: status, taps: surroundings.taps), LogPages(followers: surroundings.followers),
            StorePages(
                queries: configuration.store.isEnabled
                    ? StoreQueries(directory: configuration.store.directory) : nil, clock: clock),
            LevelPages(levels: messages.levels, notes: doors.notes), CounterPages(status: status, clock: clock),
            DiscoveryPages(board: status.registrations), ResourcePages(reading: reading),
        ])
        for warning in doors.warnings(now: Int64(clock.unixNanoseconds() / 1_000_000_000)) { messages.warn(warning) }
        sockets = try Self.sockets(configuration, [:], isAdminGiven: settings.isAdminGiven)
        let parts = Parts(
            intake: intake, admin: admin, health: HealthRPC(keeper.desk), counters: counters, surroundings: surroundings
        )
        server = try Server(
            parts.listeners(configuration, sockets, plan, doors), companion: intake, limits: doors.limits,
            budget: surroundings.budget, clock: clock)
        own.begin(server)
        status.follow(server.counters)
        for pipeline in plan.stateful { pipeline.watch(server) }
        try beginTail(configuration)
        if let opening = try opening(configuration) { try read(opening) }
        health.facts = { [unowned self] in healthFacts }
    }

    private var healthFacts: PipelineHealth.Facts {
        PipelineHealth.Facts(
            listeners: sockets.count, exporters: plan.outputs.map { ($0.name, $0.exporter.condition) },
            store: plan.end.store?.counts, memoryUsed: surroundings.budget.used,
            memoryMax: surroundings.budget.bytesMax, refusal: reloads.counts.failure,
            registrations: status.registrations.statuses)
    }

    private static func lock(_ store: PipelineStore) throws(StartFailure) -> FolderLock? {
        guard store.isEnabled else { return nil }
        guard !Machine.isFile(store.directory) else {
            throw StartFailure(description: "store: \(store.directory) is a file, and has to be a folder")
        }
        switch FolderLock.take(store.directory, file: "agent.lock") {
        case .success(let lock): return lock
        case .failure(.locked(let pid)):
            let who = pid.map { "process \($0)" } ?? "another process"
            throw StartFailure(
                description:
                    "store: \(store.directory) is in use by another agent, \(who): give each agent a folder of its own")
        case .failure(.other): return nil
        }
    }

    private func run() throws -> RunEnding {
        warnOfUnrouted()
        say()
        let server = server
        let thread = ServiceThread(name: "sidelight-recv") {
            do { try server.run() } catch { fatalError("the server cannot run: \(error)") }
        }
        beginRegistering()
        try waitForEnd()
        resources?.finish()
        registrar?.end()
        keeper.end()
        logInputs?.end()
        tail?.end(clock)
        let (taps, followers, desk) = (surroundings.taps, surroundings.followers, keeper.desk)
        server.perform {
            desk.closeWatchers()
            taps.end()
            followers.end()
        }
        server.stop(graceMilliseconds: Self.serverGraceMilliseconds)
        thread.join()
        registrar?.settle()
        intake.end()
        metrics.end()
        let deadline = clock.monotonicNanoseconds() + Self.exportGraceNanoseconds
        for output in plan.outputs { output.silence() }
        for output in plan.outputs { output.exporter.close(deadline) }
        _ = plan.end.store?.flush()
        tellWhatIsLeft()
        trail?.end("agent", target: plan.configuration.service, outcome: "drained")
        return RunEnding(exitCode: 0)
    }

    private func waitForEnd() throws {
        var files = settings.signatures
        var storeAudit = plan.end.store.map(StoreAudit.init)
        var tickAt = clock.monotonicNanoseconds() + Self.tickNanoseconds
        var isStarting = true
        while true {
            // With standard input everything ends that is read from it. It may come with another configuration.
            var poller = Poller([
                signals.fileDescriptor, logInputs?.isOver.fileDescriptor ?? -1, duties.wake.fileDescriptor,
            ])
            let begin = clock.monotonicNanoseconds()
            try poller.wait(
                nanoseconds: min(tickAt > begin ? tickAt - begin : 0, duties.sleepNanoseconds(now: begin)))
            if poller.isReady(1) { return }
            while let signal = signals.next() {
                guard signal.number == SIGHUP else { return }
                files = reload() ?? FileSignatures(files.paths)
            }
            let now = clock.monotonicNanoseconds()
            duties.tick(now: now, isWoken: poller.isReady(2))
            guard now >= tickAt else { continue }
            tickAt = now + Self.tickNanoseconds
            if isStarting { Machine.releaseStartPages() }
            isStarting = false
            storeAudit?.tick(surroundings.audit)
            if files.haveChanged() { files = reload() ?? FileSignatures(files.paths) }
            for output in plan.outputs { output.tick() }
            if let tail { tick(tail.positions) }
        }
    }

    // MARK: Logs that are no files

    /// What it takes to read what this says. Nil: there is nothing to be read, and nothing is.
    private func opening(_ configuration: PipelineConfiguration) throws -> LogInputOpening? {
        if let logInputs { return try logInputs.opening(configuration) }
        guard !configuration.logInputs.isEmpty else { return nil }
        return try LogInputOpening(
            configuration.logInputs, configuration.queue.directory, keeping: [], [:], messages.about(.logs))
    }

    private func read(_ opening: LogInputOpening) throws {
        if let logInputs { return logInputs.adopt(opening) }
        let logInputs = try LogInputReading(
            opening,
            LogInputReading.Surroundings(
                intake: intake, server: server, clock: clock, messages: messages.about(.logs)))
        self.logInputs = logInputs
        status.follow(logInputs.shared)
    }

    // MARK: Files

    /// Starts to read files, where any are to be read.
    private func beginTail(_ configuration: PipelineConfiguration) throws {
        guard !configuration.logFiles.isEmpty else { return }
        let sources = try configuration.logFiles.map { files throws(LogSourceSettings.Invalid) in
            try LogSourceSettings(files)
        }
        let messages = messages.about(.logs)
        let positions = try LogPositions.open(beside: configuration.queue.directory, plan.takers)
        let counts = positions.counts
        if counts.damagedBytes > 0 {
            messages.warn(
                "\(countText(counts.damagedBytes, "byte")) at the end of the places of files are damaged: some lines may come twice"
            )
        }
        if counts.powerLosses > 0 {
            messages.inform("the system was started anew since the last run: the latest lines of files may come twice")
        }
        let tail = try LogTail(
            sources, configuration.logFilesLimits, queueBytes: plan.queueBytesMin,
            LogTail.Surroundings(intake: intake, server: server, positions: positions, clock: clock, messages: messages)
        )
        self.tail = tail
        status.follow(tail)
    }

    /// Once a second.
    private func tick(_ positions: PositionLog) {
        // What is known of the queues' syncs is the server thread's; it is a second old.
        positions.tick(now: clock.monotonicNanoseconds(), queuesSyncedAt: intake.syncedAt.load())
        server.perform { [intake] in intake.noteSyncs() }
        if let text = positionNotices.take(positions.counts, now: clock.monotonicNanoseconds()) {
            messages.about(.logs).warn(text)
        }
    }

    // MARK: Another configuration

    /// Reads the configuration anew and goes over to it; what is wrong with it is said, and the old one stays. Returns the files that it was read from; nil: it
    /// was not taken.
    private func reload() -> FileSignatures? {
        guard let reload = settings.reload else { return nil }
        keeper.reloading()
        defer { keeper.reloaded() }
        let messages = messages.about(.configuration)
        switch reload() {
        case .failure(let problems):
            reloads.failed(problems.problems.map(\.description).joined(separator: "\n"))
            noteReload("refused", problems.problems.first?.description ?? "")
            for problem in problems.problems { messages.fail(problem.description) }
            messages.fail("the configuration was not taken; the agent goes on with the one before")
            return nil
        case .success(let next):
            for warning in next.warnings { messages.warn(warning) }
            do {
                try change(to: keepingWhatStays(next.configuration), next)
                keeper.adopt(next.configuration.common.health)
                reloads.succeeded()
                noteReload("taken")
                messages.say("the configuration was read anew")
                return next.signatures
            } catch {
                let text = Self.text(of: error, next)
                reloads.failed(text)
                noteReload("refused", text)
                messages.fail("\(text); the agent goes on with the configuration before")
                return next.signatures
            }
        }
    }

    private func noteReload(_ outcome: String, _ reason: String = "") {
        trail?.note(
            AuditEvent(
                .admin, actor: "uid \(Machine.userID)", action: "reload", target: settings.files.last ?? "",
                outcome: outcome,
                reason: reason))
    }

    /// What an agent has for as long as it runs.
    private func keepingWhatStays(_ next: PipelineConfiguration) -> PipelineConfiguration {
        var next = next
        let old = plan.configuration
        var names: [String] = []
        func keep<Value: Equatable>(_ name: String, _ path: WritableKeyPath<PipelineConfiguration, Value>) {
            if next[keyPath: path] != old[keyPath: path] { names.append(name) }
            next[keyPath: path] = old[keyPath: path]
        }
        keep("memory", \.memoryBytesMax)
        keep("store", \.store)
        keep("service", \.service)
        keep("log-level", \.logLevel)
        keep("resources", \.common.resources)
        keep("discovery.register", \.common.discovery.register)
        keep("security.per-client", \.common.security.perClient)
        if !names.isEmpty {
            messages.about(.configuration).warn(
                "\(names.joined(separator: ", ")): another value is taken when the agent is started again")
        }
        return next
    }

    private func change(to configuration: PipelineConfiguration, _ next: AgentSettings) throws {
        let doors = try AgentDoors(configuration.common.security, self.doors.notes)
        for warning in doors.warnings(now: Int64(clock.unixNanoseconds() / 1_000_000_000)) { messages.warn(warning) }
        let sockets = try Self.sockets(configuration, sockets, isAdminGiven: next.isAdminGiven)
        let isTailKept =
            configuration.logFiles == plan.configuration.logFiles
            && configuration.logFilesLimits == plan.configuration.logFilesLimits
        let sources = try configuration.logFiles.map { files throws(LogSourceSettings.Invalid) in
            try LogSourceSettings(files)
        }
        let opening = try opening(configuration)
        let change = try builder.change(from: plan, to: configuration)
        if !isTailKept { tail?.pause() }
        if let opening { logInputs?.prepare(opening) }
        builder.prepare(change)
        let resolve = configuration.common.discovery.resolve
        if resolve != plan.configuration.common.discovery.resolve {
            surroundings.resolver.use(resolve, surroundings.transport)
        }
        let parts = Parts(
            intake: intake, admin: admin, health: HealthRPC(keeper.desk), counters: counters, surroundings: surroundings
        )
        let server = server
        let result = Monitor<(plan: PipelinePlan?, isDone: Bool)>((nil, false))
        server.change {
            for pipeline in change.endedStateful { pipeline.unwatch(server) }
            parts.intake.adopt(change.plan, ending: change.endedStateful)
            let plan = parts.intake.plan
            for pipeline in plan.stateful where !change.isKept(pipeline) { pipeline.watch(server) }
            result.withLock { $0.plan = plan }
            return parts.listeners(configuration, sockets, plan, doors)
        } done: { failure in
            if let failure { parts.surroundings.messages.fail("\(failure)") }
            result.withLock { $0.isDone = true }
            result.wake()
        }
        plan = result.wait { $0.isDone ? .done($0.plan!) : .untilWoken }
        metrics.show(configuration.admin != nil)
        // Descriptors of what has ended are closed with it: not before the server has let go of them.
        let hasLetGo = Monitor<Bool>()
        server.perform { hasLetGo.open() }
        hasLetGo.wait(until: .max)
        builder.finish(change)
        // Those that are not among them are closed with this.
        self.sockets = sockets
        self.doors = doors
        offer()
        if let tail {
            tail.fit(queueBytes: plan.queueBytesMin)
            if !isTailKept { tail.resume(sources, configuration.logFilesLimits) }
        } else {
            try beginTail(configuration)
        }
        if let opening { try read(opening) }
    }

    // MARK: Registries

    private func beginRegistering() {
        let configuration = plan.configuration.common.discovery.register
        let offers = Offers(configuration, service: plan.configuration.service, admin: boundAdmin)
        self.offers = offers
        let offered = offered(offers)
        status.registrations.show(offers.target(offered))
        registrar = Registrar.begin(
            offered, configuration, offers, { surroundings.transport }, duties, clock, messages, status.registrations
        ) { [desk = keeper.desk] in InstanceHealth(desk.report) }
    }

    /// After a change of what it listens at.
    private func offer() {
        guard var offers else { return }
        offers.admin = boundAdmin
        self.offers = offers
        let offered = offered(offers)
        status.registrations.show(offers.target(offered))
        registrar?.offer(offered)
    }

    private func offered(_ offers: Offers) -> [Registrar.Offer] {
        offers.agent(
            plan.configuration.receivers.compactMap { receiver in
                bound(receiver.name, receiver.listen).map { (receiver, $0) }
            })
    }

    private var boundAdmin: HostPort? { plan.configuration.admin.flatMap { bound(Listen.admin, $0) } }

    /// With the port that was chosen.
    private func bound(_ name: String, _ asked: HostPort) -> HostPort? {
        sockets[Listen(name: name, place: asked)].map { asked.bound(to: $0.place) }
    }

    // MARK: Listening

    /// Opens what is not open yet.
    private static func sockets(
        _ configuration: PipelineConfiguration, _ open: Sockets, isAdminGiven: Bool
    ) throws -> Sockets {
        var sockets: Sockets = [:]
        var listens = configuration.receivers.map { Listen(name: $0.name, place: $0.listen) }
        if let place = configuration.admin { listens.append(Listen(name: Listen.admin, place: place)) }
        for listen in listens {
            if let socket = open[listen] {
                sockets[listen] = socket
                continue
            }
            // Not behind `??`: what is thrown there as a typed error is taken for a socket (Swift 6.3.1, optimized).
            let place = listen.place
            do throws(ListeningSocket.Failure) {
                sockets[listen] = try ListeningSocket(.tcp(host: place.host, port: place.port))
            } catch {
                // Another agent or service of this machine has the place that nobody asked for.
                if listen.name == Listen.admin, !isAdminGiven { continue }
                throw StartFailure(description: "\(listen.name) cannot listen at \(place): \(error.reason)")
            }
        }
        return sockets
    }

    /// What handlers are made of.
    private struct Parts: Sendable {
        let intake: PipelineIntake
        let admin: AdminHandler
        let health: HealthRPC
        let counters: ReceiverCounters
        let surroundings: PipelineSurroundings

        func listeners(
            _ configuration: PipelineConfiguration, _ sockets: Sockets, _ plan: PipelinePlan, _ doors: AgentDoors
        ) -> [Server.Listener] {
            var listeners = configuration.receivers.map { receiver in
                var options = ReceiverHandler.Options(protocols: [ReceiverName(receiver.kind)])
                options.allowedOrigins = receiver.origins
                options.limits = .init(requestBytesMax: receiver.bodyBytesMax)
                options.limitKey = "receivers.\(receiver.name).body-max"
                let handler = ReceiverHandler(
                    options, intake: ListenerIntake(intake, receiver.name, plan.routes(from: receiver.name)),
                    counters: counters, budget: surroundings.budget, clock: surroundings.clock, health: health)
                let socket = sockets[Listen(name: receiver.name, place: receiver.listen)]!
                return Server.Listener(
                    fileDescriptor: socket.fileDescriptor, handler: handler, bodyBytesMax: handler.bodyBytesMax,
                    door: doors.receiver(origins: receiver.origins))
            }
            if let place = configuration.admin, let socket = sockets[Listen(name: Listen.admin, place: place)] {
                listeners.append(
                    Server.Listener(
                        fileDescriptor: socket.fileDescriptor, handler: admin,
                        bodyBytesMax: AdminHandler.bodyBytesMax, door: doors.admin))
            }
            return listeners
        }
    }

    private func warnOfUnrouted() {
        let configuration = plan.configuration
        for receiver in configuration.receivers {
            let unrouted = receiver.kind.signals.filter { signal in
                !configuration.pipelines.contains { $0.signal == signal && $0.receivers.contains(receiver.name) }
            }
            guard !unrouted.isEmpty else { continue }
            let words = Signal.allCases.filter(unrouted.contains).map(\.word).joined(separator: " and ")
            messages.about(.pipeline).warn(
                "\(receiver.name): no pipeline takes \(words) from it; they are accepted, dropped and counted")
        }
        for files in configuration.logFiles where plan.routes(from: files.name).isEmpty {
            messages.about(.pipeline).warn(
                "\(files.name): no pipeline takes logs from it; they are read, dropped and counted")
        }
        for input in configuration.logInputs where plan.routes(from: input.name).isEmpty {
            messages.about(.pipeline).warn(
                "\(input.name): no pipeline takes logs from it; they are read, dropped and counted")
        }
    }

    /// Where it listens and where things go.
    private func say() {
        let configuration = plan.configuration
        func place(_ name: String, _ asked: HostPort) -> String {
            "\(name) at \(sockets[Listen(name: name, place: asked)]!.place.text)"
        }
        let receivers =
            configuration.receivers.map { place($0.name, $0.listen) }
            + configuration.logFiles.map { "\($0.name) from \($0.include.joined(separator: " "))" }
            + configuration.logInputs.map { $0.text(at: logInputs?.place(of: $0)?.text) }
        let places = receivers.isEmpty ? "nothing is received" : "receiving " + receivers.joined(separator: ", ")
        var destinations = configuration.exporters.map { "\($0.name) (\($0.exporter.name))" }
        if configuration.store.isEnabled { destinations.append("the store in \(configuration.store.directory)") }
        let way = "sending to " + (destinations.isEmpty ? "nowhere" : destinations.joined(separator: ", "))
        let admin = configuration.admin.map { asked in
            sockets[Listen(name: Listen.admin, place: asked)] == nil
                ? "no admin port: \(asked) is taken (--admin names another)" : place(Listen.admin, asked)
        }
        messages.say([places, way, admin].compactMap(\.self).joined(separator: "; "))
    }

    private func tellWhatIsLeft() {
        for output in plan.outputs {
            guard let left = output.leftText else { continue }
            messages.about(.exporters).warn(
                "\(output.name): \(left) not delivered yet; kept in \(output.named.queue.directory), sent when the agent runs again"
            )
        }
        for intake in plan.stateful where !intake.isQueueEmpty {
            messages.about(.pipeline).inform(
                "\(intake.name): \(countText(intake.queue.counts.items.total, "item")) are with its processors; kept in \(intake.queue.folder), taken up when the agent runs again"
            )
        }
    }
}

extension ReceiverName {
    init(_ kind: ReceiverConfiguration.Kind) {
        switch kind {
        case .otlpHTTP: self = .otlpHTTP
        case .otlpGRPC: self = .otlpGRPC
        case .zipkin: self = .zipkin
        case .jaeger: self = .jaeger
        }
    }
}

extension ListeningSocket.Place {
    fileprivate var text: String {
        switch self {
        case .tcp(let host, let port): HostPort(host: host, port: port).description
        case .unix(let path): "unix:" + path
        }
    }
}

extension LogInputConfiguration {
    /// Its name, and where its logs come from.
    fileprivate func text(at place: String?) -> String {
        switch source {
        case .syslog(let syslog):
            "\(name) at \(place ?? "\(syslog.listen)") (\(syslog.transports.map(\.rawValue).joined(separator: ", ")))"
        case .stdin, .journald: name
        case .pipe(let path): "\(name) from \(path)"
        case .exec(let program): "\(name) from \(program.command[0])"
        }
    }
}
