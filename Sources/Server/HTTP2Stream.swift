internal import System
internal import Wire

/// One request of an HTTP/2 connection, and its answer.
final class HTTP2Stream {
    enum State {
        case reading
        /// A handler has the request.
        case awaiting
        case answering
        case streaming(StreamState)
    }

    let id: Int32
    var state = State.reading
    /// The client has sent all of it.
    var isWhole = false
    /// When what is waited for has to be there.
    var deadline = UInt64.max

    // The head; `fields` as HTTP/1.1's parser writes them down.
    var method: [UInt8] = []
    var target: [UInt8] = []
    var fields: [UInt8] = []
    var headBytes = 0
    var fieldCount = 0
    /// The head is over: what follows are trailers.
    var hasHead = false
    var coding: ContentCoding?
    /// Who sends it, as far as the door has asked.
    var client: String?
    /// Why the door does not let it in. Its body is read first, and thrown away: clients take an answer that comes before they have sent theirs for a failure.
    var refusal: HTTP1Exchange.Refusal?
    var thrownAway = 0
    var length: Int?
    var body = BodyCollector()

    // The answer.
    var answer: [UInt8] = []
    var sent = 0
    var trailers = ResponseFields.none
    /// Pieces of a streamed answer that have not been sent; of the first, `sent` bytes are.
    var pieces: [[UInt8]] = []
    var isEnded = false
    /// The library asked for bytes and got none: it is told when there are some.
    var isDeferred = false

    private var charged = 0
    private var answerCharged = 0

    init(_ id: Int32) { self.id = id }

    /// Takes so many more bytes of a head from the budget; false: there is no room.
    func charge(_ bytes: Int, _ budget: MemoryBudget) -> Bool {
        headBytes += bytes
        guard headBytes > charged else { return true }
        let more = max(headBytes - charged, 1024)
        guard budget.take(more) else { return false }
        charged += more
        return true
    }

    /// Takes an answer's body from the budget, which may wait long for the client's window; false: there is no room.
    func charge(answer bytes: Int, _ budget: MemoryBudget) -> Bool {
        guard budget.take(bytes) else { return false }
        answerCharged += bytes
        return true
    }

    /// Gives back all that it holds.
    func release(_ budget: MemoryBudget) {
        budget.giveBack(charged + answerCharged)
        (charged, answerCharged) = (0, 0)
        answer = []
        body.release(budget)
        if case .streaming(let stream) = state {
            for (index, piece) in pieces.enumerated() { stream.taken(index == 0 ? piece.count - sent : piece.count) }
            stream.left()
        }
        pieces = []
        fields = []
    }

    var isAwaited: Bool { if case .awaiting = state { true } else { false } }

    var knownMethod: HTTP1Method {
        switch method.count {
        case 3: method == Array("GET".utf8) ? .get : method == Array("PUT".utf8) ? .put : .other
        case 4: method == Self.post ? .post : method == Array("HEAD".utf8) ? .head : .other
        case 5:
            method == Array("PATCH".utf8) ? .patch : method == Array("TRACE".utf8) ? .trace : .other
        case 6: method == Array("DELETE".utf8) ? .delete : .other
        case 7:
            method == Array("OPTIONS".utf8) ? .options : method == Array("CONNECT".utf8) ? .connect : .other
        default: .other
        }
    }

    private static let post = Array("POST".utf8)
}
