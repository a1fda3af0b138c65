public import Discovery
import Synchronization
public import System

/// What a finder has to tell, not each time.
public enum ServiceNotice: Hashable, Sendable {
    /// It asked in vain; what was known stands.
    case failed(message: String)
    /// There is an answer again.
    case works(message: String)
}

/// Where a service is at the moment: asks for it when somebody first wants to know, and from then on in time. Safe to use from any thread.
///
/// What the resolver answers is dealt with on the timers' thread, so that whoever waits for an endpoint goes on there.
public final class ServiceFinder: Sendable {
    /// Nil: there is none, and why.
    public typealias Taker = @Sendable (ServiceEndpoint?, _ complaint: String) -> Void

    /// Questions that were answered, those that were not, and the endpoints there are.
    public typealias Counts = (answered: Int, failed: Int, endpoints: Int)

    private struct State: Sendable {
        var table: ServiceTable
        /// Those that wait for the first answer: one for each request in flight at most.
        var waiting: [Taker] = []
        /// Deadline of the timer that is out.
        var timerAt: UInt64?
        /// When somebody last wanted to know.
        var usedAt: UInt64 = 0
        var isClosed = false
        var notices = FailureNotices()
    }

    public let question: ServiceQuestion
    private let idleNanosecondsMax: UInt64
    private let resolver: any NameResolver
    private let timers: any TimerScheduler
    private let clock: any SystemClock
    private let report: @Sendable (ServiceNotice) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - idleNanosecondsMax: When nobody has wanted to know for so long, nothing is asked until somebody does, who then waits for the answer.
    ///   - report: Called on any thread, and must not block.
    public init(
        _ question: ServiceQuestion, _ resolver: any NameResolver, timers: any TimerScheduler, clock: any SystemClock,
        idleNanosecondsMax: UInt64 = .max, report: @escaping @Sendable (ServiceNotice) -> Void
    ) {
        self.question = question
        self.idleNanosecondsMax = idleNanosecondsMax
        self.resolver = resolver
        self.timers = timers
        self.clock = clock
        self.report = report
        state = Mutex(State(table: ServiceTable(of: question.source)))
    }

    deinit { timers.cancel(ObjectIdentifier(self)) }

    public var counts: Counts {
        state.withLock { ($0.table.answered, $0.table.failed, $0.table.endpoints.count) }
    }

    /// When somebody last wanted to know, monotonic nanoseconds.
    public var usedAt: UInt64 { state.withLock { $0.usedAt } }

    /// Calls `taker` once: at once, or when the first answer is there. `note` is to follow where there is an endpoint.
    public func find(_ taker: @escaping Taker) {
        if let found = findNow() { return taker(found.endpoint, found.complaint) }
        let now = clock.monotonicNanoseconds()
        let found: (endpoint: ServiceEndpoint?, complaint: String)? = state.withLock { state in
            guard state.table.isSettled || state.isClosed else {
                state.waiting.append(taker)
                return nil
            }
            return (next(&state, now), complaint(state))
        }
        if let found { taker(found.endpoint, found.complaint) }
        ask()
    }

    /// What `find` gives at once; nil: that has to wait for an answer.
    public func findNow() -> (endpoint: ServiceEndpoint?, complaint: String)? {
        let now = clock.monotonicNanoseconds()
        let (found, asks): ((ServiceEndpoint?, String)?, Bool) = state.withLock { state in
            if isIdle(state, now) { state.table.unsettle() }
            state.usedAt = now
            guard state.table.isSettled || state.isClosed else { return (nil, false) }
            let endpoint = next(&state, now)
            return ((endpoint, endpoint == nil ? complaint(state) : ""), needsAsking(state, now))
        }
        if asks { ask() }
        return found
    }

    /// What came of a request.
    public func note(_ endpoint: ServiceEndpoint, hasWorked: Bool) {
        let now = clock.monotonicNanoseconds()
        state.withLock { $0.table.note(endpoint, hasWorked: hasWorked, now: now) }
        if !hasWorked { ask() }
    }

    /// Whether there is an endpoint that is not known to fail.
    public var hasUsable: Bool {
        let now = clock.monotonicNanoseconds()
        return state.withLock { $0.table.hasUsable(now: now) }
    }

