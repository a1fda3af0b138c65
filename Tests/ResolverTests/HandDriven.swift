import Synchronization
import System

let second: UInt64 = 1_000_000_000

/// A clock that stands still until told.
final class HandClock: SystemClock {
    private let time = Mutex<UInt64>(1_000 * second)
    func monotonicNanoseconds() -> UInt64 { time.withLock { $0 } }
    func unixNanoseconds() -> UInt64 { 0 }
    func advance(_ nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }
}

/// Timers that run when told.
final class HandTimers: TimerScheduler {
    private typealias Timer = (deadline: UInt64, owner: ObjectIdentifier?, action: @Sendable () -> Void)
    private let waiting = Mutex<[Timer]>([])

    var count: Int { waiting.withLock { $0.count } }

    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append((deadline, nil, action)) }
    }

    func schedule(at deadline: UInt64, for owner: ObjectIdentifier, _ action: @escaping @Sendable () -> Void) {
        cancel(owner)
        waiting.withLock { $0.append((deadline, owner, action)) }
    }

    func cancel(_ owner: ObjectIdentifier) { waiting.withLock { $0.removeAll { $0.owner == owner } } }

    /// Runs what is due, and what becomes due by that.
    func fire(_ clock: HandClock) {
        while true {
            let now = clock.monotonicNanoseconds()
            let action: (@Sendable () -> Void)? = waiting.withLock { waiting in
                guard let index = waiting.firstIndex(where: { $0.deadline <= now }) else { return nil }
                return waiting.remove(at: index).action
            }
            guard let action else { return }
            action()
        }
    }
}

/// Keeps requests until the test answers them.
final class HandTransport: HTTPTransport {
    typealias Answer = Result<HTTPResponse, HTTPTransportError>
    private let open = Mutex<[(request: HTTPRequest, completion: @Sendable (Answer) -> Void)]>([])

    var requests: [HTTPRequest] { open.withLock { $0.map(\.request) } }
    var urls: [String] { requests.map(\.url) }

    func send(_ request: HTTPRequest, completion: @escaping @Sendable (Answer) -> Void) {
        open.withLock { $0.append((request, completion)) }
    }

    /// Answers the oldest.
    func answer(_ answer: Answer) {
        let completion = open.withLock { $0.removeFirst().completion }
        completion(answer)
    }

    func answer(_ status: Int = 200, index: UInt64? = nil, _ body: String) {
        let headers = index.map { [(name: "x-consul-index", value: "\($0)")] } ?? []
        answer(.success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))))
    }

    func fail() { answer(.failure(HTTPTransportError(.connect, "refused"))) }
}

/// What a question came to.
final class Answers: Sendable {
    typealias Answer = Result<ServiceAnswer, ServiceFailure>
    private let all = Mutex<[Answer]>([])

    func take(_ answer: Answer) { all.withLock { $0.append(answer) } }

    var last: ServiceAnswer? {
        guard case .success(let answer) = all.withLock({ $0.last }) else { return nil }
        return answer
    }

    var failure: String? {
        guard case .failure(let why) = all.withLock({ $0.last }) else { return nil }
        return why.description
    }

    var count: Int { all.withLock { $0.count } }
}
