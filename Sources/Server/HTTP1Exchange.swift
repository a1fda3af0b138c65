internal import System
internal import Wire

/// The request that an HTTP/1.1 connection reads, or whose answer it waits for or sends: one at a time.
final class HTTP1Exchange {
    enum State {
        case reading
        /// A handler has the request.
        case awaiting
        case streaming(StreamState)
    }

    /// Why a request is answered by the server itself, once its body has been read and thrown away.
    struct Refusal {
        var status: Int
        var fields = ResponseFields.none
        var body: [UInt8] = []
    }

    var parser: HTTP1RequestParser
    var state = State.reading
    /// Counts requests, so that an answer that comes too late is known.
    var number: Int32 = 0
    var isProcessing = false

    // Of the request.
    var method = HTTP1Method.other
    var version = HTTP1Version.http11
    var keepAlive = true
    var length: Int?
    var coding: ContentCoding?
    var refusal: Refusal?
    /// Who sends it, as far as the door has asked.
    var client: String?
    /// The head's text of a chunked request: trailers are read into the parser's.
    var ownText: [UInt8]?

    // Its body: first where it came, then, when it does not come whole, collected.
    var view = UnsafeRawBufferPointer(start: nil, count: 0)
    var body = BodyCollector()

    /// How the pieces of a streamed answer are framed.
    var framing = HTTP1Framing.response(
        status: 204, method: .get, version: .http11, length: nil, keepAlive: true)

    init(_ limits: HTTP1Limits) { parser = HTTP1RequestParser(limits: limits) }

    var isIdle: Bool { if case .reading = state { parser.isIdle } else { false } }

    /// The rest of a body of known length is read right to where it stays.
    var readsStraight: Bool { length != nil && body.count > 0 && refusal == nil }

    /// Bytes taken from the budget for the parser's text.
    private var headCharged = 0

    /// Counts the text of a head that is longer than usual; false: there is no room.
    func chargeHead(_ budget: MemoryBudget) -> Bool {
        let held = parser.heldBytes > Self.headBytesFree ? parser.heldBytes : 0
        guard held != headCharged else { return true }
        if held > headCharged {
            guard budget.take(held - headCharged) else { return false }
        } else {
            budget.giveBack(headCharged - held)
        }
        headCharged = held
        return true
    }

    /// What every connection may keep, as it may its own objects.
    private static let headBytesFree = 8 * 1024

    func connectionEnded(_ budget: MemoryBudget) {
        body.release(budget)
        budget.giveBack(headCharged)
        headCharged = 0
        if case .streaming(let stream) = state { stream.left() }
        state = .reading
    }
}
