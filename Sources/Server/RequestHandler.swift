/// What a listener's requests go to.
public protocol RequestHandler: AnyObject, Sendable {
    /// On the server's thread, with a whole request. It is answered once through `responder`, now or later, from any thread. What the request holds is
    /// valid during the call only.
    func handle(_ request: borrowing ServedRequest, _ responder: Responder)

    /// On the server's thread, after the sockets that were ready have been read, when there was a request: what was gathered is written in one go (group
    /// commit), then answered.
    func turnEnded()

    /// On the server's thread: what a request is answered that the server itself refuses and does not hand over, for its size, its coding, its time or for want of memory.
    /// - Parameters:
    ///   - head: of the request, valid during the call only; its body is empty.
    ///   - answer: what the server would say. Counted by the server already.
    func refuse(_ head: borrowing ServedRequest, _ answer: ServerAnswer) -> ServerAnswer
}

extension RequestHandler {
    public func turnEnded() {}
    public func refuse(_ head: borrowing ServedRequest, _ answer: ServerAnswer) -> ServerAnswer { answer }
}

/// A whole answer.
public struct ServerAnswer: Sendable {
    public var status: Int
    public var fields: ResponseFields
    public var body: [UInt8]

    public init(status: Int, fields: ResponseFields = .none, body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// What the server's thread does beside its requests.
public protocol ServerCompanion: AnyObject, Sendable {
    /// On the server's thread, at the end of every turn, after the handlers' `turnEnded`. Returns when it is to be called at the latest, in nanoseconds of
    /// CLOCK_MONOTONIC; nil: when there is a turn.
    func turn(now: UInt64) -> UInt64?
}
