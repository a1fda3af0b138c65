// What both versions of HTTP have in common: reading, sending, and how a connection ends.

internal import CLinux
internal import Glibc
internal import System

extension Loop {
    /// RFC 9113 section 3.4: what a client that speaks HTTP/2 begins with.
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    // MARK: reading

    func readable(_ connection: Connection) {
        switch connection.phase {
        case .closed: return
        case .lingering(let left): return throwAway(connection, left)
        case .open: break
        }
        if case .http1(let exchange) = connection.speaks {
            if isPaused(connection, exchange) { return pause(connection, exchange) }
            if exchange.readsStraight, connection.tls == nil { return readStraight(connection, exchange) }
            // Requests that came before are read first, at the end of the turn.
            if connection.isScheduled, !connection.pending.isEmpty { return }
        }
        let held = connection.pending.count - connection.pendingStart
        connection.pending.withUnsafeBytes {
            input.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[connection.pendingStart...]))
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: input[held...])
        if let tls = connection.tls { return readSealed(connection, tls, room, held) }
        let count = sl_receive_now(connection.descriptor, room.baseAddress!, room.count)
        guard count > 0 else { return receivedNothing(connection, count) }
        self.count(received: count, of: connection)
        process(connection, UnsafeRawBufferPointer(start: input.baseAddress!, count: held + count))
    }

    func count(received bytes: Int, of connection: Connection) {
        counters.bytes.wrappingAdd(UInt64(bytes), ordering: .relaxed)
        connection.client?.received(bytes)
    }

    func process(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        switch connection.speaks {
        case .unknown: tell(connection, bytes)
        case .http1(let exchange): processHTTP1(connection, exchange, bytes)
        case .http2(let session):
            keep(connection, UnsafeRawBufferPointer(start: nil, count: 0))
            session.receive(bytes)
        }
    }

    /// Which HTTP it is.
    private func tell(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        let common = min(bytes.count, Self.preface.utf8CodeUnitCount)
        if memcmp(bytes.baseAddress!, Self.preface.utf8Start, common) != 0 {
            connection.speaks = .http1(HTTP1Exchange(limits.http1(bodyBytesMax: connection.bodyBytesMax)))
        } else if common < Self.preface.utf8CodeUnitCount {
            return keep(connection, bytes)
        } else if let session = HTTP2Session(connection, limits) {
            connection.speaks = .http2(session)
        } else {
            counters.count(.memory)
            return close(connection)
        }
        process(connection, bytes)
    }

    func receivedNothing(_ connection: Connection, _ count: Int) {
        if count < 0, errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return }
        guard count == 0 else { return lost(connection) }
        receivedEnd(connection)
    }

    /// The client sends no more.
    func receivedEnd(_ connection: Connection) {
        connection.peerHasEnded = true
        switch connection.speaks {
        case .http1(let exchange) where isPaused(connection, exchange): pause(connection, exchange)
        // What is on its way out goes out.
        case .http2(let session) where session.hasAnswers || !connection.output.isEmpty:
            setInterest(connection, Int(connection.interest) & Int(SL_WRITABLE))
            if connection.output.isEmpty { setWait(connection, .left) }
        default: close(connection)
        }
    }

    /// The client closed its side while a stream is sent to it, or an answer is waited for.
    func peerEnded(_ connection: Connection) {
        guard case .http1(let exchange) = connection.speaks else { return }
        if case .streaming = exchange.state {
            connection.peerHasEnded = true
            return lost(connection)
        }
        // It may read still. What else it sent before is not read yet, so that it has not ended for us.
        setInterest(connection, Int(connection.interest) & ~Int(SL_PEER_ENDED))
        if case .awaiting = exchange.state { setWait(connection, .left) }
    }

    /// Neither side can reach the other any more.
    func lost(_ connection: Connection) { close(connection) }

    // MARK: sending

    /// Sends now what the socket takes, and keeps the rest. Nothing may be sent after a connection closed.
    func send(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        guard !connection.isClosed, !bytes.isEmpty else { return }
        if let tls = connection.tls { return seal(connection, tls, bytes) }
        transmit(connection, bytes)
    }

    /// The same of bytes as they go over the wire.
    func transmit(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        guard !connection.isClosed else { return }
        let sent = connection.output.isEmpty ? sendNow(connection, bytes) : 0
        guard sent < bytes.count, !connection.isClosed else { return }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
        guard budget.take(rest.count) else {
            counters.count(.memory)
            return close(connection)
        }
        queue(connection, OutputQueue.Piece(bytes: [UInt8](rest), sent: 0, charged: rest.count))
    }

    /// Keeps what the socket does not take now.
    func queue(_ connection: Connection, _ piece: OutputQueue.Piece) {
        if connection.output.isEmpty { setWait(connection, .write) }
        connection.output.append(piece)
        setInterest(connection, Int(connection.interest) | Int(SL_WRITABLE))
    }

    /// How many bytes the socket took; the connection is closed when it can take none any more.
    func sendNow(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard !connection.isClosed else { return 0 }
        while true {
            let count = sl_send_now(connection.descriptor, bytes.baseAddress!, bytes.count)
            if count >= 0 { return count }
            if errno == EINTR { continue }
            if errno != EAGAIN, errno != EWOULDBLOCK { close(connection) }
            return 0
        }
    }

    /// The socket takes more.
    func flush(_ connection: Connection) {
        var progress = 0
        // Out of the connection while it is drained: a socket that fails closes the connection, which empties its queue.
        var output = connection.output
        connection.output = OutputQueue()
        let isDone = output.drain(
            { bytes in
                let count = sendNow(connection, bytes)
                progress += count
                return count
            }, finished: { [budget] in Self.finished($0, budget) })
        if connection.isClosed { return output.removeAll { [budget] in Self.finished($0, budget) } }
        connection.output = output
        guard isDone else {
            if progress > 0 { setWait(connection, .write) }
            return
        }
        setInterest(connection, Int(connection.interest) & ~Int(SL_WRITABLE))
        setWait(connection, .nothing)
        switch connection.phase {
        case .open:
            // What other answers wait there goes out with the end of the turn.
            if connection.closesAfterOutput { linger(connection) } else { schedule(connection) }
        case .lingering, .closed: break
        }
    }

    static func finished(_ piece: OutputQueue.Piece, _ budget: MemoryBudget) {
        if let stream = piece.stream { stream.taken(piece.charged) } else { budget.giveBack(piece.charged) }
    }

    // MARK: the end of a turn, of a wait, of a connection

    /// At the end of a turn, when something was answered or sent.
    func goOn(_ connection: Connection) {
        guard connection.isOpen else { return }
        switch connection.speaks {
        case .unknown: break
        case .http1(let exchange): goOnHTTP1(connection, exchange)
        case .http2(let session): session.flush()
        }
    }

    /// The last answer is out, or on its way: our side is closed, and what the client still sends is read and thrown away for a while. A socket closed
    /// with bytes unread resets the connection, and the answer may be lost to the client.
    func linger(_ connection: Connection) {
        guard connection.isOpen else { return }
        guard connection.output.isEmpty else { return connection.closesAfterOutput = true }
        if let tls = connection.tls {
            tls.close()
            transmitSealed(connection, tls)
            guard connection.isOpen else { return }
            guard connection.output.isEmpty else { return connection.closesAfterOutput = true }
        }
        guard !connection.peerHasEnded else { return close(connection) }
        keep(connection, UnsafeRawBufferPointer(start: nil, count: 0))
        shutdown(connection.descriptor, Int32(SHUT_WR))
        connection.phase = .lingering(bytesLeft: limits.lingerBytesMax)
        setInterest(connection, Int(SL_READABLE))
        setWait(connection, .linger)
    }

    private func throwAway(_ connection: Connection, _ left: Int) {
        let count = sl_receive_now(connection.descriptor, input.baseAddress!, input.count)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            return close(connection)
        }
        counters.bytes.wrappingAdd(UInt64(count), ordering: .relaxed)
        guard count < left else { return close(connection) }
        connection.phase = .lingering(bytesLeft: left - count)
    }

    func timedOut(_ connection: Connection) {
        let wait = connection.wait
        setWait(connection, .nothing)
        switch wait {
        case .nothing: break
        case .linger, .left: close(connection)
        case .write:
            counters.count(.writeTimeout)
            close(connection)
        case .head, .body, .idle:
            switch connection.speaks {
            case .unknown:
                if !connection.pending.isEmpty || connection.tls?.isBegun == true { counters.count(.headTimeout) }
                close(connection)
            case .http1(let exchange): timedOut(connection, exchange, wait)
            case .http2(let session): session.endCalmly()
            }
        }
    }

    /// The server stops: what has begun is finished, what has not is closed.
    func stop(_ connection: Connection) {
        guard connection.isOpen else { return }
        if isIdle(connection) { readable(connection) }
        if connection.isClosed { return }
        if isIdle(connection) { return close(connection) }
        if case .http2(let session) = connection.speaks { session.endCalmly() }
    }

    private func isIdle(_ connection: Connection) -> Bool {
        guard connection.isOpen, connection.output.isEmpty, connection.pending.isEmpty else { return false }
        switch connection.speaks {
        case .unknown: return true
        case .http1(let exchange): return exchange.isIdle
        case .http2: return false
        }
    }
}
