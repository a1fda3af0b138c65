// A connection over TLS: ciphertext in and out, where a plain one has its bytes. Everything else of a connection sees plaintext only.

internal import NIOCore
internal import TLS
internal import Telemetry

extension HTTPConnection {
    /// Room for a record's plaintext.
    private static let recordBytes = 16 << 10
    /// What a session says of its own accord (answers to key updates, refusals to negotiate again) and nobody reads: more, and the connection is closed.
    private static let unreadAnswersMax = 64 << 10

    /// The handshake is not over.
    var isShakingHands: Bool { tls?.state == .handshaking }

    // MARK: in

    /// Ciphertext that came. All of it is taken: what is no whole record yet waits in the session.
    func receive(_ bytes: ByteBuffer, through tls: TLSSession) {
        guard tls.isBegun || !Self.isPlainHTTP(bytes) else { return refusePlainHTTP() }
        server.plaintext.clear(minimumCapacity: Self.recordBytes)
        bytes.withUnsafeReadableBytes { ciphertext in
            tls.lend(ciphertext) {
                var count = 0
                repeat {
                    count = server.plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { tls.read(into: $0) }
                } while count > 0 && tls.hasMore
            }
        }
        let answered = transmitSealed()
        guard phase != .closed else { return }
        unreadAnswers = backlog == 0 ? 0 : unreadAnswers + answered
        guard unreadAnswers <= Self.unreadAnswersMax else { return close(.closedReset) }
        if tls.isEstablished {
            countHandshake(tls.isResumed ? .tlsResumptions : .tlsHandshakes)
        } else if tls.state == .failed {
            countHandshake(.tlsFailedProtocol)
        }
        if server.plaintext.readableBytes > 0 { take(server.plaintext) }
        switch tls.state {
        case .handshaking, .open: break
        case .ended: hasInputEnded = true
        case .failed: return server.outsideOfTurn(self) { $0.isBroken() }
        }
        server.outsideOfTurn(self) { $0.pump() }
    }

    /// Once.
    func countHandshake(_ counter: BoardCounter) {
        guard !isHandshakeCounted else { return }
        isHandshakeCounted = true
        server.board?.add(counter)
    }

    /// What came is no TLS, or not any more. The alert is out.
    private func isBroken() {
        switch phase {
        // Between two requests there is time for the client to read why.
        case .head, .skipping: linger(.closedMalformed)
        case .handling: close(.closedReset)
        case .lingering, .closed: break
        }
    }

    /// The first bytes of a connection are those of a method, and not of a handshake record.
    private static func isPlainHTTP(_ bytes: ByteBuffer) -> Bool {
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return false }
        return first >= UInt8(ascii: "A") && first <= UInt8(ascii: "Z")
    }

    private func refusePlainHTTP() {
        tls = nil
        countHandshake(.tlsFailedPlaintext)
        respondPlainly(400, "This port speaks TLS: ask it with https://\n")
        linger(.closedMalformed)
    }

    // MARK: out

    /// Sends plaintext.
    func seal(_ bytes: ByteBuffer, with tls: TLSSession) {
        bytes.withUnsafeReadableBytes { plaintext in
            var rest = plaintext[...]
            while !rest.isEmpty, context != nil {
                let isGood = tls.write(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.sliceBytes)))
                rest = rest.dropFirst(Self.sliceBytes)
                transmitSealed()
                if !isGood { return close(.closedReset) }
            }
        }
    }

    /// Says that nothing more is sent: without it the client must take what it has for a part. RFC 9112 section 9.8.
    func sayEnd() {
        guard let tls else { return }
        tls.close()
        transmitSealed()
    }

    /// What the session has made, on its way. How many bytes.
    @discardableResult
    private func transmitSealed() -> Int {
        var count = 0
        server.tls?.takeOutput { bytes in
            count = bytes.count
            guard let context else { return }
            server.board?.add(.bytesOut, UInt64(bytes.count))
            var written = 0
            if backlog == 0 {
                guard let taken = writeAtOnce(bytes) else { return }
                written = taken
            }
            guard written < bytes.count else { return }
            queue(ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[written...])), context)
        }
        return count
    }
}
