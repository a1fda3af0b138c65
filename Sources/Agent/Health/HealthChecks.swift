internal import Configuration
internal import Health
internal import Linux
internal import Synchronization
internal import System
internal import Transport

/// Makes the checks that the configuration has, each at its time. Main thread; answers come on the transport's.
final class HealthChecks {
    /// What a check came to.
    struct Outcome: Sendable {
        let name: String
        let finding: HealthFinding
        /// "pass", "warn", "fail", or the code of why there was no answer. For a counter.
        let word: String
        fileprivate let serial: Int
    }

    private struct Kept {
        var configuration: HealthCheckConfiguration
        var serial: Int
        /// When it is made next, CLOCK_MONOTONIC.
        var dueAt: UInt64
        /// One that is under way began then.
        var startedAt: UInt64?
    }

    private let transport: any HTTPTransport
    private let wake: EventDescriptor
    private let clock: any SystemClock
    private let inbox = Inbox()
    private var checks: [Kept] = []
    private var lastSerial = 0

    private final class Inbox: Sendable {
        let outcomes = Mutex<[Outcome]>([])
    }

    /// For a process that has none. No thread until the first check.
    static func transport() -> any HTTPTransport { CurlTransport(options) }
    /// By no proxy: what is asked is whether this process gets there.
    static let options = {
        var options = CurlTransport.Options()
        options.proxy = ""
        return options
    }()

    /// - Parameter wake: The main thread's.
    init(_ transport: any HTTPTransport, _ wake: EventDescriptor, _ clock: any SystemClock) {
        self.transport = transport
        self.wake = wake
        self.clock = clock
    }

    /// From now on these; those that stay as they are go on.
    func adopt(_ configurations: [HealthCheckConfiguration], now: UInt64) {
        checks = configurations.map { configuration in
            if let kept = checks.first(where: { $0.configuration == configuration }) { return kept }
            lastSerial += 1
            return Kept(configuration: configuration, serial: lastSerial, dueAt: now)
        }
    }

    /// When one is to be made; `.max`: none is.
    var timer: UInt64 { checks.reduce(.max) { $1.startedAt == nil ? min($0, $1.dueAt) : $0 } }

    /// Begins those whose time has come, and returns what others came to.
    func tick(now: UInt64) -> [Outcome] {
        let outcomes = inbox.outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
        var current: [Outcome] = []
        for outcome in outcomes {
            // Of one that is not made any more: nobody wants to know.
            guard let index = checks.firstIndex(where: { $0.serial == outcome.serial }),
                let startedAt = checks[index].startedAt
            else { continue }
            checks[index].startedAt = nil
            checks[index].dueAt = max(startedAt &+ checks[index].configuration.intervalNanoseconds, now)
            current.append(outcome)
        }
        for index in checks.indices where checks[index].startedAt == nil && checks[index].dueAt <= now {
            checks[index].startedAt = now
            start(checks[index], now)
        }
        return current
    }

    private func start(_ check: Kept, _ now: UInt64) {
        let (inbox, wake, clock) = (inbox, wake, clock)
        let expectation = check.configuration.expectation
        transport.send(check.configuration.request) { result in
            let milliseconds = Double(clock.monotonicNanoseconds() &- now) / 1e6
            var (finding, word) = Self.finding(result, expectation)
            finding.value = (milliseconds * 1_000).rounded() / 1_000
            let outcome = Outcome(
                name: check.configuration.name, finding: finding, word: word, serial: check.serial)
            inbox.outcomes.withLock { $0.append(outcome) }
            wake.signal()
        }
    }

    private static func finding(
        _ result: Result<HTTPResponse, HTTPTransportError>, _ expectation: CheckExpectation?
    ) -> (HealthFinding, String) {
        switch result {
        case .success(let response):
            let finding = expectation?.finding(response) ?? .pass
            return (finding, finding.status.word)
        case .failure(let error): return (HealthFinding(.fail, error.message), error.code.rawValue)
        }
    }
}

extension HealthCheckConfiguration {
    /// Nil: a connection is all.
    fileprivate var expectation: CheckExpectation? {
        guard case .http(_, let statuses, let text) = target else { return nil }
        return CheckExpectation(statuses: statuses, text: text)
    }

    fileprivate var request: HTTPRequest {
        let milliseconds = max(1, Int(timeoutNanoseconds / 1_000_000))
        switch target {
        case .http(let url, _, _):
            // A connection that is kept would say nothing about whether new ones are taken.
            let headers = [
                ("accept", "application/health+json, */*;q=0.5"), ("connection", "close"),
            ]
            return HTTPRequest(
                url: url.description, headers: headers.map { (name: $0.0, value: $0.1) },
                timeoutMilliseconds: milliseconds, responseBytesMax: CheckExpectation.bodyBytesMax)
        case .tcp(let place):
            var request = HTTPRequest(url: "http://\(place)", timeoutMilliseconds: milliseconds)
            request.connectsOnly = true
            return request
        }
    }
}
