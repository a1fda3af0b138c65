// One client's connection: bytes in, requests one at a time into JavaScript, responses out. All on the isolate's thread.
//
//     head ──whole──► handling ──answered and recorded──► skipping ──content read──► head
//       │ malformed, too slow                │ client leaves, time is up, cut         │ too much
//       └──────────────► lingering ◄─────────┴────────────────────────────────────────┘
//                            └──► closed
//
// The content of a request is read from the socket only when the program asks for it: what comes unasked stays in `input` up to a bound, and
// then in the kernel. The next request is not looked at before this one's response is out and its record written.
//
// JavaScript is never entered from within JavaScript: what happens on the socket while a turn runs is taken up by `HTTPServer.settle`.

internal import Engine
internal import Glibc
internal import NIOCore
internal import TLS
internal import Telemetry
internal import Wire

final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Between two requests, or within a head.
        case head
        /// JavaScript has the request.
        case handling
        /// The response is out; the rest of the request's content is passed over.
        case skipping
        /// Nothing more is sent; what comes is dropped until the client has seen the end.
        case lingering
        case closed
    }

    /// How far the response is.
    enum Answer {
        case none
        /// Its head is out, content follows.
        case streaming
        /// All of it is handed to the channel, not yet to the kernel.
        case leaving
        /// All of it is with the kernel, or nothing more will be.
        case done
    }

    /// Bytes that may wait unread while a request is handled.
    static let inputBytesMax = 64 << 10
    /// Content from this on is a piece of its own; smaller pieces are gathered up to so many bytes.
    static let pieceBytesMin = 4 << 10
    static let pieceBytesMax = 64 << 10
    /// Bytes of unread content that are passed over so that the connection can go on.
    static let skippedBytesMax = 256 << 10
    /// How long a closed connection is listened to, so that the client can read the response before the reset. Nanoseconds.
    static let lingerTimeout = 2e9
    private static let continueLine = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
    /// Between two probes of a connection whose client sends nothing more and waits.
    private static let probeSeconds: Int32 = 5

    unowned let server: HTTPServer
    /// Its place among the server's connections, and the name of its request in JavaScript.
    let slot: Int
    var context: ChannelHandlerContext?
    var phase = Phase.head

    /// Between the socket and all that is below; nil: plain HTTP.
    var tls: TLSSession?
    /// The handshake was counted, as one that was completed or one that was not.
    var isHandshakeCounted = false
    /// Bytes of ciphertext that the session has made of what came, since the client last had all of it.
    var unreadAnswers = 0

    var parser: HTTP1RequestParser
    /// Received and not consumed.
    var input = HTTPServer.noBytes
    /// What ended the gathering of a piece: it comes after it.
    private var heldEvent: HTTP1RequestParser.Event?
    private var isPumping = false
    /// The client has said that nothing more comes from it: the end of the stream, or close_notify.
    var hasInputEnded = false
    private var isProbed = false
    private var isReading = true

    // The request.
    var request = HTTPRequestState()
    var answer = Answer.none
    var framing = HTTP1Framing.response(status: 200, method: .get, version: .http11, length: 0, keepAlive: true)
    /// Bytes that wait for the end of the turn.
    var unsent = HTTPServer.noBytes
    /// Bytes that the channel has and the kernel has not.
    var backlog = 0
    /// JavaScript waits for `drained`.
    var wasToldToWait = false
    /// Of the socket.
    var descriptor: Int32 = -1

    /// When something last moved, and when the head that is being read began; ring time.
    var movedAt: Double
    /// Bytes that the client had not taken when it was last looked at: when they grow fewer, it reads.
    var untakenBytes = 0
    private(set) var headSince: Double
    private var closeReason = BoardCounter.closedByClient
    /// It lingers, and nothing is lost when it is cut: all was sent, and the client has nothing more to send.
    private(set) var isLeaving = false
    /// As the kernel writes them; nil on a Unix socket.
    let peer: (address: [UInt8], port: Int)?

    init(_ server: HTTPServer, slot: Int, peer: SocketAddress?, now: Double) {
        self.server = server
        self.slot = slot
        parser = HTTP1RequestParser(limits: server.options.limits)
        movedAt = now
        headSince = now
        tls = server.tls.map { TLSSession($0) }
        self.peer = peer.flatMap { peer in
            guard let address = peer.ipAddress, let port = peer.port else { return nil }
            return (Array(address.utf8), port)
        }
    }

    deinit { request.deallocate() }

    // MARK: the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in
            descriptor = socket
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        server.board?.add(.bytesIn, UInt64(bytes.readableBytes))
        switch phase {
        case .lingering, .closed: return
        case .head, .handling, .skipping: movedAt = server.isolate.now
        }
        if let tls {
            receive(bytes, through: tls)
        } else {
            take(bytes)
            server.outsideOfTurn(self) { $0.pump() }
        }
    }

    /// Plaintext, behind what is there.
    func take(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            if input.readerIndex > Self.inputBytesMax { input.discardReadBytes() }
            var bytes = bytes
            input.writeBuffer(&bytes)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
        hasInputEnded = true
        server.outsideOfTurn(self) { $0.pump() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        server.outsideOfTurn(self) { $0.clientLeft() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if closeReason == .closedByClient { closeReason = .closedReset }
        context.close(promise: nil)
    }

    // MARK: bytes in

    /// Takes up what is there, as far as it can be. Never within a turn.
    func pump() {
        guard !isPumping else { return }
        isPumping = true
        while step() {}
        isPumping = false
        if input.readableBytes == 0 { input = HTTPServer.noBytes }
        if hasInputEnded {
            endOfInput()
        } else {
            let skips = phase == .lingering || phase == .skipping || phase == .head
            read(skips || input.readableBytes < Self.inputBytesMax)
        }
    }

    /// Nothing more comes, and what came is taken up. A client that has closed its sending half still reads (RFC 9293 section 3.6): it gets the
    /// answers to what it has sent whole, and then the connection is closed.
    private func endOfInput() {
        switch phase {
        case .head, .skipping: end(.closedByClient)
        case .handling where request.wantsContent && request.hasContentLeft:
            // Content that will not come: it has given the request up.
            close(.closedByClient)
        case .handling: probe()
        case .lingering: context?.close(promise: nil)
        case .closed: break
        }
    }

    /// From the end of a stream alone nobody can tell a client that waits for its answer from one that has left: only a reset can, which bytes that
    /// nobody takes cause at once. Before a response an interim one is such bytes: a client that is there can discard it (RFC 9110 section 15.2.1).
    /// Within a response it is the next piece; and while there is none, the kernel's probes notice a client whose own kernel has forgotten the
    /// connection, a minute after it was closed.
    private func probe() {
        guard !isProbed, !server.options.isUnixSocket, context != nil else { return }
        isProbed = true
        if answer == .none, request.head.version == .http11 { writeNow(Self.continueLine) }
        for (level, name, value) in [
            (SOL_SOCKET, SO_KEEPALIVE, 1), (Int32(IPPROTO_TCP), TCP_KEEPIDLE, Self.probeSeconds),
            (Int32(IPPROTO_TCP), TCP_KEEPINTVL, Self.probeSeconds),
        ] {
            var value = value
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// False: there is nothing more to do now.
    private func step() -> Bool {
        switch phase {
        case .head:
            guard context != nil, input.readableBytes > 0 else { return false }
            if parser.isIdle { headSince = movedAt }
            switch next() {
            case .needMore: return false
            case .head where parser.head.method == .connect:
                // An origin server has no tunnels; a 2xx would make the client take what follows for one. RFC 9110 sections 9.3.6 and 15.6.2.
                refuse(501)
                return false
            case .head:
                begin()
                return true
            case .failure(let failure):
                refuse(failure.status)
                return false
            case .body, .end: preconditionFailure("content before a head: \(slot)")
            }
        case .handling:
            guard request.wantsContent, request.hasContentLeft else { return false }
            return stepOfContent()
        case .skipping:
            guard request.hasContentLeft else { return goesOn() }
            switch next() {
            case .needMore: return false
            case .end:
                request.hasContentLeft = false
                return goesOn()
            case .body(let range, _):
                request.skippedBytes += range.count
                guard request.skippedBytes <= Self.skippedBytesMax else {
                    linger(.closedLimit)
                    return false
                }
                return true
            case .failure:
                linger(.closedMalformed)
                return false
            case .head: preconditionFailure("a head within content: \(slot)")
            }
        case .lingering, .closed: return false
        }
    }

    /// The request is behind us with all its content. False: there is nothing more to do.
    private func goesOn() -> Bool {
        phase = .head
        server.connectionIsFree(self)
        return phase == .head
    }

    /// A piece of content for JavaScript, which has asked for one.
    private func stepOfContent() -> Bool {
        let functions = server.functions
        if request.isUpgraded {
            guard let frames = takeFrames() else { return false }
            request.wantsContent = false
            server.tell(functions.bodyChunk, self, frames)
            return true
        }
        let (event, piece) = gatherContent()
        switch event {
        case .needMore: return false
        case .body:
            request.wantsContent = false
            server.tell(functions.bodyChunk, self, piece!)
        case .end:
            request.wantsContent = false
            request.hasContentLeft = false
            server.tell(functions.bodyEnd, self)
        case .failure(let failure):
            request.wantsContent = false
            request.contentFailed = true
            server.countMalformed(failure.status)
            let message =
                failure == .bodyTooLarge
                ? "The body of the request is larger than the limit"
                : "The body of the request is malformed: \(failure.rawValue)"
            server.tell(
                functions.bodyError, self, Value.string(message, in: server.isolate),
                Value.number(Double(failure.status), in: server.isolate))
        case .head: preconditionFailure("a head within content: \(slot)")
        }
        // What comes next depends on what JavaScript made of it: the response may be out, and the next request here.
        return true
    }

    /// The next event of content. Chunks that lie one behind the other become one piece: each costs JavaScript a turn and an array, however small
    /// its sender has made it.
    private func gatherContent() -> (HTTP1RequestParser.Event, Value?) {
        if heldEvent != nil { return (next(), nil) }
        var gathered: [UInt8] = []
        while true {
            var piece: Value?
            var isBody = false
            let event = input.withUnsafeReadableBytes { bytes in
                let event = parser.next(bytes)
                guard case .body(let range, _) = event else { return event }
                isBody = true
                let content = UnsafeRawBufferPointer(rebasing: bytes[range])
                if gathered.isEmpty, event.consumed == bytes.count || content.count >= Self.pieceBytesMin {
                    piece = server.realm.makeUint8Array(content)
                } else {
                    gathered.append(contentsOf: content)
                }
                return event
            }
            input.moveReaderIndex(forwardBy: event.consumed)
            if let piece { return (event, piece) }
            if isBody, gathered.count < Self.pieceBytesMax { continue }
            guard !gathered.isEmpty else { return (event, nil) }
            switch event {
            case .end, .failure: heldEvent = event
            case .needMore, .body, .head: break
            }
            return (
                .body(0..<gathered.count, consumed: 0),
                gathered.withUnsafeBytes { server.realm.makeUint8Array($0) }
            )
        }
    }

    private func next() -> HTTP1RequestParser.Event {
        if let event = heldEvent {
            heldEvent = nil
            return event
        }
        let event = input.withUnsafeReadableBytes { parser.next($0) }
        input.moveReaderIndex(forwardBy: event.consumed)
        return event
    }

    /// A whole head is there.
    private func begin() {
        phase = .handling
        answer = .none
        wasToldToWait = false
        request.begin(parser, start: movedAt)
        server.begin(self)
    }

    /// JavaScript wants content.
    func readContent() {
        guard phase == .handling, !request.isOver else { return }
        guard request.hasContentLeft, !request.contentFailed else { return }
        // The client's time for it runs from here.
        if !request.wantsContent { movedAt = server.isolate.now }
        request.wantsContent = true
        askForContent()
        server.touch(self)
    }

    /// The client need wait no longer with its content. RFC 9110 section 10.1.1.
    func askForContent() {
        guard phase == .handling, request.awaitsContinue else { return }
        request.awaitsContinue = false
        if answer == .none { writeNow(Self.continueLine) }
    }

    private func read(_ wanted: Bool) {
        guard wanted != isReading, let context else { return }
        isReading = wanted
        try? context.channel.syncOptions?.setOption(.autoRead, value: wanted)
    }

    // MARK: ends

    /// Answers what is no request, and closes.
    private func refuse(_ status: Int) {
        server.countMalformed(status)
        respondPlainly(status)
        linger(.closedMalformed)
    }

    /// A response of the server's own, without JavaScript.
    func respondPlainly(_ status: Int, _ content: StaticString = "") {
        let framing = HTTP1Framing.response(
            status: status, method: .get, version: .http11, length: content.utf8CodeUnitCount, keepAlive: false)
        let head = HTTP1ResponseHead(
            status: status, fields: UnsafeRawBufferPointer(start: nil, count: 0), framing: framing, version: .http11)
        guard var bytes = server.headBytes(head) else { return }
        bytes.writeStaticString(content)
        writeNow(bytes)
    }

    /// Ends the connection so that the client can still read what was sent: no more is written, and what it sends is dropped for a while. RFC 9112 section 9.6.
    func linger(_ reason: BoardCounter) {
        guard let context, phase != .lingering, phase != .closed else { return }
        closeReason = reason
        phase = .lingering
        movedAt = server.isolate.now
        input = HTTPServer.noBytes
        sayEnd()
        context.close(mode: .output, promise: nil)
        read(true)
        if server.isDraining { letGo() }
        if hasInputEnded { endOfInput() }
    }

    /// Of a worker that drains: it is not waited for when nothing of what it sent can be lost. What is unread in the kernel would make a reset of the end.
    func letGo() {
        guard phase == .lingering, !isLeaving, closeReason == .closedDraining || closeReason == .closedByServer,
            isSent, !(request.hasBody && request.hasContentLeft), !hasUnread
        else { return }
        isLeaving = true
        server.connectionLeaves()
    }

    /// Between two requests.
    func end(_ reason: BoardCounter) {
        sayEnd()
        close(reason)
    }

    /// At once. Over TLS the client can tell that this is no proper end.
    func close(_ reason: BoardCounter) {
        closeReason = reason
        context?.close(promise: nil)
    }

    /// The socket is gone.
    private func clientLeft() {
        guard phase != .closed else { return }
        if tls != nil { countHandshake(.tlsFailedClosed) }
        if phase == .handling, !request.isOver, answer != .done {
            server.board?.add(.requestsAbandoned)
            answer = .done
            // Which ends with `release`.
            server.tell(server.functions.ended, self, 1)
        }
        phase = .closed
        input = HTTPServer.noBytes
        server.connectionClosed(self, closeReason)
    }
}
