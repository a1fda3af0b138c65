// Incoming HTTP/1.1 and HTTP/2 (with prior knowledge, or by ALPN) on one thread with epoll.
//
// The thread's life is a chain of turns: wait until sockets are ready, read each once and hand whole requests to handlers, take what other threads have
// posted, tell the handlers that the turn is over, send. A handler may answer at once; one that waits for a write to disk answers in `turnEnded`, after one
// write for all that the turn brought; one that waits for a backend answers whenever that is done, from whatever thread.
//
// One read buffer and one write buffer serve all connections: a body that comes whole with its head is never copied, and a connection that is idle holds
// nothing but its parser. What is kept for longer than a turn (a body in parts, a request that waits its turn, an answer that the client does not read) is
// counted in the memory budget.

public import System

/// Made on any thread, run on one.
public final class Server: Sendable {
    public let counters = ServerCounters()

    private let limits: ServerLimits
    private let clock: any SystemClock
    private let mailbox: Mailbox
    private let listeners: [Listener]
    private let companion: (any ServerCompanion)?

    /// A listening socket, non-blocking, that the caller keeps open until it is no listener any more or `run` has returned, and who answers what comes in
    /// there.
    public struct Listener: Sendable {
        public let fileDescriptor: Int32
        public let handler: any RequestHandler
        /// Bytes of a body that comes in there, as it comes and when decoded; nil: `ServerLimits.bodyBytesMax`.
        public let bodyBytesMax: Int?

        public let door: Door

        public init(
            fileDescriptor: Int32, handler: any RequestHandler, bodyBytesMax: Int? = nil, door: Door = Door()
        ) {
            self.fileDescriptor = fileDescriptor
            self.handler = handler
            self.bodyBytesMax = bodyBytesMax
            self.door = door
        }
    }

    public init(
        _ listeners: [Listener], companion: (any ServerCompanion)? = nil, limits: ServerLimits = ServerLimits(),
        budget: MemoryBudget, clock: any SystemClock
    ) throws(ServerError) {
        self.listeners = listeners
        self.companion = companion
        self.limits = limits
        self.clock = clock
        mailbox = try Mailbox(budget: budget, streamBytesMax: limits.streamBytesMax)
    }

    /// Serves on the calling thread until `stop`; once. Signals are best blocked there.
    public func run() throws(ServerError) {
        let loop = try Loop(listeners, companion, limits, mailbox, counters, clock)
        loop.run()
    }

    /// Any thread; returns at once. No connection is accepted any more, idle ones are closed, and requests that have begun are finished and answered
    /// until the time is over; then `run` returns.
    public func stop(graceMilliseconds: Int) {
        mailbox.post(
            .stop(untilNanoseconds: clock.monotonicNanoseconds() &+ UInt64(max(0, graceMilliseconds)) &* 1_000_000))
    }

    /// Any thread; returns at once. `work` runs on the server's thread, between turns, in the order of the calls; never when the server has ended.
    public func perform(_ work: @escaping @Sendable () -> Void) { mailbox.post(.perform(work)) }

    /// Any thread; returns at once. `next` is called on the server's thread, between turns, and from then on what it returns are the listeners: a socket that was
    /// one before keeps its connections, whose next requests go to the new handler; one that is none any more accepts nobody, and its connections end when
    /// their requests are answered. `done` is told on the server's thread, with the reason why it cannot listen at one of them.
    public func change(
        _ next: @escaping @Sendable () -> [Listener], done: @escaping @Sendable (ServerError?) -> Void
    ) {
        mailbox.post(.change(next, done))
    }

    /// Any thread; returns at once. There is a turn whenever the descriptor is readable, until `unwatch`; the caller keeps it open until then.
    public func watch(_ fileDescriptor: Int32) { mailbox.post(.watch(fileDescriptor)) }
    public func unwatch(_ fileDescriptor: Int32) { mailbox.post(.unwatch(fileDescriptor)) }
}
