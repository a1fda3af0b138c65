// Questions to name servers, all on one thread of their own: libcurl's and the server's never wait for DNS. docs/adr/0019.
//
// A question has a c-ares channel of its own, so that a changed /etc/resolv.conf is read and nothing outlives its question. The thread waits for the sockets of
// all of them at once; it is started by the first question, and an idle one sleeps in poll without a timeout.

import CAres
import CLinux
import Glibc
import Synchronization
public import System

/// Asks name servers over c-ares: UDP, and TCP where an answer is too long for that. Safe to use from any thread; completions run on the resolver's thread, or
/// inside `ask` when the question cannot be asked at all.
public final class AresResolver: NameResolver {
    /// Questions at once. One more fails.
    public static let questionsMax = 128

    private let core = Core()

    /// No thread until the first question.
    public init() {}

    deinit { core.stop() }

    public func ask(
        _ question: ServiceQuestion, completion: @escaping @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    ) {
        core.ask(Core.Asked(question: question, completion: completion))
    }
}

/// What the resolver and its thread share.
private final class Core: Sendable {
    struct Asked: Sendable {
        var question: ServiceQuestion
        var completion: @Sendable (Result<ServiceAnswer, ServiceFailure>) -> Void
    }

    struct State: Sendable {
        var waiting: [Asked] = []
        /// Those with the thread included.
        var count = 0
        /// An eventfd; negative: the thread is not started.
        var wake: Int32 = -1
        var isStopped = false
    }

    let state = Mutex(State())

    func ask(_ asked: Asked) {
        let refusal: ServiceFailure? = state.withLock { state in
            guard !state.isStopped else { return ServiceFailure("the resolver was shut down") }
            guard state.count < AresResolver.questionsMax else {
                return ServiceFailure("\(AresResolver.questionsMax) questions are under way already")
            }
            if let refusal = start(&state) { return refusal }
            state.count += 1
            state.waiting.append(asked)
            Self.signal(state.wake)
            return nil
        }
        if let refusal { asked.completion(.failure(refusal)) }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            if state.wake >= 0 { Self.signal(state.wake) }
        }
    }

    func take() -> (asked: [Asked], isStopped: Bool) {
        state.withLock { state in
            defer { state.waiting = [] }
            return (state.waiting, state.isStopped)
        }
    }

    func didEnd() { state.withLock { $0.count -= 1 } }

    private func start(_ state: inout State) -> ServiceFailure? {
        guard state.wake < 0 else { return nil }
        var failure: UnsafePointer<CChar>?
        guard let ares = sl_ares_load(&failure) else {
            return ServiceFailure("no name can be asked for: " + (failure.map { String(cString: $0) } ?? ""))
        }
        let wake = sl_eventfd()
        guard wake >= 0 else { return ServiceFailure("no eventfd: " + String(cString: strerror(errno))) }
        let functions = Functions(pointer: ares)
        guard startThread({ ResolverLoop(self, functions, wake).run() }) else {
            close(wake)
            return ServiceFailure("no thread: " + String(cString: strerror(errno)))
        }
        state.wake = wake
        return nil
    }

    private static func signal(_ wake: Int32) {
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }
}

/// c-ares, loaded.
struct Functions: @unchecked Sendable {
    // @unchecked: a table that nobody writes to any more.
    let pointer: UnsafePointer<sl_ares>
}

/// What the thread runs.
private final class ResolverLoop {
    private let core: Core
    private let functions: Functions
    private let wake: Int32
    private var running: [(lookup: Lookup, asked: Core.Asked)] = []

    init(_ core: Core, _ functions: Functions, _ wake: Int32) {
        self.core = core
        self.functions = functions
        self.wake = wake
    }

    func run() {
        // They are the main thread's business.
        var every = sigset_t()
        sigfillset(&every)
        pthread_sigmask(SIG_SETMASK, &every, nil)
        while true {
            let work = core.take()
            for asked in work.asked { running.append((Lookup(asked.question, functions), asked)) }
            if work.isStopped { break }
            endFinished()
            wait()
        }
        for (lookup, asked) in running { end(asked, lookup.finish(because: "the resolver was shut down")) }
        core.state.withLock { $0.wake = -1 }
        close(wake)
    }

    private func endFinished() {
        let now = Lookup.now()
        for index in running.indices.reversed() where running[index].lookup.isOver(now) {
            let (lookup, asked) = running.remove(at: index)
            end(asked, lookup.finish(because: "no answer within \(Lookup.secondsMax) s"))
        }
    }

    private func end(_ asked: Core.Asked, _ result: Result<ServiceAnswer, ServiceFailure>) {
        core.didEnd()
        asked.completion(result)
    }

    /// Waits for sockets, and lets c-ares read and write them.
    private func wait() {
        var entries = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        var owners: [Int] = []
        var milliseconds = Int32(-1)
        let now = Lookup.now()
        for (index, entry) in running.enumerated() {
            let sockets = entry.lookup.sockets()
            entries += sockets
            owners += Array(repeating: index, count: sockets.count)
            let longest = entry.lookup.millisecondsMax(now)
            milliseconds = milliseconds < 0 ? longest : min(milliseconds, longest)
        }
        guard poll(&entries, nfds_t(entries.count), milliseconds) >= 0 else { return }
        if entries[0].revents != 0 {
            var count: UInt64 = 0
            _ = read(wake, &count, 8)
        }
        var isServed = Array(repeating: false, count: running.count)
        for (entry, owner) in zip(entries.dropFirst(), owners) where entry.revents != 0 {
            isServed[owner] = true
            running[owner].lookup.process(entry)
        }
        for (index, entry) in running.enumerated() where !isServed[index] { entry.lookup.process(nil) }
    }
}
