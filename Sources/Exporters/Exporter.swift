// An exporter runs an `ExportMachine` (Pipeline) over a destination.
//
// Who runs what. `accept` may be called from any thread: it puts the batch into the machine under the mutex and at
// most asks for a timer. Everything else, encoding, compressing and sending included, is done by `drain`, on the
// thread the timer or the answer came on, which for HTTP is the transport's one thread. `drain` runs at most once at
// a time; a second caller only leaves a note for the first. So exports of one exporter leave in the machine's order
// and nothing is encoded under the mutex.
//
// `flush` and `shutdown` block their caller on a latch that `drain` opens.
//
// With a durable queue (Exporter+Queue.swift) batches do not come by `accept`: they go to disk first, and `drain` fills the machine up from there.

public import Configuration
public import CoreMetrics
public import Pipeline
public import Queue
import Resolver
import Synchronization
public import System
public import Telemetry
public import Transport

/// Something about an exporter that its operator may want to hear.
public enum ExporterEvent: Sendable, Hashable {
    /// The backend does not take exports at the moment; they are kept and tried again. Said at each attempt.
    case outage(message: String)
    /// It does again.
    case recovered
    /// The backend refuses what it is sent; that is lost. Said each time.
    case refused(Signal, message: String)
    /// The backend has no place for this signal. Said again only when the backend says something else.
    case unsupported(Signal, message: String)
    /// The backend takes this signal, which it had refused or complained of.
    case taken(Signal)
    /// Delivered, but with a complaint.
    case warning(Signal, message: String)
    /// The queue is full and items are dropped. Said once an outage.
    case overflow
    /// The durable queue is full: what comes is refused, or the oldest items are dropped for it. Said when it begins, and about once a second while it lasts.
    case queueFull(evicts: Bool)
    /// Nothing can be written to the durable queue: a full disk. The same.
    case queueFails(message: String)
    /// Neither of both any more.
    case queueHasRoom
    /// The name of a service was asked for in vain; what was known of it stands. Not said for each time.
    case lookupFailed(message: String)
    /// It has an answer again.
    case lookupWorks(message: String)
    /// So many items are lost, and why.
    case dropped(Signal, DropReason, items: Int, message: String)
}

/// Sends batches to one place, over and over until they are delivered. Safe to use from any thread.
public final class Exporter: Sendable {
    /// What a flush came to.
    public struct Outcome: Sendable {
        /// Whether everything accepted before the call has left.
        public var isComplete: Bool
        /// The exporter's books at the end of the call.
        public var counters: ExportAccounting
        /// What is still held, oldest first. After `flush` the exporter goes on with it; after `shutdown` it is the
        /// caller's.
        public var undelivered: [Batch]
        /// What the last failure said, if there was one.
        public var lastError: String?
    }

    struct State {
        var machine: ExportMachine
        var backlog: Backlog?
        /// Deadlines of the timers that are out, each earlier than the one before.
        var timers: [UInt64] = []
        var isDraining = false
        /// Something happened while `drain` was busy.
        var drainsAgain = false
        var flushes: [(mark: UInt64, latch: Monitor<Bool>)] = []
        var hasOverflowed = false
        /// Of the durable queue: items that it refused or evicted so far, whether it is called full, and whether it lacked room since the last tick.
        var overflows = 0
        var isFull = false
        var overflowedInTick = false
        var lastRefusal: [Signal: String] = [:]
    }

    public let configuration: ExporterConfiguration
    /// The signals that `accept` takes; others pass by.
    public let signals: Set<Signal>

    let state: Mutex<State>
    let destination: any Destination
    /// Of the endpoints that DNS or a registry knows.
    private let services: [ServiceFinder]
    private let timers: any TimerScheduler
    let clock: any SystemClock
    let report: @Sendable (ExporterEvent) -> Void
    /// How long backends take to answer. Nil: nobody wants to know.
    private let answers: CoreMetrics.Timer?
    /// Called with the entries of the durable queue that have left.
    private let acknowledged: (@Sendable ([QueueEntryID]) -> Void)?
    /// Called with those that the queue gave up.
    let lost: (@Sendable ([QueueEntryID]) -> Void)?

    /// What makes an exporter keep what it has on disk.
    public struct Durable {
        public var queue: DurableQueue
        public var budget: MemoryBudget
        /// Called with entries that have left: delivered, or refused by the backend for good. On any thread, and must not block. Nil: nobody wants to know.
        public var acknowledged: (@Sendable ([QueueEntryID]) -> Void)?
        /// Called with entries that no backend has seen as a whole and that are gone: evicted, expired, damaged. The same.
        public var lost: (@Sendable ([QueueEntryID]) -> Void)?

