// Every outgoing HTTP request of a process goes through one thread with one curl multi handle.
//
// Why one thread: curl does the waiting for any number of transfers in one poll, so more threads would only cost
// memory. The same thread runs the exporters' timers (`TimerScheduler`) and with them their encoding, so an agent
// that exports to three places still has one thread for it. It is started by the first request or timer; an idle one
// sleeps in poll without a timeout.
//
// Who runs what: `send` and `schedule` put the work into a list under a mutex and wake the thread; everything that
// touches curl, and every completion and timer action, runs on the thread, never inside one of curl's callbacks. So a
// completion may call `send`.
//
// `Core` exists so that dropping the last reference to a `CurlTransport` ends the thread: the thread holds the core
// only.

import CCurl
import Glibc
import Synchronization
public import System

/// HTTP over libcurl: keep-alive, HTTP/2 where TLS offers it, several requests in flight, proxies by curl's
/// environment rules.
///
/// Safe to use from any thread. Completions and timer actions run on the transport's one thread.
public final class CurlTransport: HTTPTransport, TimerScheduler {
    /// Requests that may be under way or waiting at once. One more fails at once with `.cancelled`.
    public static let outstandingMax = 1_024
    /// Timers that may wait at once. More is a fault of the program.
    public static let timersMax = 1_024

    /// What holds for all requests of one client: TLS identity, proxy, redirects.
    public struct Options: Sendable {
        /// PEM file with the certificates to trust; nil for the system's.
        public var authorityFile: String?
        /// PEM files of the client's certificate and key; nil for none.
        public var certificateFile: String?
        public var keyFile: String?
        /// Take any certificate, of whomever.
        public var isInsecure = false
        /// URL of a proxy, "" for none, nil for what the environment says (`http_proxy`, `https_proxy`, `no_proxy` as
        /// curl reads them). Loopback addresses never go through a proxy.
        public var proxy: String?
        /// Milliseconds until a connection must stand; the request's own timeout counts as well.
        public var connectTimeoutMilliseconds = 5_000
        /// Follow this many redirects; 0 hands a redirect to the caller as the response.
        public var redirectsMax = 0
        /// Ask for compressed responses and decode them. `responseBytesMax` counts decoded bytes.
        public var decodesResponses = false
        public var userAgent = "sidelight"
        /// Streamed requests on which no byte moves for so long, unless they are paused, have failed; 0: never.
        public var idleTimeoutSeconds = 300

        public init() {}
    }

    private let core = Core()
    private let options: Options

    /// Makes a transport; no thread, no memory of curl's until the first request or timer.
    public init(_ options: Options = Options()) { self.options = options }

    deinit { core.shutdown() }

    public func send(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void
    ) {
        core.send(Exchange(request, options, completion))
    }

    public func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void) {
        core.schedule(at: deadline, for: nil, action)
    }

    public func schedule(at deadline: UInt64, for owner: ObjectIdentifier, _ action: @escaping @Sendable () -> Void) {
        core.schedule(at: deadline, for: owner, action)
    }

    public func cancel(_ owner: ObjectIdentifier) { core.cancel(owner) }

    /// Another client on the same thread and the same pool of connections, with options of its own.
    public func client(_ options: Options) -> Client { Client(transport: self, options: options) }

    /// Streamed requests on the same thread and the same pool of connections.
    /// - Parameter deliver: called on the transport's thread with what happened in a round of its loop, in order; it must not
    ///   block.
    public func streams(_ options: Options, deliver: @escaping @Sendable ([HTTPStreamUpdate]) -> Void) -> HTTPStreams {
        HTTPStreams(core, options, deliver)
    }

    /// Completes everything outstanding with `.shutdown` and ends the thread; later requests get `.shutdown` at once.
    /// May be called again. Returns when the thread has ended, except on the transport's own thread (from a
    /// completion), where it returns at once.
    public func shutdown() { core.shutdown() }

    /// See `CurlTransport.client`.
    public struct Client: HTTPTransport {
        let transport: CurlTransport
        let options: Options

        public func send(
            _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void
        ) {
            transport.core.send(Exchange(request, options, completion))
        }
    }
}

extension CurlTransport {
    /// State shared with the thread, and the thread's life.
    final class Core: Sendable {
        struct Timer: Sendable {
            var deadline: UInt64
            /// Has no other.
            var owner: ObjectIdentifier?
            var action: @Sendable () -> Void
        }

        enum Phase { case notStarted, running, stopped }

        struct State: Sendable {
            var phase = Phase.notStarted
            /// Requests the thread has not taken yet.
            var incoming: [Exchange] = []
            /// Requests not yet completed, `incoming` included.
            var outstanding = 0
            /// What streamed requests ask for, not taken yet.
            var inputs: [StreamInput] = []
            var streamCount = 0
            var timers: [Timer] = []
            /// Set by the thread once it has one, taken away before it is freed.
            var multi: MultiHandle?
            /// Whether a wake-up is on its way, so that a burst of requests costs one.
            var isWoken = false
            var thread: ServiceThread?
        }

