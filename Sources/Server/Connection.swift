/// One connection: what both versions of HTTP need of it. Of the server's thread; other threads only carry the reference back to it.
final class Connection: @unchecked Sendable {
    // @unchecked: nothing in it is touched but on the server's thread, which `Mailbox` sees to.

    enum Phase {
        case open
        /// Our side is closed, after a last answer; what comes is thrown away, up to so many bytes more.
        case lingering(bytesLeft: Int)
        case closed
    }

    enum Language {
        /// Before the first bytes told.
        case unknown
        case http1(HTTP1Exchange)
        case http2(HTTP2Session)
    }

    /// What the deadline is for.
    enum Wait {
        case nothing, head, body, idle, write, linger, left
    }

    unowned(unsafe) let loop: Loop
    let descriptor: Int32
    let listener: Int
    /// Nil: plain.
    var tls: ConnectionTLS?
    /// Whose account it is on; nil: nobody's.
    let client: Client?
    /// What the listener takes, bytes.
    let bodyBytesMax: Int
    /// What epoll gives back: place in the loop's table, and a number that tells it from earlier connections there.
    let slot: Int
    let generation: UInt32

    var phase = Phase.open
    var speaks = Language.unknown
    /// Received bytes, counted in the budget; from `pendingStart` on, nobody has consumed them.
    var pending: [UInt8] = []
    var pendingStart = 0
    var output = OutputQueue()
    var interest: UInt32 = 0
    var wait = Wait.nothing
    var deadline = UInt64.max
    /// No further request is read.
    var closesAfterOutput = false
    /// The client sends no more.
    var peerHasEnded = false
    /// In the loop's list of those that have something to do at the end of the turn.
    var isScheduled = false

    init(
        _ loop: Loop, descriptor: Int32, listener: Int, tls: ConnectionTLS?, client: Client?, bodyBytesMax: Int,
        slot: Int,
        generation: UInt32
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.listener = listener
        self.tls = tls
        self.client = client
        self.bodyBytesMax = bodyBytesMax
        self.slot = slot
        self.generation = generation
    }

    var isOpen: Bool { if case .open = phase { true } else { false } }
    var isClosed: Bool { if case .closed = phase { true } else { false } }
}

/// Bytes that the socket did not take, in order. What they weigh in the budget is given back piece by piece.
struct OutputQueue {
    struct Piece {
        var bytes: [UInt8]
        var sent: Int
        /// Bytes taken from the budget for it.
        var charged: Int
        /// Of a stream of pieces, which counts for itself.
        var stream: StreamState?
    }

    private var pieces: [Piece] = []
    private var first = 0

    var isEmpty: Bool { first == pieces.count }

    mutating func append(_ piece: Piece) { pieces.append(piece) }

    /// Gives the oldest piece to `send`, which says how many bytes are done with; a piece that is done goes to `finished`. False: bytes are left.
    mutating func drain(_ send: (UnsafeRawBufferPointer) -> Int, finished: (Piece) -> Void) -> Bool {
        while first < pieces.count {
            let sent = pieces[first].sent
            let count = pieces[first].bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            pieces[first].sent += count
            guard pieces[first].sent == pieces[first].bytes.count else { return false }
            finished(pieces[first])
            pieces[first].bytes = []
            first += 1
        }
        pieces.removeAll(keepingCapacity: pieces.capacity <= 16)
        first = 0
        return true
    }

    /// Forgets all.
    mutating func removeAll(_ finished: (Piece) -> Void) {
        for piece in pieces[first...] { finished(piece) }
        pieces = []
        first = 0
    }
}
