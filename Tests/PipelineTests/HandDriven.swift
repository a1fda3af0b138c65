import Configuration
import Synchronization
import System

/// A clock that stands still until told.
final class HandClock: SystemClock {
    private let time = Mutex<UInt64>(1_000_000_000_000)
    private let unix = Mutex<UInt64>(784_111_770 * 1_000_000_000)
    func monotonicNanoseconds() -> UInt64 { time.withLock { $0 } }
    func unixNanoseconds() -> UInt64 { unix.withLock { $0 } }
    func advance(_ nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }
    func advanceUnix(_ nanoseconds: UInt64) { unix.withLock { $0 += nanoseconds } }
}

/// Timers that run when told.
final class HandTimers: TimerScheduler {
    private let waiting = Mutex<[(deadline: UInt64, action: @Sendable () -> Void)]>([])

    var count: Int { waiting.withLock { $0.count } }

    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append((deadline, action)) }
    }

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

/// Keeps requests until the test answers them, or answers at once.
final class HandTransport: HTTPTransport {
    typealias Answer = Result<HTTPResponse, HTTPTransportError>

    private struct State {
        var requests: [HTTPRequest] = []
        var completions: [@Sendable (Answer) -> Void] = []
        var standing: (@Sendable (HTTPRequest) -> Answer)?
    }
    private let state = Mutex(State())

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var openCount: Int { state.withLock { $0.completions.count } }

    func send(_ request: HTTPRequest, completion: @escaping @Sendable (Answer) -> Void) {
        let standing = state.withLock { state in
            state.requests.append(request)
            if state.standing == nil { state.completions.append(completion) }
            return state.standing
        }
        if let standing { completion(standing(request)) }
    }

    /// Answers every further request at once, inside `send`.
    func answerAll(_ answer: @escaping @Sendable (HTTPRequest) -> Answer) { state.withLock { $0.standing = answer } }

    /// Answers the oldest open request.
    func answer(_ answer: Answer) {
        let completion = state.withLock { $0.completions.removeFirst() }
        completion(answer)
    }

    /// No open request is ever answered.
    func forgetAll() { state.withLock { $0.completions = [] } }

    func answer(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        answer(.success(HTTPResponse(status: status, headers: headers, body: body)))
    }
}
