/// What a listener's requests go to.
public protocol RequestHandler: AnyObject, Sendable {
    /// On the server's thread, with a whole request. It is answered once through `responder`, now or later, from any thread. What the request holds is
    /// valid during the call only.
    func handle(_ request: borrowing ServedRequest, _ responder: Responder)

    /// On the server's thread, after the sockets that were ready have been read, when there was a request: what was gathered is written in one go (group
    /// commit), then answered.
    func turnEnded()
}

extension RequestHandler {
    public func turnEnded() {}
}

/// What the server's thread does beside its requests.
public protocol ServerCompanion: AnyObject, Sendable {
    /// On the server's thread, at the end of every turn, after the handlers' `turnEnded`. Returns when it is to be called at the latest, in nanoseconds of
    /// CLOCK_MONOTONIC; nil: when there is a turn.
    func turn(now: UInt64) -> UInt64?
}
