// The end of a server whose isolate is to be replaced: a limit has stopped its JavaScript, V8 cannot go on, or the program has ended itself. None of it runs any
// more, so all that clients hear is said here.
// The spans of their requests are the agent's to make, by the board (docs/limits.md).

internal import Glibc
internal import Telemetry

extension HTTPServer {
    private static let limitSentence: StaticString = "The service has reached a limit and is being started again\n"
    private static let endSentence: StaticString = "The service has ended and is being started again\n"
    /// What is sent where nothing may be allocated.
    private static let shortAnswer: StaticString =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    /// Answers each request that has no response yet, notes what became of all, and ends the connections so that what was sent can be read. Outside of turns.
    /// - Parameters:
    ///   - outcome: nil: no limit was reached.
    ///   - offender: whose doing it was; nil: nobody's in particular.
    ///   - errorType: for the metrics.
    func abandon(_ outcome: WorkloadOutcome?, offender: HTTPConnection?, errorType: String) {
        // One whose request is over by now is not to blame for what others have begun since.
        let offender = offender.flatMap { $0.isInFlight ? $0 : nil }
        forEachConnection { connection in
            let isInFlight = connection.isInFlight
            if isInFlight {
                note(outcome, offender: offender, at: connection)
                if connection.answer == .none { connection.request.status = 503 }
                if connection.answer != .done, connection.request.errorType.isEmpty {
                    connection.request.errorType = Array(errorType.utf8)
                }
                countAbandoned(connection)
            }
            connection.abandon(isInFlight: isInFlight, outcome == nil ? Self.endSentence : Self.limitSentence)
        }
    }

    private func note(_ outcome: WorkloadOutcome?, offender: HTTPConnection?, at connection: HTTPConnection) {
        guard let place = connection.request.boardSlot else { return }
        let isGuilty = offender == nil || offender === connection
        let status = connection.answer == .none ? 503 : UInt16(clamping: connection.request.status)
        board?.note(isGuilty || outcome == nil ? outcome : .replaced, status: status, at: place)
    }

    /// The same where the isolate's thread will not come back, and nothing may be allocated: requests without an answer get a short one. Over TLS they get none.
    func abandonAtOnce(_ outcome: WorkloadOutcome?) {
        forEachConnection { connection in
            guard connection.isInFlight else { return }
            note(outcome, offender: workload.monitor.owner, at: connection)
            guard connection.tls == nil, connection.answer == .none, connection.descriptor >= 0 else { return }
            _ = Glibc.write(connection.descriptor, Self.shortAnswer.utf8Start, Self.shortAnswer.utf8CodeUnitCount)
            connection.endWriting()
        }
    }
}

extension HTTPConnection {
    /// Bytes of the client's that are taken from the kernel: what it still has of them makes a reset of the end, which may overtake the answer.
    private static let drainedBytesMax = 1 << 20

    fileprivate var isInFlight: Bool { phase == .handling && !request.isOver }

    fileprivate func abandon(isInFlight: Bool, _ text: StaticString) {
        guard context != nil else { return }
        switch phase {
        case .handling where isInFlight && answer == .none: respondPlainly(503, text)
        // Half a response must not look like a whole one.
        case .handling where isInFlight && answer == .streaming: return reset(.closedReset)
        case .handling: flush()
        // A request that came while JavaScript did not come back, and that nobody has looked at.
        case .head where !isShakingHands && (input.readableBytes > 0 || hasUnread): respondPlainly(503, text)
        case .head, .skipping, .lingering: break
        case .closed: return
        }
        sayEnd()
        endWriting()
    }

    /// The client can read what it was sent, and then the end.
    fileprivate func endWriting() {
        guard descriptor >= 0 else { return }
        shutdown(descriptor, Int32(SHUT_WR))
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { room in
            var left = Self.drainedBytesMax
            while left > 0 {
                let count = recv(descriptor, room.baseAddress!, room.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return }
                left -= count
            }
        }
    }
}