        /// What the thread does next.
        struct Work: Sendable {
            var exchanges: [Exchange]
            var inputs: [StreamInput]
            var dueTimers: [Timer]
            var isStopped: Bool
        }

        let state = Mutex(State())
        /// Held while joining, so that a second `shutdown` waits for the first.
        private let joining = Mutex(())

        func send(_ exchange: Exchange) {
            let refusal: HTTPTransportError? = state.withLock { state in
                if state.phase == .stopped { return HTTPTransportError(.shutdown, "the HTTP client is shut down") }
                guard state.outstanding < outstandingMax else {
                    return HTTPTransportError(.cancelled, "\(outstandingMax) HTTP requests are already under way")
                }
                state.outstanding += 1
                state.incoming.append(exchange)
                wakeOrStart(&state)
                return nil
            }
            if let refusal { exchange.completion(.failure(refusal)) }
        }

        /// False when it is refused: a start beyond the bound, or anything after the shutdown.
        @discardableResult func send(_ input: StreamInput) -> Bool {
            state.withLock { state in
                guard state.phase != .stopped else { return false }
                if case .start = input {
                    guard state.streamCount < HTTPStreams.outstandingMax else { return false }
                    state.streamCount += 1
                }
                state.inputs.append(input)
                wakeOrStart(&state)
                return true
            }
        }

        func schedule(
            at deadline: UInt64, for owner: ObjectIdentifier?, _ action: @escaping @Sendable () -> Void
        ) {
            state.withLock { state in
                guard state.phase != .stopped else { return }
                if let owner { state.timers.removeAll { $0.owner == owner } }
                precondition(state.timers.count < timersMax, "too many timers wait: \(state.timers.count)")
                state.timers.append(Timer(deadline: deadline, owner: owner, action: action))
                wakeOrStart(&state)
            }
        }

        func cancel(_ owner: ObjectIdentifier) {
            state.withLock { $0.timers.removeAll { $0.owner == owner } }
        }

        func shutdown() {
            let thread: ServiceThread? = state.withLock { state in
                if state.phase == .running { wakeOrStart(&state) }
                state.phase = .stopped
                return state.thread
            }
            guard let thread else { return }
            if thread.isCurrent {
                state.withLock {
                    if $0.thread != nil { thread.detach() }; $0.thread = nil
                }
                return
            }
            joining.withLock { _ in
                let mine = state.withLock { state in
                    defer { state.thread = nil }
                    return state.thread
                }
                mine?.join()
            }
        }

        private func wakeOrStart(_ state: inout State) {
            switch state.phase {
            case .notStarted:
                state.phase = .running
                state.thread = ServiceThread(name: "sidelight-http") { [self] in CurlLoop(self).run() }
            case .running:
                // Before the thread has its multi handle it has not looked at the lists either.
                guard let multi = state.multi, !state.isWoken, state.thread?.isCurrent != true else { return }
                state.isWoken = true
                curl_multi_wakeup(multi.pointer)
            case .stopped: preconditionFailure("woken after shutdown")
            }
        }

        /// Takes what there is to do. The loop's thread.
        func takeWork(now: UInt64) -> Work {
            state.withLock { state in
                state.isWoken = false
                var due: [Timer] = []
                if state.timers.contains(where: { $0.deadline <= now }) {
                    due = state.timers.filter { $0.deadline <= now }.sorted { $0.deadline < $1.deadline }
                    state.timers.removeAll { $0.deadline <= now }
                }
                let exchanges = state.incoming
                state.incoming.removeAll(keepingCapacity: true)
                let inputs = state.inputs
                state.inputs.removeAll(keepingCapacity: true)
                return Work(exchanges: exchanges, inputs: inputs, dueTimers: due, isStopped: state.phase == .stopped)
            }
        }

        /// Milliseconds the thread may sleep: 0 when there is work. The loop's thread.
        func sleepMilliseconds(now: UInt64) -> Int32 {
            state.withLock { state in
                guard state.incoming.isEmpty, state.inputs.isEmpty, state.phase != .stopped else { return 0 }
                guard let next = state.timers.lazy.map(\.deadline).min() else { return Int32.max }
                guard next > now else { return 0 }
                return Int32(min((next - now + 999_999) / 1_000_000, UInt64(Int32.max)))
            }
        }

        func didEndStream() { state.withLock { $0.streamCount -= 1 } }

        func didComplete() { state.withLock { $0.outstanding -= 1 } }
    }
}

/// A multi handle that may be woken from any thread.
struct MultiHandle: @unchecked Sendable {
    // @unchecked: other threads only pass it to curl_multi_wakeup, which curl allows, and under the core's mutex.
    let pointer: UnsafeMutableRawPointer
}
