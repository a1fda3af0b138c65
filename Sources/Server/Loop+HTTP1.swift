internal import CLinux
internal import Glibc
internal import System
internal import Wire

// Requests of HTTP/1.1 and 1.0, one after the other.

extension Loop {
    /// A request's answer comes first: nothing more is read.
    func isPaused(_ connection: Connection, _ exchange: HTTP1Exchange) -> Bool {
        if case .reading = exchange.state { !connection.output.isEmpty } else { true }
    }

    /// What is sent meanwhile stays with the system; only whether the client leaves is of interest.
    func pause(_ connection: Connection, _ exchange: HTTP1Exchange) {
        let writes = Int(connection.interest) & Int(SL_WRITABLE)
        switch exchange.state {
        case .streaming: setInterest(connection, writes | Int(SL_PEER_ENDED))
        case .awaiting where connection.wait != .left: setInterest(connection, writes | Int(SL_PEER_ENDED))
        case .awaiting, .reading: setInterest(connection, writes)
        }
    }

    // MARK: reading

    /// - Parameter areKept: the bytes are those of `pending`.
    func processHTTP1(
        _ connection: Connection, _ exchange: HTTP1Exchange, _ bytes: UnsafeRawBufferPointer, areKept: Bool = false
    ) {
        var position = 0
        exchange.isProcessing = true
        reading: while connection.isOpen, !isPaused(connection, exchange) {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch exchange.parser.next(rest) {
            case .needMore(let consumed):
                position += consumed
                break reading
            case .head(let consumed):
                position += consumed
                began(connection, exchange)
            case .body(let range, let consumed):
                position += consumed
                add(exchange, UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end(let consumed):
                position += consumed
                ended(connection, exchange)
            case .failure(let failure):
                position = bytes.count
                failed(connection, exchange, failure)
            }
        }
        exchange.isProcessing = false
        guard connection.isOpen else { return }
        // The read buffer is about to be used for others.
        if !exchange.view.isEmpty { collectView(exchange) }
        if areKept {
            consume(connection, position)
        } else {
            keep(connection, UnsafeRawBufferPointer(rebasing: bytes[position...]))
        }
        guard connection.isOpen else { return }
        guard exchange.chargeHead(budget) else {
            counters.count(.memory)
            return close(connection)
        }
        if !connection.isClosed { waitOn(connection, exchange) }
    }

    /// The rest of a body, up to its end and no further, right behind what is there.
    func readStraight(_ connection: Connection, _ exchange: HTTP1Exchange) {
        let length = exchange.length!
        let before = exchange.body.count
        let left = length - before
        guard exchange.body.reserve(min(left, max(exchange.body.room, 1)), expected: length, budget) else {
            refuseForMemory(exchange)
            return readable(connection)
        }
        let count = exchange.body.fill(left) { room in
            sl_receive_now(connection.descriptor, room.baseAddress!, room.count)
        }
        guard count > 0 else { return receivedNothing(connection, count) }
        self.count(received: count, of: connection)
        // The parser is told of bytes that lie where they stay already.
        exchange.body.bytes.withUnsafeBytes { bytes in
            guard
                case .body(let range, _) = exchange.parser.next(UnsafeRawBufferPointer(rebasing: bytes[before...])),
                range.count == count
            else { preconditionFailure("content of a known length, of which \(left) bytes are to come") }
        }
        guard before + count == length else { return }
        processHTTP1(connection, exchange, UnsafeRawBufferPointer(start: input.baseAddress!, count: 0))
    }

    /// The head is whole.
    private func began(_ connection: Connection, _ exchange: HTTP1Exchange) {
        let head = exchange.parser.head
        exchange.number &+= 1
        exchange.method = head.method
        exchange.version = head.version
        exchange.keepAlive = head.keepAlive
        exchange.coding = nil
        exchange.refusal = nil
        exchange.ownText = nil
        connection.wait = .nothing
        exchange.client = connection.tls?.clientName
        switch head.body {
        case .none:
            exchange.length = 0
            _ = letIn(connection, exchange, head)
            return
        case .length(let length): exchange.length = length
        case .chunked:
            exchange.length = nil
            exchange.ownText = [UInt8](exchange.parser.text)
        }
        guard letIn(connection, exchange, head) else { return }
        if let value = FieldText.value(of: "content-encoding", in: fields(exchange.parser.text, head)) {
            switch ContentCoding.named(value) {
            case .identity: break
            case .coded(let coding): exchange.coding = coding
            case .unknown:
                counters.count(.encoding)
                refuse(
                    connection, exchange,
                    HTTP1Exchange.Refusal(
                        status: 415, fields: ResponseFields(["accept-encoding": ContentCoding.accepted])))
            }
        }
        if head.expectsContinue, connection.isOpen, exchange.refusal == nil {
            let text: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
            send(connection, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }

    /// Asks at the door; false: the request is refused.
    private func letIn(_ connection: Connection, _ exchange: HTTP1Exchange, _ head: HTTP1RequestHead) -> Bool {
        guard isAsked(connection) else { return true }
        let asked = ask(connection, request(connection, exchange, head, exchange.parser.text, .none))
        if let client = asked.client { exchange.client = client }
        guard let refusal = asked.refusal else { return true }
        refuse(connection, exchange, refusal)
        return false
    }

    /// An answer that the server gives. The body is read first, so that the connection can go on; not one that the client waits to be asked for, nor one that
    /// is long.
    private func refuse(
        _ connection: Connection, _ exchange: HTTP1Exchange, _ refusal: HTTP1Exchange.Refusal
    ) {
        exchange.refusal = refusal
        guard exchange.parser.head.expectsContinue || exchange.length ?? 0 > limits.lingerBytesMax else { return }
        exchange.keepAlive = false
        answerRefused(connection, exchange)
    }

    private func add(_ exchange: HTTP1Exchange, _ piece: UnsafeRawBufferPointer) {
        guard exchange.refusal == nil else { return }
        if exchange.view.isEmpty, exchange.body.count == 0 {
            exchange.view = piece
            return
        }
        collectView(exchange)
        collect(exchange, piece)
    }

    private func collectView(_ exchange: HTTP1Exchange) {
        let view = exchange.view
        exchange.view = UnsafeRawBufferPointer(start: nil, count: 0)
        if !view.isEmpty { collect(exchange, view) }
    }

    private func collect(_ exchange: HTTP1Exchange, _ piece: UnsafeRawBufferPointer) {
        guard exchange.refusal == nil else { return }
        if !exchange.body.append(piece, expected: exchange.length, budget) { refuseForMemory(exchange) }
    }

    private func refuseForMemory(_ exchange: HTTP1Exchange) {
        counters.count(.memory)
        exchange.body.release(budget)
        exchange.refusal = HTTP1Exchange.Refusal(status: 503, fields: Self.retryAfter)
    }

    static let retryAfter = ResponseFields(["retry-after": "1"])

    /// The request is whole.
    private func ended(_ connection: Connection, _ exchange: HTTP1Exchange) {
        connection.wait = .nothing
        guard exchange.refusal == nil else { return answerRefused(connection, exchange) }
        let view = exchange.view
        exchange.view = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let coding = exchange.coding else {
            hand(connection, exchange, exchange.body.count > 0 ? .collected(exchange.body.bytes) : .inPlace(view))
            exchange.body.release(budget)
            return
        }
        let decoded: (bytes: [UInt8], charged: Int)
        do throws(ContentDecoder.Failure) {
            decoded = try decode(view, exchange.body.bytes, coding, bytesMax: connection.bodyBytesMax)
            exchange.body.release(budget)
        } catch {
            exchange.body.release(budget)
            exchange.refusal = Self.refusal(error, counters)
            return answerRefused(connection, exchange)
        }
        hand(connection, exchange, .collected(decoded.bytes))
        budget.giveBack(decoded.charged)
    }

    func decode(
        _ view: UnsafeRawBufferPointer, _ collected: [UInt8], _ coding: ContentCoding, bytesMax: Int
    ) throws(ContentDecoder.Failure) -> (bytes: [UInt8], charged: Int) {
        if collected.isEmpty { return try decoder.decode(view, coding, bytesMax: bytesMax, budget) }
        let span = collected.span
        return try span.withUnsafeBytes { (bytes) throws(ContentDecoder.Failure) in
            try decoder.decode(bytes, coding, bytesMax: bytesMax, budget)
        }
    }

    static func refusal(_ failure: ContentDecoder.Failure, _ counters: ServerCounters) -> HTTP1Exchange.Refusal {
        switch failure {
        case .malformed:
            counters.count(.encodedBody)
            return HTTP1Exchange.Refusal(status: 400)
        case .tooLarge:
            counters.count(.bodyTooLarge)
            return HTTP1Exchange.Refusal(status: 413)
        case .memory:
            counters.count(.memory)
            return HTTP1Exchange.Refusal(status: 503, fields: retryAfter)
        }
    }

    private func hand(_ connection: Connection, _ exchange: HTTP1Exchange, _ body: consuming ServedRequest.Body) {
        exchange.state = .awaiting
        let head = exchange.parser.head
        let responder = Responder(connection, exchange.number, mailbox)
        let handler = handler(of: connection)
        if let own = exchange.ownText {
            exchange.ownText = nil
            let body = body
            own.withUnsafeBytes { handler.handle(request(connection, exchange, head, $0, body), responder) }
        } else {
            handler.handle(request(connection, exchange, head, exchange.parser.text, body), responder)
        }
    }

    private func request(
        _ connection: Connection, _ exchange: HTTP1Exchange, _ head: HTTP1RequestHead, _ text: UnsafeRawBufferPointer,
        _ body: consuming ServedRequest.Body
    ) -> ServedRequest {
        ServedRequest(
            method: head.method, methodBytes: UnsafeRawBufferPointer(rebasing: text[head.methodSpan.range]),
            target: target(text, head), fields: fields(text, head), isHTTP2: false, listener: connection.listener,
            descriptor: connection.descriptor, client: exchange.client, body: body)
    }

    /// Behind the request line.
    private func fields(_ text: UnsafeRawBufferPointer, _ head: HTTP1RequestHead) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[min(head.target.range.upperBound + 1, text.count)...])
    }

    /// Path and query, also of a target in absolute form.
    private func target(_ text: UnsafeRawBufferPointer, _ head: HTTP1RequestHead) -> UnsafeRawBufferPointer {
        let whole = head.target.range
        guard head.targetAuthority.length > 0 else { return UnsafeRawBufferPointer(rebasing: text[whole]) }
        let path = UnsafeRawBufferPointer(rebasing: text[head.targetAuthority.range.upperBound..<whole.upperBound])
        return path.first == UInt8(ascii: "/") ? path : Self.root
    }

    private static var root: UnsafeRawBufferPointer {
        let text: StaticString = "/"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: 1)
    }

