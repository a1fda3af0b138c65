// A request's answer on its way out, and its record.

internal import Engine
internal import Glibc
internal import NIOCore
internal import Telemetry
internal import Wire

extension HTTPConnection {
    /// Pieces of a streamed response that go to the kernel from where they are; of smaller ones several go at once.
    private static let directBytesMin = 16 << 10
    /// Content that is put together with its head, or with the frame of a chunk; of more, so much at a time. A buffer has 4 GiB at most.
    private static let composedBytesMax = 64 << 20

    // MARK: from JavaScript

    /// A whole response: arguments 2 to 4 of `ops.httpRespond`. True: the kernel has it.
    func respond(status: Int, _ call: OpCall) -> Bool {
        guard answer == .none else { return false }
        request.status = status
        let content = call.isString(4) ? nil : call.bytes(4)
        if let content, content.count > Self.composedBytesMax { return respondInPieces(status: status, content, call) }
        let contentBytesMax = content?.count ?? call.utf8Max(4)
        let isGood = withHead(call) { (reason, fields) throws(HTTP1ResponseError) in
            try server.compose(
                { length in self.head(status, reason, fields, length: length) }, contentBytesMax: contentBytesMax,
                content: { room in
                    guard let content else { return max(call.writeUTF8(4, to: room), 0) }
                    room.copyMemory(from: UnsafeRawBufferPointer(content))
                    return content.count
                }, send: { writeNow($0) })
        }
        guard isGood else {
            refuseHead()
            return false
        }
        return leave()
    }

    /// A whole response with more content than is put together with a head.
    private func respondInPieces(status: Int, _ content: UnsafeMutableRawBufferPointer, _ call: OpCall) -> Bool {
        let isGood = withHead(call) { (reason, fields) throws(HTTP1ResponseError) in
            try server.compose(
                { _ in self.head(status, reason, fields, length: content.count) }, contentBytesMax: 0,
                content: { _ in 0 }, send: { writeNow($0) })
        }
        guard isGood else {
            refuseHead()
            return false
        }
        if framing.sendsContent {
            for piece in pieces(of: content) where context != nil {
                if tls == nil, backlog == 0 {
                    guard writePiece(piece) else { break }
                } else {
                    writeNow(ByteBuffer(bytes: piece))
                }
            }
        }
        return leave()
    }

    private func pieces(
        of content: UnsafeMutableRawBufferPointer
    ) -> some Sequence<UnsafeRawBufferPointer> {
        stride(from: 0, to: content.count, by: Self.composedBytesMax).lazy.map { start in
            UnsafeRawBufferPointer(
                rebasing: content[start..<min(start + Self.composedBytesMax, content.count)])
        }
    }

    /// The head of a streamed response; `length` -1: not known.
    func startResponse(status: Int, length: Int, _ call: OpCall) {
        guard answer == .none else { return }
        request.status = status
        answer = .streaming
        let isGood = withHead(call) { (reason, fields) throws(HTTP1ResponseError) in
            try server.compose(
                { _ in self.head(status, reason, fields, length: length < 0 ? nil : length) }, contentBytesMax: 0,
                content: { _ in 0 }, send: { write($0) })
        }
        if !isGood { refuseHead() }
        server.touch(self)
    }

    /// The program's head cannot be written: it gets another answer, and JavaScript is told when its turn is over.
    private func refuseHead() {
        request.status = 500
        request.keepsAlive = false
        respondPlainly(500)
        answer = .leaving
        movedAt = server.isolate.now
        server.touch(self)
        request.isHeadRefused = true
        server.outsideOfTurn(self) { $0.finishIfSent() }
    }

    /// A piece of its content. 1: go on, 0: wait, -1: nobody is there any more.
    func send(_ call: OpCall) -> Int {
        guard answer == .streaming, context != nil else { return -1 }
        guard framing.sendsContent else { return 1 }
        let bytes = call.isString(1) ? nil : call.bytes(1)
        let room = bytes?.count ?? call.utf8Max(1)
        guard room > 0 else { return 1 }
        if let bytes, bytes.count >= Self.directBytesMin, tls == nil, backlog == 0 {
            guard sendDirectly(UnsafeRawBufferPointer(bytes)) else { return -1 }
        } else if let bytes {
            for piece in pieces(of: bytes) where context != nil { sendBuffered(call, piece, room: piece.count) }
        } else {
            sendBuffered(call, nil, room: room)
        }
        server.touch(self)
        wasToldToWait = !takesMore
        guard wasToldToWait else { return 1 }
        movedAt = server.isolate.now
        return 0
    }

