// What a sampling server says of services, asked for beside the pipeline: spans are never held up for an answer. The pipeline's thread looks strategies up and
// names services; everything else happens on the timers' and the transport's thread.

public import Configuration
internal import Synchronization
public import System
internal import Telemetry
internal import Wire

/// The strategies of the services that a sampler sees. Safe to use from any thread.
public final class RemoteStrategies: Sendable {
    /// Requests at once.
    private static let requestsMax = 8
    /// Of an answer: some 2,000 operations.
    private static let responseBytesMax = 1 << 20
    private static let timeoutMilliseconds = 10_000
    /// Between two rounds where some had no answer. Nanoseconds.
    private static let againNanoseconds: UInt64 = 10_000_000_000
    /// A service that was not seen for so many rounds is forgotten.
    private static let roundsUnseen: UInt64 = 10
    /// Longer names are those of no service that a server would know.
    private static let nameBytesMax = 1_024

    /// Since the last look.
    struct Tally: Hashable, Sendable {
        var answered = 0
        var failed = 0
        /// Batches of services that there was no room for.
        var over = 0
    }

    private struct Entry: Sendable {
        var strategy: CompiledStrategy
        /// What it was made of; nil: the initial one.
        var answer: JaegerSamplingStrategy?
        var seenInRound: UInt64
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var waiting: [String] = []
        var requests = 0
        var round: UInt64 = 0
        var hasFailed = false
        var notices = FailureNotices()
        var tally = Tally()
        var nextOwner: UInt32 = 1
        var hasTimer = false

        mutating func owner() -> UInt32 {
            defer { nextOwner &+= 1 }
            return nextOwner
        }
    }

    private let configuration: RemoteSampling
    private let transport: any HTTPTransport
    private let timers: any TimerScheduler
    private let clock: any SystemClock
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())
    /// Of the services beyond the bound.
    private let others: CompiledStrategy

    /// - Parameter report: what an operator may want to hear; on any thread, and must not block.
    public init(
        _ configuration: RemoteSampling, transport: any HTTPTransport, timers: any TimerScheduler,
        clock: any SystemClock, report: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.transport = transport
        self.timers = timers
        self.clock = clock
        self.report = report
        others = CompiledStrategy(configuration.initial, owner: 0)
    }

    /// How the service's traces are sampled now. The pipeline's thread, once a batch. A service that is new is asked for.
    func strategy(of service: String) -> CompiledStrategy {
        let (strategy, isNew, startsTimer): (CompiledStrategy, Bool, Bool) = state.withLock { state in
            let round = state.round
            if let strategy = state.entries[service]?.strategy {
                state.entries[service]?.seenInRound = round
                return (strategy, false, false)
            }
            guard state.entries.count < configuration.servicesMax, service.utf8.count <= Self.nameBytesMax else {
                state.tally.over += 1
                return (others, false, false)
            }
            let owner = state.owner()
            let strategy = CompiledStrategy(configuration.initial, owner: owner)
            state.entries[service] = Entry(strategy: strategy, seenInRound: round)
            state.waiting.append(service)
            defer { state.hasTimer = true }
            return (strategy, true, !state.hasTimer)
        }
        if startsTimer { wake(after: configuration.intervalNanoseconds) }
        // Off the pipeline's thread, which has no time for it.
        if isNew { timers.schedule(at: 0) { [weak self] in self?.ask() } }
        return strategy
    }

    func takeTally() -> Tally {
        state.withLock { state in
            defer { state.tally = Tally() }
            return state.tally
        }
    }

    // MARK: Rounds

    private func wake(after nanoseconds: UInt64) {
        timers.schedule(at: clock.monotonicNanoseconds() + nanoseconds) { [weak self] in self?.beginRound() }
    }

    private func beginRound() {
        let hasFailed = state.withLock { state in
            defer { state.hasFailed = false }
            state.round += 1
            let round = state.round
            state.entries = state.entries.filter { round - $0.value.seenInRound <= Self.roundsUnseen }
            // What is still waiting is not asked for twice.
            let waiting = Set(state.waiting)
            state.waiting += state.entries.keys.filter { !waiting.contains($0) }.sorted()
            return state.hasFailed
        }
        ask()
        wake(
            after: hasFailed
                ? min(Self.againNanoseconds, configuration.intervalNanoseconds) : configuration.intervalNanoseconds)
    }

    private func ask() {
        while let service = nextService() {
            transport.send(request(service)) { [weak self] result in self?.take(service, result) }
        }
    }

    private func nextService() -> String? {
        state.withLock { state in
            guard state.requests < Self.requestsMax, !state.waiting.isEmpty else { return nil }
            state.requests += 1
            return state.waiting.removeFirst()
        }
    }

    private func request(_ service: String) -> HTTPRequest {
        let url = configuration.endpoint
        let query = (url.query.map { $0.isEmpty ? "" : $0 + "&" } ?? "") + "service=" + PercentEncoding.encoded(service)
        return HTTPRequest(
            url: url.with(path: url.path, query: query).description, headers: [("Accept", "application/json")],
            timeoutMilliseconds: Self.timeoutMilliseconds, responseBytesMax: Self.responseBytesMax)
    }

    // MARK: Answers

    private func take(_ service: String, _ result: Result<HTTPResponse, HTTPTransportError>) {
        let answer = Self.read(result)
        let now = clock.monotonicNanoseconds()
        let text: String? = state.withLock { state in
            state.requests -= 1
            switch answer {
            case .failure(let why):
                state.tally.failed += 1
                state.hasFailed = true
                guard state.notices.tellsFailure(now: now) else { return nil }
                let rest =
                    state.entries[service]?.answer == nil
                    ? "the initial sampler stands" : "what it said before stands"
                return
                    "\(configuration.endpoint): no sampling strategy for \(Self.shown(service)): \(why.text); \(rest)"
            case .success(let strategy):
                state.tally.answered += 1
                if state.entries[service] != nil, state.entries[service]?.answer != strategy {
                    let owner = state.owner()
                    state.entries[service]?.strategy = CompiledStrategy(strategy, owner: owner)
                    state.entries[service]?.answer = strategy
                }
                guard state.notices.tellsSuccess() else { return nil }
                return "\(configuration.endpoint): sampling strategies come again"
            }
        }
        if let text { report(text) }
        ask()
    }

    private struct Failure: Error { let text: String }

    private static func read(
        _ result: Result<HTTPResponse, HTTPTransportError>
    ) -> Result<JaegerSamplingStrategy, Failure> {
        switch result {
        case .failure(let error): return .failure(Failure(text: error.message))
        case .success(let response):
            guard response.status == 200 else { return .failure(Failure(text: "answered \(response.status)")) }
            do throws(DecodeError) {
                return .success(try JaegerSamplingStrategy(json: response.body))
            } catch {
                return .failure(Failure(text: "answered with what is no strategy (\(error))"))
            }
        }
    }

    /// Fit for one line of a terminal.
    private static func shown(_ service: String) -> String {
        let text = service.debugDescription
        return text.count > 80 ? text.prefix(79) + "…" : text
    }
}