    private func failed(_ connection: Connection, _ exchange: HTTP1Exchange, _ failure: HTTP1Failure) {
        switch failure {
        case .bodyTooLarge: counters.count(.bodyTooLarge)
        case .headTooLarge, .tooManyFields, .requestLineTooLong, .trailersTooLarge: counters.count(.headTooLarge)
        default: counters.count(.malformed)
        }
        exchange.view = UnsafeRawBufferPointer(start: nil, count: 0)
        exchange.body.release(budget)
        exchange.keepAlive = false
        exchange.refusal = HTTP1Exchange.Refusal(status: failure.status)
        // Of what is wrong in itself nothing is known; of what is too large the head is.
        if failure == .bodyTooLarge {
            exchange.method = exchange.parser.head.method
            exchange.version = exchange.parser.head.version
        }
        answerRefused(connection, exchange, knowsHead: failure == .bodyTooLarge)
    }

    private func answerRefused(_ connection: Connection, _ exchange: HTTP1Exchange, knowsHead: Bool = true) {
        guard let refusal = exchange.refusal else { return }
        exchange.state = .awaiting
        var answer = ServerAnswer(status: refusal.status, fields: refusal.fields, body: refusal.body)
        if knowsHead {
            let (head, handler) = (exchange.parser.head, refuser(of: connection))
            if let own = exchange.ownText {
                answer = own.withUnsafeBytes { handler.refuse(request(connection, exchange, head, $0, .none), answer) }
            } else {
                answer = handler.refuse(request(connection, exchange, head, exchange.parser.text, .none), answer)
            }
        }
        exchange.ownText = nil
        respond(
            connection, exchange,
            Response(status: answer.status, fields: answer.fields, body: answer.body, trailers: .none))
    }

