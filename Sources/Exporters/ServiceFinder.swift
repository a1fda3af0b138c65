import Discovery
import Synchronization
public import System

/// Finds nothing: for exporters that have fixed endpoints alone.
public struct NoResolver: NameResolver {
    public init() {}

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        completion(.failure(ServiceFailure("there is nobody to ask")))
    }
}

/// Where a service is at the moment: asks for it when somebody first wants to know, and from then on in time. Safe to use from any thread.
///
/// What the resolver answers is dealt with on the timers' thread, so that whoever waits for an endpoint goes on there.
final class ServiceFinder: Sendable {
    /// Nil: there is none, and why.
    typealias Taker = @Sendable (ServiceEndpoint?, _ complaint: String) -> Void

    private struct State: Sendable {
        var table = ServiceTable()
        /// Those that wait for the first answer: one for each request in flight at most.
        var waiting: [Taker] = []
        /// Deadline of the timer that is out.
        var timerAt: UInt64?
        var isClosed = false
        var notices = FailureNotices()
    }

    let question: ServiceQuestion
    private let resolver: any NameResolver
    private let timers: any TimerScheduler
    private let clock: any SystemClock
    private let report: @Sendable (ExporterEvent) -> Void
    private let state = Mutex(State())

    init(
        _ question: ServiceQuestion, _ resolver: any NameResolver, timers: any TimerScheduler, clock: any SystemClock,
        report: @escaping @Sendable (ExporterEvent) -> Void
    ) {
        self.question = question
        self.resolver = resolver
        self.timers = timers
        self.clock = clock
        self.report = report
    }

    /// Questions that were answered, those that were not, and the endpoints there are.
    var counts: (answered: Int, failed: Int, endpoints: Int) {
        state.withLock { ($0.table.answered, $0.table.failed, $0.table.endpoints.count) }
    }

    /// Calls `taker` once: at once, or when the first answer is there. `note` is to follow where there is an endpoint.
    func find(_ taker: @escaping Taker) {
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

    /// What came of a request.
    func note(_ endpoint: ServiceEndpoint, hasWorked: Bool) {
        let now = clock.monotonicNanoseconds()
        state.withLock { $0.table.note(endpoint, hasWorked: hasWorked, now: now) }
        if !hasWorked { ask() }
    }

    /// Whether there is an endpoint that is not known to fail.
    var hasUsable: Bool {
        let now = clock.monotonicNanoseconds()
        return state.withLock { $0.table.hasUsable(now: now) }
    }

    /// Nobody is to be found any more.
    func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = true
            return state.waiting
        }
        for taker in waiting { taker(nil, "\(question.name): it is not asked for any more") }
    }

    private func next(_ state: inout State, _ now: UInt64) -> ServiceEndpoint? {
        state.table.next(now: now, random: .random(in: .min ... .max))
    }

    private func complaint(_ state: borrowing State) -> String {
        state.table.failure.map { "\(question.name): \($0)" }
            ?? "\(question.name): its SRV record says that the service is not available"
    }

    // MARK: Asking

    /// Asks if it is time, else sees to it that it is done in time.
    private func ask() {
        let now = clock.monotonicNanoseconds()
        let (asks, timer): (Bool, UInt64?) = state.withLock { state in
            guard !state.isClosed else { return (false, nil) }
            if state.table.asks(now: now) { return (true, nil) }
            guard let wakeAt = state.table.wakeAt, wakeAt < state.timerAt ?? .max else { return (false, nil) }
            state.timerAt = wakeAt
            return (false, wakeAt)
        }
        if let timer { wake(at: timer) }
        guard asks else { return }
        resolver.ask(question) { [weak self, timers] result in
            timers.schedule(at: 0) { [weak self] in self?.take(result) }
        }
    }

    private func wake(at deadline: UInt64) {
        timers.schedule(at: deadline) { [weak self] in
            guard let self else { return }
            state.withLock { if $0.timerAt == deadline { $0.timerAt = nil } }
            ask()
        }
    }

    private func take(_ result: Result<ServiceAnswer, ServiceFailure>) {
        let now = clock.monotonicNanoseconds()
        let (found, complaint, event): ([(Taker, ServiceEndpoint?)], String, ExporterEvent?) = state.withLock { state in
            state.table.take(result, now: now, random: .random(in: .min ... .max))
            let found = state.waiting.map { ($0, next(&state, now)) }
            state.waiting = []
            return (found, self.complaint(state), notice(&state, result, now))
        }
        for (taker, endpoint) in found { taker(endpoint, complaint) }
        if let event { report(event) }
        ask()
    }

    private func notice(
        _ state: inout State, _ result: Result<ServiceAnswer, ServiceFailure>, _ now: UInt64
    ) -> ExporterEvent? {
        guard !state.isClosed else { return nil }
        switch result {
        case .failure(let why):
            guard state.notices.tellsFailure(now: now) else { return nil }
            let count = state.table.endpoints.count
            let rest =
                count == 0
                ? "asking again" : "going on with \(count == 1 ? "the endpoint" : "the \(count) endpoints") of before"
            return .lookupFailed(message: "\(question.name): \(why); \(rest)")
        case .success:
            guard state.notices.tellsSuccess() else { return nil }
            return .lookupWorks(message: "\(question.name): the name server answers again")
        }
    }
}
