internal import CLinux
internal import Glibc
internal import System

// What stands before the reading of requests: TLS, and the question who sends them.

extension Loop {
    /// What a record of TLS may have more than the plaintext that is left of the one before: OpenSSL keeps it until it is whole.
    private static let recordBytesMax = 17 * 1024

    // MARK: TLS

    /// Ciphertext that the socket has, made plaintext behind the bytes that are held in `input`.
    func readSealed(
        _ connection: Connection, _ tls: ConnectionTLS, _ room: UnsafeMutableRawBufferPointer, _ held: Int
    ) {
        let most = min(sealed.count, max(1, room.count - Self.recordBytesMax))
        let count = sl_receive_now(connection.descriptor, sealed.baseAddress!, most)
        guard count > 0 else { return receivedNothing(connection, count) }
        self.count(received: count, of: connection)
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<count])
        guard tls.isBegun || !Self.isPlainHTTP(ciphertext) else { return refusePlainHTTP(connection) }
        let wasEstablished = tls.isEstablished
        let plain = tls.receive(ciphertext, into: room)
        transmitSealed(connection, tls)
        if plain > 0, connection.isOpen {
            process(connection, UnsafeRawBufferPointer(start: input.baseAddress!, count: held + plain))
        }
        guard connection.isOpen else { return }
        switch tls.state {
        case .open: break
        case .ended: receivedEnd(connection)
        case .failed:
            if !wasEstablished { counters.count(.tls) } else { counters.count(.malformed) }
            if let reason = tls.strangeness {
                door(of: connection).guarding?.turnedAway(connection.descriptor, reason)
            }
            lost(connection)
        }
    }

    /// The first bytes of a connection are those of a method, and not of a handshake.
    private static func isPlainHTTP(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[0] >= UInt8(ascii: "A") && bytes[0] <= UInt8(ascii: "Z")
    }

    private func refusePlainHTTP(_ connection: Connection) {
        counters.count(.tls)
        connection.tls = nil
        let text: StaticString =
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 43\r\nconnection: close\r\n\r\nThis port speaks TLS: ask it with https://\n"
        transmit(connection, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        linger(connection)
    }

    /// Sends plaintext.
    func seal(_ connection: Connection, _ tls: ConnectionTLS, _ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty, !connection.isClosed {
            guard tls.write(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.sealedBytes))) else {
                return close(connection)
            }
            rest = rest.dropFirst(Self.sealedBytes)
            transmitSealed(connection, tls)
        }
    }

    /// What the session has made, on its way.
    func transmitSealed(_ connection: Connection, _ tls: ConnectionTLS) {
        while case let count = tls.take(sealed), count > 0 {
            transmit(connection, UnsafeRawBufferPointer(rebasing: sealed[..<count]))
        }
    }

    /// The ciphertext of a piece of a streamed answer; nil: it failed.
    func ciphertext(of piece: [UInt8], _ tls: ConnectionTLS) -> [UInt8]? {
        guard piece.withUnsafeBytes({ tls.write($0) }) else { return nil }
        var ciphertext: [UInt8] = []
        while case let count = tls.take(sealed), count > 0 {
            ciphertext += UnsafeRawBufferPointer(rebasing: sealed[..<count])
        }
        return ciphertext
    }

    // MARK: who comes

    /// Why a request may not come in, and who sends it if it may.
    func ask(
        _ connection: Connection, _ head: borrowing ServedRequest
    ) -> (client: String?, refusal: HTTP1Exchange.Refusal?) {
        let guarding = door(of: connection).guarding
        if guarding?.isProbe(head) != true, let seconds = connection.client?.secondsToWait(now: now) {
            counters.count(.clientRate)
            return (
                nil,
                HTTP1Exchange.Refusal(
                    status: 429, fields: ResponseFields(["retry-after": String(seconds)]),
                    body: Array("this client sends more than it may\n".utf8))
            )
        }
        guard let guarding else { return (nil, nil) }
        switch guarding.judge(head) {
        case .letIn(let name): return (name, nil)
        case .refused(let answer, let reason):
            counters.count(reason)
            return (nil, HTTP1Exchange.Refusal(status: answer.status, fields: answer.fields, body: answer.body))
        }
    }

    /// Whether `ask` has anything to ask.
    func isAsked(_ connection: Connection) -> Bool { connection.client != nil || door(of: connection).guarding != nil }
}