        public init(
            queue: DurableQueue, budget: MemoryBudget, acknowledged: (@Sendable ([QueueEntryID]) -> Void)? = nil,
            lost: (@Sendable ([QueueEntryID]) -> Void)? = nil
        ) {
            self.queue = queue
            self.budget = budget
            self.acknowledged = acknowledged
            self.lost = lost
        }
    }

    /// An exporter over libcurl. Exporters share the transport; each target's TLS files apply to its own requests only.
    /// `report` is called on any thread, `accept`'s caller's included, and must not block.
    /// - Parameters:
    ///   - resolver: for endpoints that DNS or a registry knows.
    ///   - answers: records how long the backend takes to answer.
    public convenience init(
        _ configuration: ExporterConfiguration, transport: CurlTransport, resolver: any NameResolver,
        clock: any SystemClock, durable: sending Durable? = nil, answers: CoreMetrics.Timer? = nil,
        report: @escaping @Sendable (ExporterEvent) -> Void = { _ in }
    ) {
        self.init(
            configuration, timers: transport, resolver: resolver, clock: clock, durable: durable, answers: answers,
            report: report
        ) { target in
            var options = CurlTransport.Options()
            options.authorityFile = target.tls.authority
            options.certificateFile = target.tls.certificate
            options.keyFile = target.tls.key
            options.isInsecure = target.tls.isInsecure
            options.proxy = target.proxy?.description
            return transport.client(options)
        }
    }

    /// An exporter over any transport: a simulated one, in tests. TLS files are the transport's business.
    public convenience init(
        _ configuration: ExporterConfiguration, transport: any HTTPTransport, timers: any TimerScheduler,
        resolver: any NameResolver = NoResolver(), clock: any SystemClock, durable: sending Durable? = nil,
        report: @escaping @Sendable (ExporterEvent) -> Void = { _ in }
    ) {
        self.init(
            configuration, timers: timers, resolver: resolver, clock: clock, durable: durable, answers: nil,
            report: report
        ) { _ in transport }
    }

    private convenience init(
        _ configuration: ExporterConfiguration, timers: any TimerScheduler, resolver: any NameResolver,
        clock: any SystemClock, durable: sending Durable?, answers: CoreMetrics.Timer?,
        report: @escaping @Sendable (ExporterEvent) -> Void, client: (ExporterConfiguration.Target) -> any HTTPTransport
    ) {
        let policy = RetryPolicy()
        var services: [ServiceFinder] = []
        // One for all signals that go to the same service.
        func find(_ question: ServiceQuestion) -> ServiceFinder {
            if let finder = services.first(where: { $0.question == question }) { return finder }
            let finder = ServiceFinder(question, resolver, timers: timers, clock: clock) { notice in
                switch notice {
                case .failed(let message): report(.lookupFailed(message: message))
                case .works(let message): report(.lookupWorks(message: message))
                }
            }
            services.append(finder)
            return finder
        }
        let destination: any Destination =
            if let encoding = Encoding(configuration) {
                HTTPDestination(configuration, encoding, policy: policy, clock: clock, client: client, find: find)
            } else {
                switch configuration.kind {
                case .otlpGRPC: GRPCDestination(configuration, client: client, find: find)
                case .file: FileDestination(configuration.file, timers: timers, clock: clock)
                default: ConsoleDestination(configuration.console)
                }
            }
        self.init(
            configuration, destination, services: services, policy: policy, timers: timers, clock: clock,
            durable: durable, answers: answers, report: report)
    }

    init(
        _ configuration: ExporterConfiguration, _ destination: any Destination, services: [ServiceFinder] = [],
        policy: RetryPolicy, timers: any TimerScheduler, clock: any SystemClock, durable: sending Durable? = nil,
        answers: CoreMetrics.Timer? = nil, report: @escaping @Sendable (ExporterEvent) -> Void
    ) {
        self.configuration = configuration
        self.answers = answers
        signals = configuration.signals
        self.destination = destination
        self.services = services
        self.timers = timers
        self.clock = clock
        self.report = report
        acknowledged = durable?.acknowledged
        lost = durable?.lost
        durable?.queue.keepsDroppedIDs = lost != nil
        let limits = BatchLimits(configuration, isDurable: durable != nil)
        let backlog = durable.map { Backlog($0.queue, $0.budget) }
        state = Mutex(State(machine: ExportMachine(limits: limits, retryPolicy: policy), backlog: backlog))
    }

    // MARK: Inputs