/// A strategy, ready to be asked of spans. Made on any thread; asked on the pipeline's alone.
final class CompiledStrategy: @unchecked Sendable {
    // @unchecked: handed over under the mutex of `RemoteStrategies`, and then used by one thread.

    private enum Rule {
        /// Traces with this much randomness or more; and, whatever theirs is, as many as the bucket has tokens for.
        case threshold(UInt64, lowerBound: TokenBucket?)
        case rate(TokenBucket)
    }

    private struct Operation {
        let name: [UInt8]
        let rule: Rule
        let number: UInt32
    }

    private let rule: Rule
    private let operations: [UInt64: Operation]
    /// Tells its decisions from those of others.
    private let owner: UInt32

    /// - Parameter sampling: none that is remote, or of levels.
    init(_ sampling: HeadSampling, owner: UInt32) {
        self.owner = owner
        operations = [:]
        rule =
            switch sampling {
            case .always: .threshold(0, lowerBound: nil)
            case .never, .remote, .levels: .threshold(TraceRandomness.range, lowerBound: nil)
            case .ratio(let ratio): .threshold(TraceRandomness.threshold(ratio), lowerBound: nil)
            case .rate(let perSecond): .rate(TokenBucket(perSecond: perSecond))
            }
    }

    init(_ strategy: JaegerSamplingStrategy, owner: UInt32) {
        self.owner = owner
        func threshold(_ probability: Double) -> Rule {
            .threshold(
                TraceRandomness.threshold(probability),
                lowerBound: strategy.lowerBound > 0 ? TokenBucket(perSecond: strategy.lowerBound) : nil)
        }
        switch strategy.choice {
        case .probability(let probability): rule = threshold(probability)
        case .rate(let perSecond): rule = .rate(TokenBucket(perSecond: perSecond))
        }
        var operations: [UInt64: Operation] = [:]
        for (index, operation) in strategy.operations.enumerated() {
            let name = Array(operation.name.utf8)
            let hash = name.withUnsafeBytes { Self.hash($0) }
            // Of two names with one hash the second is as if it were not named.
            guard operations[hash] == nil else { continue }
            operations[hash] = Operation(
                name: name, rule: threshold(operation.probability), number: UInt32(index + 1))
        }
        self.operations = operations
    }

    /// - Parameters:
    ///   - fields: of the span.
    ///   - now: nanoseconds of a clock that does not go back.
    func isChosen(_ trace: TraceID, _ fields: FieldCursor, _ decisions: TraceDecisions, now: UInt64) -> Bool {
        var (rule, number) = (rule, UInt32(0))
        if !operations.isEmpty, let operation = operation(fields) {
            (rule, number) = (operation.rule, operation.number)
        }
        switch rule {
        case .threshold(let threshold, let lowerBound):
            let isChosen = TraceRandomness.of(trace, fields) >= threshold
            guard let lowerBound else { return isChosen }
            // Those that are chosen anyway count for the lower bound, too.
            let key = UInt64(owner) << 32 | UInt64(number)
            return decisions.isChosen(trace, key, by: lowerBound, now: now) || isChosen
        case .rate(let bucket): return decisions.isChosen(trace, UInt64(owner) << 32, by: bucket, now: now)
        }
    }

    private func operation(_ fields: FieldCursor) -> Operation? {
        var fields = fields
        while fields.next(), fields.number <= Tag.Span.name >> 3 {
            guard fields.tag == Tag.Span.name else { continue }
            let name = fields.bytes(fields.value)
            guard let operation = operations[Self.hash(name)], operation.name.elementsEqual(name) else { return nil }
            return operation
        }
        return nil
    }

    /// FNV-1a.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
