// A connection that becomes a WebSocket: after its 101 the bytes both ways are frames, which 49_websocket.js reads and writes through the same ops as content. RFC 6455.
//
// The request stays in flight, with its slot, span and place on the board, until the socket is closed.

internal import Engine
internal import NIOCore
internal import Telemetry
internal import Wire

extension HTTPConnection {
    private static let ping = ByteBuffer(bytes: [0x89, 0x00])

    /// Answers with 101; argument 1 of the call are further header lines. JavaScript has looked at the handshake. False: it is too late for that, or the request
    /// has content.
    func upgrade(_ call: OpCall) -> Bool {
        guard answer == .none, !request.hasBody, context != nil else { return false }
        var head = ByteBuffer()
        head.writeString("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n")
        let room = call.utf8Max(1)
        var isGood = true
        if room > 0 {
            head.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                let count = call.writeLatin1(1, to: target)
                isGood = count >= 0
                return max(count, 0)
            }
        }
        guard isGood else { return false }
        head.writeString("\r\n")
        request.status = 101
        request.isUpgraded = true
        request.keepsAlive = false
        request.hasContentLeft = true
        answer = .streaming
        // Content that ends with the connection goes out as it is.
        framing = HTTP1Framing.response(status: 200, method: .get, version: .http10, length: nil, keepAlive: false)
        writeNow(head)
        server.touch(self)
        return true
    }

    /// What has come of frames, for JavaScript.
    func takeFrames() -> Value? {
        guard input.readableBytes > 0 else { return nil }
        let piece = input.withUnsafeReadableBytes { server.realm.makeUint8Array($0) }
        input.clear()
        return piece
    }

    /// A peer that says nothing is asked whether it is there, and given up when it does not answer.
    func lookAtSocket(_ quiet: Double) {
        let idle = server.options.idleTimeout
        if quiet > idle {
            server.board?.add(.requestsTimedOut)
            request.isCut = true
            answer = .done
            server.tell(server.functions.ended, self, 2, 0)
        } else if quiet > idle / 2, !request.isPinged {
            request.isPinged = true
            writeNow(Self.ping)
        } else if quiet < idle / 2 {
            request.isPinged = false
        }
    }
}
