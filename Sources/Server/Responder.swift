internal import Synchronization
internal import System

/// What one request is answered through. Any thread; once. A request whose responder is dropped without an answer gets status 500.
public final class Responder: Sendable {
    private let connection: Connection
    private let mailbox: Mailbox
    /// Which request of the connection.
    private let exchange: Int32
    private let isAnswered = Atomic<Bool>(false)

    init(_ connection: Connection, _ exchange: Int32, _ mailbox: Mailbox) {
        self.connection = connection
        self.exchange = exchange
        self.mailbox = mailbox
    }

    deinit {
        if !isAnswered.load(ordering: .relaxed) {
            send(Response(status: 500, fields: .none, body: [], trailers: .none))
        }
    }

    /// A whole answer. Nobody is told when the client has left meanwhile; `ServerCounters.answersUnsent` counts it.
    /// - Parameter trailers: sent over HTTP/2 only.
    public func respond(
        _ status: Int, _ fields: ResponseFields = .none, body: [UInt8] = [], trailers: ResponseFields = .none
    ) {
        claim()
        send(Response(status: status, fields: fields, body: body, trailers: trailers))
    }

    /// An answer in pieces.
    /// - Parameter onLeft: called once, on the server's thread, when the client left before `end`; inside of this call, where it has left already. The stream
    ///   is over then.
    public func stream(
        _ status: Int, _ fields: ResponseFields, onLeft: @escaping @Sendable () -> Void = {}
    ) -> ResponseStream {
        claim()
        let stream = StreamState(connection, exchange, mailbox, onLeft)
        if mailbox.isOnServerThread {
            connection.loop.start(stream, status, fields)
        } else {
            mailbox.post(.start(stream, status, fields))
        }
        return ResponseStream(stream)
    }

    private func claim() {
        precondition(!isAnswered.exchange(true, ordering: .relaxed), "a request is answered once")
    }

    private func send(_ response: Response) {
        if mailbox.isOnServerThread {
            connection.loop.answer(connection, exchange, response)
        } else {
            mailbox.post(.answer(connection, exchange, response))
        }
    }
}

struct Response: Sendable {
    let status: Int
    let fields: ResponseFields
    let body: [UInt8]
    let trailers: ResponseFields
}

/// An answer that is sent piece by piece: server-sent events, long downloads. Any thread. Whoever drops it without `end` cuts the answer off, so that the client
/// sees that it is not whole.
public final class ResponseStream: Sendable {
    let state: StreamState

    init(_ state: StreamState) { self.state = state }

    deinit { state.mailbox.post(.abandon(state)) }

    /// Bytes that were written and that the system has not taken yet.
    public var bytesQueued: Int { state.queued.load(ordering: .relaxed) }

    /// Whether it has ended or the client has left, be it before `Responder.stream` returned.
    public var isOver: Bool { state.isEnded }

    /// Sends a piece, in the order of the calls of one thread. False, and nothing is sent: the client has left, it reads too slowly
    /// (`ServerLimits.streamBytesMax` wait), or the memory budget has no room.
    public func write(_ piece: [UInt8]) -> Bool { state.write(piece) }

    /// No further piece.
    public func end() { state.end() }
}

/// What the server knows of a stream. Any thread.
final class StreamState: Sendable {
    let connection: Connection
    let exchange: Int32
    let mailbox: Mailbox
    let queued = Atomic<Int>(0)
    private let onLeft: @Sendable () -> Void
    private let isOver = Atomic<Bool>(false)

    init(_ connection: Connection, _ exchange: Int32, _ mailbox: Mailbox, _ onLeft: @escaping @Sendable () -> Void) {
        self.connection = connection
        self.exchange = exchange
        self.mailbox = mailbox
        self.onLeft = onLeft
    }

    var isEnded: Bool { isOver.load(ordering: .relaxed) }

    func write(_ piece: [UInt8]) -> Bool {
        guard !isOver.load(ordering: .relaxed) else { return false }
        guard !piece.isEmpty else { return true }
        let before = queued.wrappingAdd(piece.count, ordering: .relaxed).oldValue
        guard before + piece.count <= mailbox.streamBytesMax, mailbox.budget.take(piece.count) else {
            queued.wrappingSubtract(piece.count, ordering: .relaxed)
            return false
        }
        if mailbox.post(.piece(self, piece)) { return true }
        taken(piece.count)
        return false
    }

    func end() {
        guard !isOver.exchange(true, ordering: .relaxed) else { return }
        mailbox.post(.end(self))
    }

    // MARK: for the server's thread

    /// So many of its bytes are held no more.
    func taken(_ bytes: Int) {
        queued.wrappingSubtract(bytes, ordering: .relaxed)
        mailbox.budget.giveBack(bytes)
    }

    /// The client is gone.
    func left() {
        if !isOver.exchange(true, ordering: .relaxed) { onLeft() }
    }
}