    /// From JavaScript's memory to the kernel. False: the socket has failed.
    private func sendDirectly(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard framing.body == .chunked else { return writePiece(bytes) }
        return withUnsafeTemporaryAllocation(byteCount: HTTP1Chunk.sizeLineBytesMax + 2, alignment: 1) { room in
            let line = HTTP1Chunk.writeSizeLine(bytes.count, into: room)
            room[HTTP1Chunk.sizeLineBytesMax] = 13
            room[HTTP1Chunk.sizeLineBytesMax + 1] = 10
            return writePiece(
                bytes, before: UnsafeRawBufferPointer(rebasing: room[..<line]),
                after: UnsafeRawBufferPointer(rebasing: room[HTTP1Chunk.sizeLineBytesMax...]))
        }
    }

    private func sendBuffered(_ call: OpCall, _ bytes: UnsafeRawBufferPointer?, room: Int) {
        let frame = HTTP1Chunk.sizeLineBytesMax
        var output = ByteBuffer()
        var start = 0
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room + frame + 2) { target in
            let body = UnsafeMutableRawBufferPointer(rebasing: target[frame..<(frame + room)])
            var count = room
            if let bytes {
                body.copyMemory(from: bytes)
            } else {
                count = max(call.writeUTF8(1, to: body), 0)
            }
            guard framing.body == .chunked else {
                start = frame
                return frame + count
            }
            let line = HTTP1Chunk.writeSizeLine(count, into: target)
            start = frame - line
            memmove(target.baseAddress! + start, target.baseAddress!, line)
            target[frame + count] = 13
            target[frame + count + 1] = 10
            return frame + count + 2
        }
        output.moveReaderIndex(to: start)
        write(output)
        // Much of it is better gone at once.
        if !takesMore { flush() }
    }

    /// The end of a streamed response. True: the kernel has all of it.
    func endResponse() -> Bool {
        guard answer == .streaming else { return false }
        if framing.body == .chunked { write(ByteBuffer(string: "0\r\n\r\n")) }
        flush()
        return leave()
    }

    /// It cannot be completed: the connection is cut, so that the client does not take the part for the whole.
    func abort() {
        request.keepsAlive = false
        answer = .done
        server.touch(self)
        reset(.closedReset)
    }

    /// Nothing of what was sent may look like an end: a reset, where the kernel gives one.
    func reset(_ reason: BoardCounter) {
        _ = (context?.channel as? any SocketOptionProvider)?.setSoLinger(Glibc.linger(l_onoff: 1, l_linger: 0))
        close(reason)
    }

    // MARK: pieces

    /// Gives reason and header lines, as JavaScript handed them over. False: they cannot be written, which is the program's fault.
    private func withHead(
        _ call: OpCall, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(HTTP1ResponseError) -> Void
    ) -> Bool {
        let reasonMax = call.utf8Max(2)
        let fieldsMax = call.utf8Max(3)
        return withUnsafeTemporaryAllocation(byteCount: reasonMax + fieldsMax + 1, alignment: 1) { room in
            let reasonCount =
                reasonMax == 0
                ? 0 : call.writeLatin1(2, to: UnsafeMutableRawBufferPointer(rebasing: room[..<reasonMax]))
            let fieldsCount =
                fieldsMax == 0
                ? 0 : call.writeLatin1(3, to: UnsafeMutableRawBufferPointer(rebasing: room[reasonMax...]))
            do throws(HTTP1ResponseError) {
                guard reasonCount >= 0, fieldsCount >= 0 else { throw .fieldValue }
                try body(
                    UnsafeRawBufferPointer(rebasing: room[..<reasonCount]),
                    UnsafeRawBufferPointer(rebasing: room[reasonMax..<(reasonMax + fieldsCount)]))
                return true
            } catch {
                return false
            }
        }
    }

    private func head(
        _ status: Int, _ reason: UnsafeRawBufferPointer, _ fields: UnsafeRawBufferPointer, length: Int?
    ) -> HTTP1ResponseHead {
        // Content that nobody has read and that the client holds back until it is asked for: the next request would be taken for it.
        if server.isDraining || request.awaitsContinue || request.contentFailed { request.keepsAlive = false }
        framing = HTTP1Framing.response(
            status: status, method: request.head.method, version: request.head.version, length: length,
            keepAlive: request.keepsAlive)
        // Of content that is left out no length is told when the program gave none: another request may have had some.
        if case .omitted(0?) = framing.body { framing.body = .omitted(length: nil) }
        request.keepsAlive = framing.keepAlive
        return HTTP1ResponseHead(
            status: status, reason: reason, fields: fields, framing: framing, version: request.head.version)
    }

    /// All is handed to the channel. True: and to the kernel.
    private func leave() -> Bool {
        server.touch(self)
        // Where the socket has failed, its end tells JavaScript.
        answer = context != nil && isSent ? .done : .leaving
        if answer == .leaving { movedAt = server.isolate.now }
        return answer == .done
    }

    // MARK: the end of a request

    /// JavaScript writes its record, or has nothing to write.
    func isEnding(ringHead: UInt32) {
        if let slot = request.boardSlot { server.board?.end(slot, ringHead: ringHead) }
    }

    /// Goes on to the next request, or closes.
    func afterRequest() {
        guard phase == .handling else { return }
        guard context != nil else { return }
        guard !request.isCut else { return reset(.closedTimeout) }
        guard request.keepsAlive else {
            linger(server.isDraining ? .closedDraining : .closedByServer)
            return
        }
        phase = .skipping
    }

    /// The attributes of the span that only native code knows.
    func describe(_ attributes: inout RequestAttributes) {
        let (path, query) = request.pathAndQuery
        let (host, port) = request.authority
        attributes.put(
            .method,
            RequestAttributes.Text(rawValue: RequestAttributes.Text.other.rawValue + Int(request.head.method.rawValue))!
        )
        attributes.put(.path, latin1: path)
        if !query.isEmpty { attributes.put(.query, latin1: query) }
        attributes.put(.scheme, tls == nil ? .http : .https)
        if let tls { attributes.put(.tlsVersion, tls.version == .tls13 ? .tls13 : .tls12) }
        if !host.isEmpty { attributes.put(.serverAddress, latin1: host) }
        if let port { attributes.put(.serverPort, port) }
        attributes.put(.protocolVersion, request.head.version == .http11 ? .version11 : .version10)
        if let peer {
            peer.address.withUnsafeBytes { address in
                attributes.put(.clientAddress, latin1: clientAddress ?? address)
                attributes.put(.peerAddress, latin1: address)
            }
            attributes.put(.peerPort, peer.port)
        }
        attributes.put(.cpuTime, server.workload.monitor.cpuTime(of: self) / 1e9)
        if let agent = request.value(.userAgent) { attributes.put(.userAgent, latin1: agent) }
    }

    /// The first address of X-Forwarded-For: the client as the outermost proxy saw it.
    private var clientAddress: UnsafeRawBufferPointer? {
        guard let list = request.value(.xForwardedFor) else { return nil }
        let first = list.prefix { $0 != UInt8(ascii: ",") }
        let trimmed = first.prefix { $0 != UInt8(ascii: " ") && $0 != 9 }
        return trimmed.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: trimmed)
    }

    // MARK: time

    var isIdle: Bool { phase == .head && input.readableBytes == 0 && parser.isIdle }

    /// Ends what takes too long. `now`: ring time.
    func look(_ now: Double) {
        let quiet = now - movedAt
        switch phase {
        case .head where isShakingHands:
            guard now - headSince > server.options.headTimeout else { break }
            countHandshake(.tlsFailedTimeout)
            close(.closedTimeout)
        case .head:
            if isIdle {
                if quiet > server.options.idleTimeout { end(.closedIdle) }
            } else if quiet > server.options.headTimeout || now - headSince > server.options.headTimeout {
                server.countMalformed(408)
                respondPlainly(408)
                linger(.closedTimeout)
            }
        case .handling: lookAtRequest(now, quiet)
        case .skipping: if quiet > server.options.headTimeout { linger(.closedTimeout) }
        case .lingering: if quiet > Self.lingerTimeout { context?.close(promise: nil) }
        case .closed: break
        }
    }

    private static let wallSentence: StaticString = "The request took longer than its limit\n"

    private func lookAtRequest(_ now: Double, _ quiet: Double) {
        guard !request.isOver else { return }
        if request.isUpgraded, !isStuck(now) { return lookAtSocket(quiet) }
        let limit = request.isUpgraded ? 0 : server.options.requestTimeout
        let wall = request.isUpgraded ? 0 : server.options.wallLimit
        let isOverWall = wall > 0 && now - request.start > wall
        let isLate = isOverWall || limit > 0 && now - request.start > limit
        let waitsForContent = request.wantsContent && !request.isUpgraded && quiet > server.options.headTimeout
        let takesNothing = isStuck(now) && quiet > server.options.idleTimeout
        guard isLate || waitsForContent || takesNothing else { return }
        server.board?.add(.requestsTimedOut)
        var status = 0
        if answer == .none {
            status = waitsForContent && !isLate ? 408 : 503
            request.status = status
            respondPlainly(status, isOverWall ? Self.wallSentence : "")
            // For its handler, which may go on.
            if let place = request.boardSlot {
                server.board?.note(isOverWall ? .exceededWall : nil, status: UInt16(status), at: place)
            }
        }
        // Half a response is cut off, before anybody takes it for a whole one; but first its record is written.
        request.isCut = answer != .none
        request.keepsAlive = false
        answer = .done
        if request.errorType.isEmpty { request.errorType = Array((isOverWall ? "wall_limit" : "timeout").utf8) }
        server.tell(server.functions.ended, self, isOverWall ? 4 : 2, Double(status))
    }

    /// The client has taken nothing of what waits for it since the last look.
    private func isStuck(_ now: Double) -> Bool {
        guard answer == .leaving || wasToldToWait else { return false }
        let untaken = backlog + kernelBacklog
        defer { untakenBytes = untaken }
        guard untaken < untakenBytes else { return true }
        movedAt = now
        return false
    }
}