    /// Takes a batch for export. Never blocks; constant time. A batch of a signal that this exporter does not carry
    /// is not counted. The bytes are shared, not copied.
    public func accept(_ batch: Batch) {
        guard signals.contains(batch.signal) else { return }
        let now = clock.monotonicNanoseconds()
        let (timer, overflows): (UInt64?, Bool) = state.withLock { state in
            let droppedBefore = state.machine.accounting.dropped
            let action = state.machine.accept(batch, now: now)
            let overflows = !state.hasOverflowed && state.machine.accounting.dropped > droppedBefore
            if overflows { state.hasOverflowed = true }
            return (Self.arm(&state, action.wakeAt), overflows)
        }
        startTimer(timer)
        if overflows { report(.overflow) }
    }

    /// Sends everything accepted so far without waiting for company. Blocks the caller, who must not be on the
    /// transport's thread, until all of it has left or `deadline` (CLOCK_MONOTONIC, nanoseconds) has come.
    public func flush(_ deadline: UInt64) -> Outcome {
        let latch = Monitor<Bool>()
        let now = clock.monotonicNanoseconds()
        let (mark, isSettled, timer): (UInt64, Bool, UInt64?) = state.withLock { state in
            let mark = state.machine.flush(now: now)
            guard !state.machine.isSettled(mark) else { return (mark, true, nil) }
            state.flushes.append((mark, latch))
            return (mark, false, Self.arm(&state, 0))
        }
        startTimer(timer)
        if !isSettled { latch.wait(until: deadline) }
        return state.withLock { state in
            state.flushes.removeAll { $0.latch === latch }
            return Outcome(
                isComplete: state.machine.isSettled(mark), counters: state.machine.accounting,
                undelivered: state.machine.held,
                lastError: state.machine.lastMessage)
        }
    }

    /// Flushes and ends: what is not known to be delivered at the deadline is handed to the caller and counted as
    /// dropped (`.undelivered`); what is accepted later is dropped. May be called again, then without effect.
    public func shutdown(_ deadline: UInt64) -> Outcome {
        var outcome = flush(deadline)
        state.withLock { state in
            outcome.undelivered = state.machine.shutdown()
            outcome.isComplete = outcome.undelivered.isEmpty
            outcome.counters = state.machine.accounting
        }
        closeDestination()
        return outcome
    }

    func closeDestination() {
        destination.close()
        for service in services { service.close() }
    }

    /// Questions about services that were answered, those that were not, and the endpoints there are; nil: it has fixed ones alone.
    public var lookups: (answered: Int, failed: Int, endpoints: Int)? {
        guard !services.isEmpty else { return nil }
        return services.reduce((0, 0, 0)) { sum, service in
            let counts = service.counts
            return (sum.0 + counts.answered, sum.1 + counts.failed, sum.2 + counts.endpoints)
        }
    }

    /// received = exported + dropped + queued, at every moment.
    public var counters: ExportAccounting { state.withLock { $0.machine.accounting } }

    /// Bytes of memory that wait to be delivered.
    public var queueBytes: Int { state.withLock { $0.machine.heldBytes } }

    /// Whether the backend fails at the moment.
    public var isOutage: Bool { state.withLock { $0.machine.isOutage } }

    // MARK: Timers

    /// The deadline of the timer to start, nil when one that is out will do.
    static func arm(_ state: inout State, _ wakeAt: UInt64?) -> UInt64? {
        guard let wakeAt, wakeAt < state.timers.last ?? .max else { return nil }
        state.timers.append(wakeAt)
        return wakeAt
    }

