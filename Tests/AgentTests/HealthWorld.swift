import Configuration
import Health
import Linux
import Synchronization
import System

@testable import Agent

/// A keeper, its time and the network of its checks, all moved by hand.
final class HealthWorld {
    final class HandClock: SystemClock {
        private let now = Mutex<UInt64>(1_000_000_000_000)
        func monotonicNanoseconds() -> UInt64 { now.withLock { $0 } }
        func unixNanoseconds() -> UInt64 { 1_800_000_000_000_000_000 + monotonicNanoseconds() }
        func advance(_ nanoseconds: UInt64) { now.withLock { $0 += nanoseconds } }
    }

    final class Network: HTTPTransport {
        typealias Completion = @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void

        private let waiting = Mutex<[(request: HTTPRequest, completion: Completion)]>([])

        func send(_ request: HTTPRequest, completion: @escaping Completion) {
            waiting.withLock { $0.append((request, completion)) }
        }

        var requests: [HTTPRequest] { waiting.withLock { $0.map(\.request) } }

        /// Answers all that wait.
        func answer(_ answer: (HTTPRequest) -> Result<HTTPResponse, HTTPTransportError>) {
            let taken = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for (request, completion) in taken { completion(answer(request)) }
        }
    }

    /// What it looks at.
    final class Subject: HealthSubject {
        var isEnding = false
        var looks: [HealthLook] = []
        func look(_ settings: HealthConfiguration, now: UInt64) -> [HealthLook] { looks }
    }

    static let second: UInt64 = 1_000_000_000

    let clock = HandClock()
    let network = Network()
    let subject = Subject()
    let wake: EventDescriptor
    let keeper: HealthKeeper

    init(_ settings: HealthConfiguration = HealthConfiguration(), wish: NotifySocket.Wish? = nil) throws {
        wake = try EventDescriptor()
        keeper = HealthKeeper(
            settings, subject,
            HealthKeeper.Surroundings(
                service: "shop", description: "serving app.js", transport: network, wake: wake, clock: clock,
                wish: wish, messages: Messages(isQuiet: true, level: .error)))
    }

    var report: HealthReport { keeper.desk.report }
    func status(_ name: String) -> HealthStatus? { report.component(name)?.status }

    /// So much later the main thread calls its duty, where the timer says so.
    func run(seconds: Double = 0) {
        clock.advance(UInt64(seconds * 1e9))
        if keeper.timer <= clock.monotonicNanoseconds() { keeper.tick(now: clock.monotonicNanoseconds()) }
    }

    /// The same because something came.
    func wakeUp() { keeper.tick(now: clock.monotonicNanoseconds()) }

    static func check(_ name: String, failures: Int = 1, successes: Int = 1) throws -> HealthCheckConfiguration {
        var check = HealthCheckConfiguration(
            name, .http(try EndpointURL(parsing: "http://\(name).example/healthz"), statuses: 200...399, text: nil),
            HealthConfiguration())
        check.failures = failures
        check.successes = successes
        check.intervalNanoseconds = 5 * second
        return check
    }
}