    /// Nobody is to be found any more.
    public func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = true
            timers.cancel(ObjectIdentifier(self))
            return state.waiting
        }
        for taker in waiting { taker(nil, "\(question.name): it is not asked for any more") }
    }

    private func next(_ state: inout State, _ now: UInt64) -> ServiceEndpoint? {
        state.table.next(now: now, random: .random(in: .min ... .max))
    }

    private func complaint(_ state: borrowing State) -> String {
        let why = state.table.failure?.description
        return "\(question.name): \(why ?? question.source.emptiness)"
    }

    private func isIdle(_ state: borrowing State, _ now: UInt64) -> Bool {
        now - min(state.usedAt, now) > idleNanosecondsMax
    }

    // MARK: Asking

    /// Whether there is no timer for the next question.
    private func needsAsking(_ state: borrowing State, _ now: UInt64) -> Bool {
        guard !state.isClosed, let wakeAt = state.table.wakeAt else { return false }
        return wakeAt < state.timerAt ?? .max
    }

    /// Asks if it is time, else sees to it that it is done in time.
    private func ask() {
        let now = clock.monotonicNanoseconds()
        let question: ServiceQuestion? = state.withLock { state in
            guard !state.isClosed, !isIdle(state, now) else { return nil }
            if state.table.asks(now: now) {
                var question = self.question
                question.knownVersion = state.table.version
                return question
            }
            guard needsAsking(state, now), let wakeAt = state.table.wakeAt else { return nil }
            state.timerAt = wakeAt
            wake(at: wakeAt)
            return nil
        }
        guard let question else { return }
        resolver.ask(question) { [weak self, timers] result in
            // Of one that is closed nobody wants to know: programs make names, and each answer would be a timer.
            guard let self, !state.withLock({ $0.isClosed }) else { return }
            timers.schedule(at: 0) { [weak self] in self?.take(result) }
        }
    }

    /// In place of a later one. Under the lock, so that it is this one that waits.
    private func wake(at deadline: UInt64) {
        timers.schedule(at: deadline, for: ObjectIdentifier(self)) { [weak self] in
            guard let self else { return }
            state.withLock { if $0.timerAt == deadline { $0.timerAt = nil } }
            ask()
        }
    }

    private func take(_ result: Result<ServiceAnswer, ServiceFailure>) {
        let now = clock.monotonicNanoseconds()
        let (found, complaint, notice): ([(Taker, ServiceEndpoint?)], String, ServiceNotice?) = state.withLock {
            state in
            state.table.take(result, now: now, random: .random(in: .min ... .max))
            let found = state.waiting.map { ($0, next(&state, now)) }
            state.waiting = []
            return (found, self.complaint(state), self.notice(&state, result, now))
        }
        for (taker, endpoint) in found { taker(endpoint, complaint) }
        if let notice { report(notice) }
        ask()
    }

    private func notice(
        _ state: inout State, _ result: Result<ServiceAnswer, ServiceFailure>, _ now: UInt64
    ) -> ServiceNotice? {
        guard !state.isClosed else { return nil }
        switch result {
        case .failure(let why):
            guard state.notices.tellsFailure(now: now) else { return nil }
            let count = state.table.endpoints.count
            let rest =
                count == 0
                ? "asking again" : "going on with \(count == 1 ? "the endpoint" : "the \(count) endpoints") of before"
            return .failed(message: "\(question.name): \(why); \(rest)")
        case .success:
            guard state.notices.tellsSuccess() else { return nil }
            return .works(message: "\(question.name): \(question.source.who) answers again")
        }
    }
}

extension ServiceQuestion.Source {
    /// Who is asked, for messages.
    fileprivate var who: String {
        switch self {
        case .dns: "the name server"
        case .consul: "Consul"
        case .etcd: "etcd"
        }
    }

    /// What an empty answer says.
    fileprivate var emptiness: String {
        switch self {
        case .dns: "its SRV record says that the service is not available"
        case .consul: "no instance of it passes its checks in Consul"
        case .etcd: "no instance of it is registered in etcd"
        }
    }
}