    func startTimer(_ deadline: UInt64?) {
        guard let deadline else { return }
        timers.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            state.withLock { state in
                if let index = state.timers.firstIndex(of: deadline) { state.timers.remove(at: index) }
            }
            drain()
        }
    }

    // MARK: Running the machine

    private func drain() {
        let isMine = state.withLock { state in
            state.drainsAgain = true
            defer { state.isDraining = true }
            return !state.isDraining
        }
        guard isMine else { return }
        while let step = nextStep() {
            startTimer(step.timer)
            tell(step.gone, nil)
            for latch in step.settled { latch.open() }
            for export in step.exports { send(export) }
        }
    }

    private struct Step: Sendable {
        var exports: [Export]
        var timer: UInt64?
        var settled: [Monitor<Bool>]
        var gone: [QueueEntryID]
    }

    /// Nil when there is nothing to do and the next caller of `drain` may take over.
    private func nextStep() -> Step? {
        let now = clock.monotonicNanoseconds()
        return state.withLock { state in
            guard state.drainsAgain else {
                state.isDraining = false
                return nil
            }
            state.drainsAgain = false
            state.backlog?.refill(&state.machine, now: now)
            let action = state.machine.tick(now: now)
            let settled = state.flushes.filter { state.machine.isSettled($0.mark) }.map(\.latch)
            state.flushes.removeAll { state.machine.isSettled($0.mark) }
            return Step(
                exports: action.exports, timer: Self.arm(&state, action.wakeAt), settled: settled,
                gone: state.backlog?.takeLost() ?? [])
        }
    }

    private func send(_ export: Export) {
        let begin = clock.monotonicNanoseconds()
        destination.send(export) { [self] result in
            let now = clock.monotonicNanoseconds()
            answers?.recordNanoseconds(Int64(clamping: now &- begin))
            let random = UInt64.random(in: .min ... .max)
            let (events, left) = state.withLock { state in
                let wasOutage = state.machine.isOutage
                let before = state.machine.accounting[export.signal]
                state.machine.completed(export.id, result, now: now, random: random)
                state.backlog?.settle(&state.machine)
                let left = acknowledged == nil ? [] : state.backlog?.takeAcknowledged() ?? []
                let events = Self.events(&state, export, result, wasOutage: wasOutage)
                return (events + Self.drops(export.signal, before, state.machine, result), left)
            }
            if let acknowledged, !left.isEmpty { acknowledged(left) }
            for event in events { report(event) }
            drain()
        }
    }

    private static func drops(
        _ signal: Signal, _ before: SignalAccounting, _ machine: ExportMachine, _ result: ExportResult
    ) -> [ExporterEvent] {
        let after = machine.accounting[signal]
        guard after.dropped > before.dropped else { return [] }
        return DropReason.allCases.compactMap { reason in
            let items = after.dropped(reason) - before.dropped(reason)
            return items > 0 ? .dropped(signal, reason, items: items, message: machine.lastMessage ?? "") : nil
        }
    }

    private static func events(
        _ state: inout State, _ export: Export, _ result: ExportResult, wasOutage: Bool
    ) -> [ExporterEvent] {
        guard !state.machine.isShutDown else { return [] }
        var events: [ExporterEvent] = []
        if wasOutage, !state.machine.isOutage {
            state.hasOverflowed = false
            events.append(.recovered)
        }
        switch result {
        case .failed(_, let message), .unreachable(let message): events.append(.outage(message: message))
        case .refused(.unsupported, let message):
            if state.lastRefusal.updateValue(message, forKey: export.signal) != message {
                events.append(.unsupported(export.signal, message: message))
            }
        case .refused(_, let message), .tooLarge(let message):
            state.lastRefusal[export.signal] = message
            events.append(.refused(export.signal, message: message))
        case .delivered(_, _, let message?):
            if state.lastRefusal.updateValue(message, forKey: export.signal) != message {
                events.append(.warning(export.signal, message: message))
            }
        case .delivered:
            if state.lastRefusal.removeValue(forKey: export.signal) != nil { events.append(.taken(export.signal)) }
        }
        return events
    }
}

extension BatchLimits {
    /// The pipeline's defaults with what the configuration sets.
    /// - Parameter isDurable: the bound on what is held is the backlog's window.
    init(_ configuration: ExporterConfiguration, isDurable: Bool) {
        self.init()
        exportItemsMax = configuration.batching.exportItemsMax ?? exportItemsMax
        queueItemsMax = configuration.batching.queueItemsMax ?? queueItemsMax
        ageMaxNanoseconds =
            configuration.batching.ageMaxMilliseconds.map { UInt64($0) * 1_000_000 } ?? ageMaxNanoseconds
        exportItemsMax = min(exportItemsMax, queueItemsMax)
        exportBytesMax = configuration.batching.exportBytesMax ?? exportBytesMax
        inFlightItemsMax = max(inFlightItemsMax, exportItemsMax)
        inFlightBytesMax = max(inFlightBytesMax, exportBytesMax)
        if let inFlight = configuration.inFlightMax {
            inFlightMax = inFlight
            inFlightItemsMax = max(inFlightItemsMax, inFlight * exportItemsMax)
            inFlightBytesMax = max(inFlightBytesMax, inFlight * exportBytesMax)
        }
        oneResourcePerExport = configuration.kind == .jaeger
        // Prometheus wants the samples of a series in the order of their times.
        keepsOrder = configuration.kind == .prometheus
        if !configuration.kind.isRemote || configuration.kind == .prometheus { inFlightMax = 1 }
        guard isDurable else { return }
        queueItemsMax = .max
        queueBytesMax = .max
        sendsWhenIdle = true
    }
}
