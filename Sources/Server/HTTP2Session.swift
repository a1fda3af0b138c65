// HTTP/2 (RFC 9113), to clients that begin with it: what gRPC speaks. nghttp2 keeps the protocol's state on bytes; sockets, limits and the
// memory of requests are ours.
//
// Bytes are counted as they come: a head by its fields, a body by its array. What nghttp2 itself keeps is bounded by its settings (streams, header table,
// answers to pings) and by two buckets here: frames that carry no part of a request, and requests taken back.

internal import CHTTP2
internal import Glibc
internal import System
internal import Wire

final class HTTP2Session {
    /// What a session is taken to weigh: nghttp2's buffers, both header tables of 4 KiB, its streams.
    private static let weight = 32 * 1024
    /// The largest DATA frame a client may send: a usual request in one.
    private static let frameBytesMax: UInt32 = 64 * 1024

    unowned(unsafe) let connection: Connection
    private unowned(unsafe) let loop: Loop
    let limits: ServerLimits
    var session: OpaquePointer!
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    private var controlFrames: TokenBucket
    private var resets: TokenBucket
    private var isFlooded = false
    private var isEnding = false
    private var weighs = HTTP2Session.weight
    private var fieldBuffer: [nghttp2_nv] = []

    /// Nil: no memory.
    init?(_ connection: Connection, _ limits: ServerLimits) {
        self.connection = connection
        self.limits = limits
        loop = connection.loop
        controlFrames = TokenBucket(
            burst: limits.http2ControlFramesBurst, perSecond: limits.http2ControlFramesPerSecond, now: loop.now)
        resets = TokenBucket(burst: limits.http2ResetsBurst, perSecond: limits.http2ResetsPerSecond, now: loop.now)
        guard loop.budget.take(weighs) else {
            weighs = 0
            return nil
        }
        guard open() else {
            connectionEnded()
            return nil
        }
    }

    deinit { if session != nil { nghttp2_session_del(session) } }