    // MARK: answering

    func answer(_ connection: Connection, _ number: Int32, _ response: Response) {
        switch connection.speaks {
        case .http1(let exchange):
            guard connection.isOpen, exchange.number == number, case .awaiting = exchange.state else { break }
            return respond(connection, exchange, response)
        case .http2(let session):
            if connection.isOpen, session.answer(number, response) { return }
        case .unknown: break
        }
        counters.gone.wrappingAdd(1, ordering: .relaxed)
    }

    private func respond(_ connection: Connection, _ exchange: HTTP1Exchange, _ response: Response) {
        let keepAlive = exchange.keepAlive && !isEnding(connection) && !connection.peerHasEnded
        let framing = HTTP1Framing.response(
            status: response.status, method: exchange.method, version: exchange.version, length: response.body.count,
            keepAlive: keepAlive)
        let head = writeHead(connection, response.status, response.fields, framing, exchange.version)
        if !framing.sendsContent {
            send(connection, UnsafeRawBufferPointer(rebasing: output[..<head]))
        } else if response.body.count <= output.count - head {
            response.body.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: output[head...]).copyMemory(from: $0)
            }
            send(connection, UnsafeRawBufferPointer(rebasing: output[..<(head + response.body.count)]))
        } else {
            send(connection, UnsafeRawBufferPointer(rebasing: output[..<head]))
            response.body.withUnsafeBytes { send(connection, $0) }
        }
        exchange.state = .reading
        exchange.keepAlive = framing.keepAlive
        answered(connection, exchange)
    }

    /// Bytes of the head in `output`. Fields that leave no room for it are the program's fault.
    private func writeHead(
        _ connection: Connection, _ status: Int, _ fields: ResponseFields, _ framing: HTTP1Framing.Response,
        _ version: HTTP1Version
    ) -> Int {
        fields.adding(door(of: connection).fields).lines.withUnsafeBytes { lines in
            let head = HTTP1ResponseHead(status: status, fields: lines, framing: framing, version: version)
            do throws(HTTP1ResponseError) {
                return try head.write(date: dateLine(), into: output)
            } catch {
                preconditionFailure("no head with status \(status) and fields of \(lines.count) bytes: \(error)")
            }
        }
    }

    /// An answer is whole. What waits behind it is read now, by whoever reads already, or at the end of the turn.
    private func answered(_ connection: Connection, _ exchange: HTTP1Exchange) {
        guard connection.isOpen else { return }
        if !exchange.keepAlive {
            linger(connection)
        } else if !exchange.isProcessing {
            schedule(connection)
        }
    }

    func goOnHTTP1(_ connection: Connection, _ exchange: HTTP1Exchange) {
        guard !isPaused(connection, exchange), !connection.closesAfterOutput else { return }
        if connection.pending.isEmpty {
            waitOn(connection, exchange)
        } else {
            let pending = connection.pending
            let start = connection.pendingStart
            pending.withUnsafeBytes {
                processHTTP1(connection, exchange, UnsafeRawBufferPointer(rebasing: $0[start...]), areKept: true)
            }
        }
        guard connection.isOpen, !isPaused(connection, exchange) else { return }
        if connection.peerHasEnded { return close(connection) }
        setInterest(connection, Int(SL_READABLE))
    }

    // MARK: deadlines

    /// What is waited for now.
    private func waitOn(_ connection: Connection, _ exchange: HTTP1Exchange) {
        guard connection.isOpen, connection.output.isEmpty else { return }
        guard case .reading = exchange.state else { return setWait(connection, .nothing) }
        if exchange.parser.isIdle, connection.pending.isEmpty { return setWait(connection, .idle) }
        // A head, or a body, is given its time once, however often a part of it comes.
        let isBody = exchange.parser.isInBody
        switch connection.wait {
        case .head where !isBody, .body where isBody: break
        default: setWait(connection, isBody ? .body : .head)
        }
    }

    func timedOut(_ connection: Connection, _ exchange: HTTP1Exchange, _ wait: Connection.Wait) {
        guard wait != .idle, case .reading = exchange.state else { return close(connection) }
        counters.count(wait == .head ? .headTimeout : .bodyTimeout)
        exchange.body.release(budget)
        exchange.keepAlive = false
        exchange.refusal = HTTP1Exchange.Refusal(status: 408)
        answerRefused(connection, exchange, knowsHead: wait == .body)
    }

    // MARK: answers in pieces

    func start(_ stream: StreamState, _ status: Int, _ fields: ResponseFields) {
        let connection = stream.connection
        switch connection.speaks {
        case .http1(let exchange):
            guard connection.isOpen, exchange.number == stream.exchange, case .awaiting = exchange.state else { break }
            exchange.framing = HTTP1Framing.response(
                status: status, method: exchange.method, version: exchange.version, length: nil,
                keepAlive: exchange.keepAlive && !isEnding(connection))
            exchange.keepAlive = exchange.framing.keepAlive
            exchange.state = .streaming(stream)
            let head = writeHead(connection, status, fields, exchange.framing, exchange.version)
            send(connection, UnsafeRawBufferPointer(rebasing: output[..<head]))
            if !connection.isClosed { pause(connection, exchange) }
            return
        case .http2(let session):
            if connection.isOpen, session.start(stream, status, fields) { return }
        case .unknown: break
        }
        counters.gone.wrappingAdd(1, ordering: .relaxed)
        stream.left()
    }

    /// A piece, whose bytes the stream has taken from the budget.
    func send(_ stream: StreamState, _ bytes: [UInt8]) {
        let connection = stream.connection
        switch connection.speaks {
        case .http1(let exchange):
            guard connection.isOpen, case .streaming(let current) = exchange.state, current === stream,
                exchange.framing.sendsContent
            else { break }
            return sendPiece(connection, exchange, stream, bytes)
        case .http2(let session):
            if connection.isOpen, session.send(stream, bytes) { return }
        case .unknown: break
        }
        stream.taken(bytes.count)
    }

    private func sendPiece(
        _ connection: Connection, _ exchange: HTTP1Exchange, _ stream: StreamState, _ bytes: [UInt8]
    ) {
        var framed = bytes
        if exchange.framing.body == .chunked {
            let size = HTTP1Chunk.writeSizeLine(bytes.count, into: output)
            framed = [UInt8](output[..<size])
            framed.reserveCapacity(size + bytes.count + 2)
            framed += bytes
            framed += [0x0D, 0x0A]
        }
        if let tls = connection.tls {
            guard let ciphertext = ciphertext(of: framed, tls) else {
                stream.taken(bytes.count)
                return close(connection)
            }
            framed = ciphertext
        }
        let sent = connection.output.isEmpty ? framed.withUnsafeBytes { sendNow(connection, $0) } : 0
        guard sent < framed.count, !connection.isClosed else { return stream.taken(bytes.count) }
        queue(connection, OutputQueue.Piece(bytes: framed, sent: sent, charged: bytes.count, stream: stream))
    }

    func end(_ stream: StreamState) {
        let connection = stream.connection
        switch connection.speaks {
        case .http1(let exchange):
            guard connection.isOpen, case .streaming(let current) = exchange.state, current === stream else { return }
            exchange.state = .reading
            if exchange.framing.body == .chunked {
                send(
                    connection,
                    UnsafeRawBufferPointer(
                        start: HTTP1Chunk.last.utf8Start, count: HTTP1Chunk.last.utf8CodeUnitCount))
            }
            answered(connection, exchange)
        case .http2(let session): if connection.isOpen { session.end(stream) }
        case .unknown: return
        }
    }

    /// Nobody writes to the stream any more.
    func abandon(_ stream: StreamState) {
        let connection = stream.connection
        switch connection.speaks {
        case .http1(let exchange):
            guard connection.isOpen, case .streaming(let current) = exchange.state, current === stream else { return }
            exchange.state = .reading
            close(connection)
        case .http2(let session): if connection.isOpen { session.abandon(stream) }
        case .unknown: return
        }
    }
}