    private func open() -> Bool {
        let this = Unmanaged.passUnretained(self).toOpaque()
        guard nghttp2_session_server_new2(&session, HTTP2Callbacks.all, this, HTTP2Callbacks.options) == 0 else {
            return false
        }
        func setting(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(bitPattern: id.rawValue), value: UInt32(clamping: value))
        }
        let settings = [
            setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.http2StreamsMax),
            setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.http2StreamWindowBytes),
            setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, Int(Self.frameBytesMax)),
            setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytesMax),
        ]
        return nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count) == 0
            && nghttp2_session_set_local_window_size(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: limits.http2ConnectionWindowBytes)) == 0
    }

    /// Streams whose answer is still to be sent.
    var hasAnswers: Bool { streams.values.contains { $0.isWhole } }

    // MARK: reading

    func receive(_ bytes: UnsafeRawBufferPointer) {
        let consumed = nghttp2_session_mem_recv(
            session, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
        if isFlooded {
            end(NGHTTP2_ENHANCE_YOUR_CALM)
        } else if consumed < 0 {
            if consumed == Int(NGHTTP2_ERR_FLOODED.rawValue) {
                loop.counters.count(.flood)
                end(NGHTTP2_ENHANCE_YOUR_CALM)
            } else {
                loop.counters.count(.malformed)
                end(NGHTTP2_PROTOCOL_ERROR)
            }
        }
        loop.schedule(connection)
    }

    private func end(_ code: nghttp2_error_code) {
        isEnding = true
        nghttp2_session_terminate_session(session, code.rawValue)
    }

    /// No further request: those that have begun are finished.
    func endCalmly() {
        guard !isEnding else { return }
        isEnding = true
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
            NGHTTP2_NO_ERROR.rawValue, nil, 0)
        loop.schedule(connection)
    }

    /// A frame begins. Those that bring no request further are counted.
    func frameBegins(_ frame: nghttp2_frame_hd) {
        switch nghttp2_frame_type(UInt32(frame.type)) {
        case NGHTTP2_HEADERS: return
        case NGHTTP2_DATA:
            let endsStream = frame.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            if frame.length > 0 || endsStream { return }
        case NGHTTP2_RST_STREAM:
            // Taken back before its answer: work for nothing (CVE-2023-44487).
            if streams[frame.stream_id] != nil, !resets.take(now: loop.now) { flooded() }
        default: break
        }
        if !controlFrames.take(now: loop.now) { flooded() }
    }

    func frameIsInvalid() {
        if !controlFrames.take(now: loop.now) { flooded() }
    }

    private func flooded() {
        guard !isFlooded else { return }
        isFlooded = true
        loop.counters.count(.flood)
    }

    func requestBegins(_ id: Int32) {
        guard !isFlooded else { return }
        let stream = HTTP2Stream(id)
        stream.deadline = loop.now &+ UInt64(limits.headMilliseconds) &* 1_000_000
        streams[id] = stream
        loop.sweep(by: stream.deadline)
    }

    /// False: the stream is to be reset.
    func field(_ id: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        guard let stream = streams[id] else { return true }
        // Trailers: nobody reads them, but they are bounded like a head.
        stream.fieldCount += 1
        guard stream.charge(name.count + value.count + 2, loop.budget) else {
            loop.counters.count(.memory)
            return false
        }
        guard stream.headBytes <= limits.headBytesMax, stream.fieldCount <= limits.headerCountMax + 8 else {
            loop.counters.count(.headTooLarge)
            return false
        }
        guard !stream.hasHead else { return true }
        if name.first == UInt8(ascii: ":") {
            switch name.count {
            case 7 where memcmp(name.baseAddress!, ":method", 7) == 0: stream.method = [UInt8](value)
            case 5 where memcmp(name.baseAddress!, ":path", 5) == 0: stream.target = [UInt8](value)
            case 10 where memcmp(name.baseAddress!, ":authority", 10) == 0: append(stream, "host", value)
            default: break
            }
            return true
        }
        stream.fields.append(contentsOf: name)
        stream.fields.append(0x0A)
        stream.fields.append(contentsOf: value)
        stream.fields.append(0x0A)
        return true
    }

    private func append(_ stream: HTTP2Stream, _ name: StaticString, _ value: UnsafeRawBufferPointer) {
        name.withUTF8Buffer { stream.fields.append(contentsOf: $0) }
        stream.fields.append(0x0A)
        stream.fields.append(contentsOf: value)
        stream.fields.append(0x0A)
    }

    func headIsWhole(_ id: Int32) {
        guard let stream = streams[id], !stream.hasHead else { return }
        stream.hasHead = true
        if stream.target.isEmpty { stream.target = [UInt8(ascii: "/")] }
        stream.deadline = loop.now &+ UInt64(limits.bodyMilliseconds) &* 1_000_000
        var refusal: HTTP1Exchange.Refusal?
        stream.fields.withUnsafeBytes { fields in
            if let length = FieldText.value(of: "content-length", in: fields) {
                stream.length = HTTP1Framing.contentLength(length)
            }
            guard let value = FieldText.value(of: "content-encoding", in: fields) else { return }
            switch ContentCoding.named(value) {
            case .identity: break
            case .coded(let coding): stream.coding = coding
            case .unknown:
                loop.counters.count(.encoding)
                refusal = HTTP1Exchange.Refusal(
                    status: 415, fields: ResponseFields(["accept-encoding": ContentCoding.accepted]))
            }
        }
        stream.client = connection.tls?.clientName
        if loop.isAsked(connection) {
            let asked = withHead(of: stream, .none) { loop.ask(connection, $0) }
            if let client = asked.client { stream.client = client }
            if let refusal = asked.refusal {
                guard stream.length ?? 0 > limits.lingerBytesMax else { return stream.refusal = refusal }
                return refuse(stream, refusal)
            }
        }
        if let refusal { return refuse(stream, refusal) }
        if let length = stream.length, length > connection.bodyBytesMax { refuseSize(stream) }
    }

    func data(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let stream = streams[id], case .reading = stream.state else { return }
        if let refusal = stream.refusal {
            stream.thrownAway += bytes.count
            if stream.thrownAway > limits.lingerBytesMax { refuse(stream, refusal) }
            return
        }
        guard stream.body.count + bytes.count <= connection.bodyBytesMax else { return refuseSize(stream) }
        guard stream.body.append(bytes, expected: stream.length, loop.budget) else {
            loop.counters.count(.memory)
            return refuse(stream, HTTP1Exchange.Refusal(status: 503, fields: Loop.retryAfter))
        }
    }

    private func refuseSize(_ stream: HTTP2Stream) {
        loop.counters.count(.bodyTooLarge)
        refuse(stream, HTTP1Exchange.Refusal(status: 413))
    }

    /// The server's own answer.
    private func refuse(_ stream: HTTP2Stream, _ refusal: HTTP1Exchange.Refusal) {
        stream.body.release(loop.budget)
        stream.state = .awaiting
        let handler = loop.refuser(of: connection)
        let said = withHead(of: stream, .none) { head in
            handler.refuse(head, ServerAnswer(status: refusal.status, fields: refusal.fields, body: refusal.body))
        }
        _ = answer(stream.id, Response(status: said.status, fields: said.fields, body: said.body, trailers: .none))
    }

    func requestIsWhole(_ id: Int32) {
        guard let stream = streams[id], !stream.isWhole else { return }
        stream.isWhole = true
        guard case .reading = stream.state, !isFlooded else { return }
        if let refusal = stream.refusal { return refuse(stream, refusal) }
        stream.state = .awaiting
        stream.deadline = .max
        guard let coding = stream.coding, stream.body.count > 0 else {
            hand(stream, stream.body.count > 0 ? .collected(stream.body.bytes) : .none)
            return stream.body.release(loop.budget)
        }
        let decoded: (bytes: [UInt8], charged: Int)
        do throws(ContentDecoder.Failure) {
            decoded = try loop.decode(
                UnsafeRawBufferPointer(start: nil, count: 0), stream.body.bytes, coding,
                bytesMax: connection.bodyBytesMax)
        } catch {
            return refuse(stream, Loop.refusal(error, loop.counters))
        }
        stream.body.release(loop.budget)
        hand(stream, .collected(decoded.bytes))
        loop.budget.giveBack(decoded.charged)
    }

    private func hand(_ stream: HTTP2Stream, _ body: ServedRequest.Body) {
        let responder = Responder(connection, stream.id, loop.mailbox)
        let handler = loop.handler(of: connection)
        withHead(of: stream, body) { request in handler.handle(request, responder) }
    }

    private func withHead<Result>(
        of stream: HTTP2Stream, _ body: ServedRequest.Body,
        _ take: (borrowing ServedRequest) -> Result
    ) -> Result {
        stream.method.withUnsafeBytes { method in
            stream.target.withUnsafeBytes { target in
                stream.fields.withUnsafeBytes { fields in
                    take(
                        ServedRequest(
                            method: stream.knownMethod, methodBytes: method, target: target, fields: fields,
                            isHTTP2: true, listener: connection.listener, descriptor: connection.descriptor,
                            client: stream.client, body: body)
                    )
                }
            }
        }
    }

    // MARK: answering

    /// An answer up to this, such as a refusal for want of memory, is not taken from the budget.
    private static let freeAnswerBytes = 1_024

    /// False: the client has taken the request back.
    func answer(_ id: Int32, _ response: Response) -> Bool {
        guard let stream = streams[id], stream.isAwaited else { return false }
        stream.state = .answering
        let isHead = stream.knownMethod == .head
        var response = response
        if !isHead, response.body.count > Self.freeAnswerBytes,
            !stream.charge(answer: response.body.count, loop.budget)
        {
            loop.counters.count(.memory)
            response = Response(status: 503, fields: .none, body: [], trailers: .none)
        }
        let hasContent = !isHead && !response.body.isEmpty
        if hasContent { stream.answer = response.body }
        stream.trailers = response.trailers
        let hasTrailers = !response.trailers.lines.isEmpty
        submit(
            stream, response.status, response.fields, length: hasTrailers ? nil : response.body.count,
            hasContent: hasContent || hasTrailers)
        return true
    }

    func start(_ state: StreamState, _ status: Int, _ fields: ResponseFields) -> Bool {
        guard let stream = streams[state.exchange], stream.isAwaited else { return false }
        stream.state = .streaming(state)
        submit(stream, status, fields, length: nil, hasContent: stream.knownMethod != .head)
        return true
    }

    private func submit(
        _ stream: HTTP2Stream, _ status: Int, _ fields: ResponseFields, length: Int?, hasContent: Bool
    ) {
        stream.deadline = loop.now &+ UInt64(limits.writeMilliseconds) &* 1_000_000
        loop.sweep(by: stream.deadline)
        let date = UnsafeRawBufferPointer(rebasing: loop.dateLine()[6..<35])
        let status = Array(String(status).utf8)
        let length = length.map { Array(String($0).utf8) } ?? []
        status.withUnsafeBytes { status in
            length.withUnsafeBytes { length in
                Self.withName(":status") { fieldBuffer.append(Self.field($0, status)) }
                Self.withName("date") { fieldBuffer.append(Self.field($0, date)) }
                if !length.isEmpty { Self.withName("content-length") { fieldBuffer.append(Self.field($0, length)) } }
                fields.adding(loop.door(of: connection).fields).lines.withUnsafeBytes { lines in
                    ResponseFields.forEach(in: lines) { name, value in fieldBuffer.append(Self.field(name, value)) }
                    var provider = nghttp2_data_provider()
                    provider.read_callback = HTTP2Callbacks.read
                    if hasContent {
                        nghttp2_submit_response(session, stream.id, fieldBuffer, fieldBuffer.count, &provider)
                    } else {
                        nghttp2_submit_response(session, stream.id, fieldBuffer, fieldBuffer.count, nil)
                    }
                }
            }
        }
        fieldBuffer.removeAll(keepingCapacity: true)
        loop.schedule(connection)
    }

    private static func withName(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        body(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// The library only reads; its type lacks the const.
    private static func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.baseAddress?.assumingMemoryBound(to: UInt8.self)),
            value: UnsafeMutablePointer(mutating: value.baseAddress?.assumingMemoryBound(to: UInt8.self)),
            namelen: name.count, valuelen: value.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
    }

    /// Fills a DATA frame; the number of bytes, or an error of the library.
    func read(_ id: Int32, _ room: UnsafeMutableRawBufferPointer, _ flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard let stream = streams[id] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        stream.deadline = loop.now &+ UInt64(limits.writeMilliseconds) &* 1_000_000
        if case .streaming(let state) = stream.state { return readPieces(stream, state, room, flags) }
        let count = min(room.count, stream.answer.count - stream.sent)
        stream.answer.withUnsafeBytes {
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[stream.sent..<(stream.sent + count)]))
        }
        stream.sent += count
        if stream.sent == stream.answer.count {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !stream.trailers.lines.isEmpty {
                flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                submitTrailers(stream)
            }
        }
        return count
    }

    private func submitTrailers(_ stream: HTTP2Stream) {
        var fields: [nghttp2_nv] = []
        stream.trailers.lines.withUnsafeBytes { lines in
            ResponseFields.forEach(in: lines) { name, value in fields.append(Self.field(name, value)) }
            _ = nghttp2_submit_trailer(session, stream.id, fields, fields.count)
        }
    }

    private func readPieces(
        _ stream: HTTP2Stream, _ state: StreamState, _ room: UnsafeMutableRawBufferPointer,
        _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var filled = 0
        while filled < room.count, let piece = stream.pieces.first {
            let count = min(room.count - filled, piece.count - stream.sent)
            piece.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0[stream.sent..<(stream.sent + count)]))
            }
            filled += count
            stream.sent += count
            state.taken(count)
            if stream.sent == piece.count {
                stream.pieces.removeFirst()
                stream.sent = 0
            }
        }
        if stream.pieces.isEmpty, stream.isEnded {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        } else if filled == 0 {
            stream.isDeferred = true
            stream.deadline = .max
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        return filled
    }

    // MARK: answers in pieces

    func send(_ state: StreamState, _ bytes: [UInt8]) -> Bool {
        guard let stream = streams[state.exchange], case .streaming(let current) = stream.state, current === state,
            stream.knownMethod != .head
        else { return false }
        stream.pieces.append(bytes)
        resume(stream)
        return true
    }

    func end(_ state: StreamState) {
        guard let stream = streams[state.exchange], case .streaming(let current) = stream.state, current === state
        else { return }
        stream.isEnded = true
        resume(stream)
    }

    /// Nobody writes to it any more.
    func abandon(_ state: StreamState) {
        guard let stream = streams[state.exchange], case .streaming(let current) = stream.state, current === state,
            !stream.isEnded
        else { return }
        reset(stream, NGHTTP2_INTERNAL_ERROR)
    }

    private func resume(_ stream: HTTP2Stream) {
        if stream.isDeferred {
            stream.isDeferred = false
            stream.deadline = loop.now &+ UInt64(limits.writeMilliseconds) &* 1_000_000
            loop.sweep(by: stream.deadline)
            nghttp2_session_resume_data(session, stream.id)
        }
        loop.schedule(connection)
    }

    private func reset(_ stream: HTTP2Stream, _ code: nghttp2_error_code) {
        stream.deadline = .max
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
        loop.schedule(connection)
    }

    // MARK: sending

    /// The last frame of an answer is out.
    func answerIsSent(_ id: Int32) {
        // RFC 9113 section 8.1: the client need not send the rest of a request that is answered.
        guard let stream = streams[id], !stream.isWhole else { return }
        reset(stream, NGHTTP2_NO_ERROR)
    }

    /// Sends what the library has to say, as far as the socket takes it.
    func flush() {
        var filled = 0
        let output = loop.output
        while connection.output.isEmpty, !connection.isClosed {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            guard count > 0, let bytes else {
                if count < 0 { return loop.close(connection) }
                break
            }
            if count > output.count - filled {
                loop.send(connection, UnsafeRawBufferPointer(rebasing: output[..<filled]))
                filled = 0
            }
            if count > output.count {
                loop.send(connection, UnsafeRawBufferPointer(start: bytes, count: count))
            } else {
                UnsafeMutableRawBufferPointer(rebasing: output[filled...]).copyMemory(
                    from: UnsafeRawBufferPointer(start: bytes, count: count))
                filled += count
            }
        }
        loop.send(connection, UnsafeRawBufferPointer(rebasing: output[..<filled]))
        guard connection.isOpen, connection.output.isEmpty else { return }
        let isOver = nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
        if isOver || (streams.isEmpty && (isEnding || connection.peerHasEnded)) { return loop.linger(connection) }
        loop.setWait(connection, streams.isEmpty ? .idle : connection.peerHasEnded ? .left : .nothing)
    }

    // MARK: the end

    func streamIsClosed(_ id: Int32) {
        streams.removeValue(forKey: id)?.release(loop.budget)
    }

    /// Resets streams that took too long; the next moment at which one may have.
    func sweep(_ now: UInt64) -> UInt64 {
        var next = UInt64.max
        for stream in streams.values {
            if now >= stream.deadline {
                switch stream.state {
                case .reading: loop.counters.count(stream.hasHead ? .bodyTimeout : .headTimeout)
                case .awaiting: continue
                case .answering, .streaming: loop.counters.count(.writeTimeout)
                }
                reset(stream, NGHTTP2_CANCEL)
            }
            next = min(next, stream.deadline)
        }
        return next
    }

    func connectionEnded() {
        for stream in streams.values { stream.release(loop.budget) }
        streams = [:]
        loop.budget.giveBack(weighs)
        weighs = 0
    }
}
