// The HTTP/1.1 server of a worker that serves: connections from the agent's socket, requests into `internal.serve` (44_serve.js), answers through ops.
//
// One thread does it all, the isolate's. JavaScript is entered by `Workload.turn` only; what happens to a connection while a turn runs (an op
// writes, the socket fails) is noted and taken up when the turn is over, by `settle`.

internal import Engine
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import TLS
internal import Telemetry
internal import Wire

final class HTTPServer {
    /// The functions of `internal.serve` that native code calls.
    struct Functions {
        let dispatch, ended, drained, bodyChunk, bodyEnd, bodyError, idle, pending, abortAll, drain: Value

        init(_ internals: Internals) throws(JSFailure) {
            dispatch = try internals.property("serve.dispatch")
            ended = try internals.property("serve.ended")
            drained = try internals.property("serve.drained")
            bodyChunk = try internals.property("serve.bodyChunk")
            bodyEnd = try internals.property("serve.bodyEnd")
            bodyError = try internals.property("serve.bodyError")
            idle = try internals.property("serve.idle")
            pending = try internals.property("serve.pending")
            abortAll = try internals.property("serve.abortAll")
            drain = try internals.property("serve.drain")
        }
    }

    static let noBytes = ByteBuffer()

    unowned let workload: Workload
    let isolate: Isolate
    let realm: Realm
    let options: HTTPServerOptions
    let functions: Functions
    /// Nil: plain HTTP.
    let tls: TLSContext?
    /// Plaintext of what has just come; its memory serves again once a connection is done with it.
    var plaintext = ByteBuffer()
    /// Nil without an agent.
    let board: BoardWriter?
    let cells = RequestCells()
    private let ringTextUnitsMax: Int?
    private let ring: RingMapping
    private let eventLoop: any EventLoop

    private var listener: (any Channel)?
    private var connections: [HTTPConnection?] = []
    private var freeSlots: [Int] = []
    private(set) var openCount = 0
    /// Of these, lingering ones that the end need not wait for.
    private var leavingCount = 0
    /// Those that something happened to in this turn.
    private var touched: [HTTPConnection] = []
    /// Slots of the board that show requests which are over, but whose handlers are not.
    private var outlived: Set<Int> = []
    private var isSettling = false
    private(set) var isDraining = false
    /// Kept connections without a request are closed after this time of draining; ring time.
    private var keptUntil = 0.0
    private var sampler: RequestSampler
    private var date = HTTP1Date()
    private var dateSecond: Int64 = 0
    private var sweep: RepeatedTask?
    /// Responses are put together here; its memory serves again once the kernel has the bytes.
    private var output = ByteBuffer()

    /// More memory than this is not kept for the next response.
    private static let keptOutputBytesMax = 1 << 20
    /// Connections are looked at for time-outs this often.
    private static let sweepMilliseconds: Int64 = 250
    /// Kept connections of a worker that another has followed are closed when nothing came for this long; nanoseconds. What comes before is answered,
    /// and told to close: new code is to drop no request, not even one that is on its way.
    private static let followedQuiet = 1e9

    init(_ workload: Workload, board: BoardWriter?) throws(JSFailure) {
        self.workload = workload
        isolate = workload.isolate
        realm = workload.internals.realm
        options = HTTPServerOptions(workload.options.configuration)
        functions = try Functions(workload.internals)
        self.board = board
        tls = workload.tls
        ring = workload.ring
        eventLoop = workload.eventLoop
        sampler = RequestSampler(workload.options.configuration)
        let units = workload.options.configuration["limits"]?["attributeLength"]?.number ?? -1
        ringTextUnitsMax = units >= 0 ? Int(units) : nil
    }

    // MARK: listening

    /// Takes connections from a socket that listens, from now on.
    func listen(_ descriptor: Int32) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        var bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 << 10))
        if !options.isUnixSocket { bootstrap = bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1) }
        bootstrap.childChannelInitializer { channel in
            bound.value.accept(channel)
        }
        .withBoundSocket(descriptor).assumeIsolated().whenComplete { result in
            let server = bound.value
            switch result {
            case .success(let channel): server.isListening(channel)
            case .failure(let error):
                server.workload.cannotServe("cannot listen on \(server.options.address): \(error)")
            }
        }
    }

    private func isListening(_ channel: any Channel) {
        guard !isDraining else { return channel.close(promise: nil) }
        listener = channel
        serveWithoutListening()
    }

    /// Serving has begun; without a socket there are only schedules.
    func serveWithoutListening() {
        board?.setState(.serving)
        workload.monitor.startTicking(on: eventLoop)
        workload.wakeAgent()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let period = TimeAmount.milliseconds(Self.sweepMilliseconds)
        sweep = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.look() }
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        board?.add(.connectionsAccepted)
        guard openCount < options.connectionsMax else {
            board?.add(.closedLimit)
            // It would wait for ever in the socket's queue; so it is told.
            return channel.close()
        }
        let slot = freeSlots.popLast() ?? connections.count
        if slot == connections.count { connections.append(nil) }
        let connection = HTTPConnection(self, slot: slot, peer: channel.remoteAddress, now: isolate.now)
        connections[slot] = connection
        openCount += 1
        board?.add(.connectionsOpen)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// No request is in flight.
    var inFlightCount: Int { connections.count { $0?.phase == .handling } }
    var isIdle: Bool { !connections.contains { $0?.phase == .handling } }

    func forEachConnection(_ body: (HTTPConnection) -> Void) {
        for connection in connections { if let connection { body(connection) } }
    }

    func connectionClosed(_ connection: HTTPConnection, _ reason: BoardCounter) {
        guard connections[connection.slot] === connection else { return }
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
        openCount -= 1
        if connection.isLeaving { leavingCount -= 1 }
        board?.subtract(.connectionsOpen)
        board?.add(reason)
        if isDraining { endIfDrained() }
    }

    /// It has sent and received all: whether the client has seen the end is of no interest to a worker that ends.
    func connectionLeaves() { leavingCount += 1 }

    // MARK: entering JavaScript

    /// Runs `body` now, or once the turn that runs is over.
    func outsideOfTurn(_ connection: HTTPConnection, _ body: @escaping (HTTPConnection) -> Void) {
        guard workload.isInTurn else { return body(connection) }
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let work = NIOLoopBound(body, eventLoop: eventLoop)
        eventLoop.execute { work.value(bound.value) }
    }

    /// A request is there.
    func begin(_ connection: HTTPConnection) {
        let head = connection.request.head
        var identity: RequestIdentity
        var bits: RequestCells.Bits = []
        if let parent = caller(connection.request) {
            identity = sampler.identity(parent)
            bits.insert(.parentIsRemote)
            if head.has(.tracestate), options.propagators.contains("tracecontext") { bits.insert(.hasTraceState) }
        } else {
            identity = sampler.identity()
        }
        if identity.isSampled { bits.insert(.sampled) }
        if head.has(.baggage), options.propagators.contains("baggage") { bits.insert(.hasBaggage) }
        if connection.request.hasBody { bits.insert(.hasBody) }
        if head.version == .http10 { bits.insert(.isHTTP10) }
        if tls != nil { bits.insert(.isHTTPS) }
        connection.request.identity = identity
        cells.store(identity, bits: bits, start: connection.request.start, method: head.method.rawValue)
        if let board {
            board.add(.requests)
            var flags: BoardRequestFlags = identity.isSampled ? .sampled : []
            if identity.parentIsRemote { flags.insert(.parentIsRemote) }
            if tls != nil { flags.insert(.https) }
            connection.request.isOnBoard = true
            connection.request.boardSlot = board.open(
                ids: cells.memory.baseAddress!, startTime: connection.request.start, flags: flags,
                method: head.method.rawValue, methodText: connection.request.bytes(head.methodSpan),
                target: connection.request.bytes(head.target))
        }
        touch(connection)
        workload.turn(for: connection, runsMicrotasks: true) { () throws(JSFailure) in
            try realm.call(functions.dispatch, connection.slot, latin1: connection.request.headText)
        }
    }

    /// The span that the client says it asks from.
    private func caller(_ request: borrowing HTTPRequestState) -> SpanContext? {
        if let bytes = request.value(.traceparent), options.propagators.contains("tracecontext"),
            !request.head.isRepeated(.traceparent),
            let parent = TraceParent(bytes)
        {
            return SpanContext(traceID: parent.traceID, spanID: parent.spanID, traceFlags: parent.traceFlags)
        }
        return request.head.hasOtherPropagation ? otherCaller(request) : nil
    }

    private func otherCaller(_ request: borrowing HTTPRequestState) -> SpanContext? {
        func text(_ field: HTTP1Field) -> String? { request.value(field).map { String(decoding: $0, as: UTF8.self) } }
        if options.propagators.contains("b3"), let single = text(.b3), let context = B3.parse(single: single) {
            return context
        }
        if options.propagators.contains("b3multi") || options.propagators.contains("b3"),
            let trace = text(.xB3TraceID), let span = text(.xB3SpanID),
            let context = B3.parse(traceID: trace, spanID: span, sampled: text(.xB3Sampled), flags: text(.xB3Flags))
        {
            return context
        }
        if options.propagators.contains("jaeger"), let value = text(.uberTraceID) {
            return JaegerPropagation.parse(value)
        }
        return nil
    }

    /// Calls function(slot, …) in a turn of its own.
    func tell(_ function: Value, _ connection: HTTPConnection, _ second: Double = 0, _ third: Double = 0) {
        touch(connection)
        workload.turn(for: connection) { () throws(JSFailure) in
            try realm.call(function, numbers: Double(connection.slot), second, third)
        }
    }

    func tell(_ function: Value, _ connection: HTTPConnection, _ first: Value, _ others: Value...) {
        touch(connection)
        workload.turn(for: connection) { () throws(JSFailure) in
            try realm.call(function, [Value.number(Double(connection.slot), in: isolate), first] + others)
        }
    }

    // MARK: after a turn

    /// Something happened to it; `settle` will see.
    func touch(_ connection: HTTPConnection) {
        if touched.last !== connection { touched.append(connection) }
    }

    /// Takes up what a turn left: bytes to flush, requests that are over, connections that can go on. Called when each turn has ended.
    func settle() {
        guard !isSettling else { return }
        isSettling = true
        while let connection = touched.popLast() {
            connection.flush()
            if connection.phase == .handling, connection.answer == .done, !connection.request.isOver {
                release(connection)
            }
            if connection.phase != .closed { connection.pump() }
        }
        isSettling = false
        if isDraining { endIfDrained() }
    }

    /// The request is over and its record written, if it has one.
    private func release(_ connection: HTTPConnection) {
        connection.request.isOver = true
        let now = isolate.now
        connection.movedAt = now
        measure(connection, now)
        connection.afterRequest()
    }

    /// Duration and number of requests, and its place on the board.
    private func measure(_ connection: HTTPConnection, _ now: Double) {
        guard let board, connection.request.isOnBoard else { return }
        connection.request.isOnBoard = false
        record(connection, now, on: board)
        if let slot = connection.request.boardSlot {
            if !outlived.contains(slot) {
                board.free(slot)
            } else if !board.leave(slot) {
                outlived.remove(slot)
            }
        } else {
            board.closeUnslotted(
                method: connection.request.methodAndVersion.method, flags: tls == nil ? [] : .https)
        }
    }

    /// Of a request that ends with the worker: its place is left for the agent to find.
    func countAbandoned(_ connection: HTTPConnection) {
        guard let board, connection.request.isOnBoard else { return }
        record(connection, isolate.now, on: board)
    }

    private func record(_ connection: HTTPConnection, _ now: Double, on board: BoardWriter) {
        let (method, isHTTP11) = connection.request.methodAndVersion
        let status = connection.request.status
        let head = BoardSeriesHead(
            .serverDuration, method: method, status: UInt16(clamping: status), isHTTPS: tls != nil,
            protocolVersion: isHTTP11 ? 2 : 1)
        // An answer that is an error, and nothing threw it: as its span has it.
        if status >= 500, connection.request.errorType.isEmpty {
            connection.request.errorType = Array(String(status).utf8)
        }
        let seconds = (now - connection.request.start) / 1e9
        connection.request.route.withUnsafeBytes { route in
            connection.request.errorType.withUnsafeBytes { error in
                board.record(board.series(head, route: route, errorType: error), seconds: seconds)
            }
        }
    }

    /// The request is over before its handler is: its place on the board is kept for it, unless there are too many. That place, or -1.
    func outlives(_ slot: Int) -> Int {
        guard let place = connection(slot)?.request.boardSlot, outlived.count < BoardLayout.leftMax else { return -1 }
        outlived.insert(place)
        return place
    }

    /// A handler has come to its end that `outlives` gave this place.
    func handlerEnded(_ slot: Int, place: Int) {
        guard outlived.remove(place) != nil else { return }
        // In the turn that its request ended in, that is still to be measured.
        if connections.indices.contains(slot), let request = connections[slot]?.request, request.isOnBoard,
            request.boardSlot == place
        {
            return
        }
        board?.handlerEnded(place)
    }

    /// A connection is between two requests.
    func connectionIsFree(_ connection: HTTPConnection) {
        if isDraining, connection.input.readableBytes == 0 { connection.linger(.closedDraining) }
    }

    // MARK: responses

    /// The `date` line of now.
    private func dateLine() -> UnsafeRawBufferPointer { date.line(at: dateSecond) }

    /// Reads the wall clock when it may show another second than last time.
    private func updateDate() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        dateSecond = Int64(time.tv_sec)
    }

    /// A head of the server's own.
    func headBytes(_ head: HTTP1ResponseHead) -> ByteBuffer? {
        updateDate()
        var bytes = ByteBuffer()
        var isGood = false
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: head.bytesMax) { room in
            let count = try? head.write(date: dateLine(), into: room)
            isGood = count != nil
            return count ?? 0
        }
        return isGood ? bytes : nil
    }

    /// Puts together head and content of a response and hands them to `send`. The content is written first, behind room for the head: a text's
    /// length in bytes is known only then.
    /// - Parameter content: writes at most `contentBytesMax` bytes and says how many.
    func compose(
        _ head: (Int) -> HTTP1ResponseHead, contentBytesMax: Int, content: (UnsafeMutableRawBufferPointer) -> Int,
        send: (ByteBuffer) -> Void
    ) throws(HTTP1ResponseError) {
        updateDate()
        output.clear()
        let room = head(0).bytesMax
        output.reserveCapacity(room + contentBytesMax)
        var failure: HTTP1ResponseError?
        var start = 0
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room + contentBytesMax) { bytes in
            let count = contentBytesMax == 0 ? 0 : content(UnsafeMutableRawBufferPointer(rebasing: bytes[room...]))
            let written = head(count)
            do throws(HTTP1ResponseError) {
                // At the front first: its length is known only when it is written.
                let length = try written.write(
                    date: dateLine(), into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<room]))
                start = room - length
                memmove(bytes.baseAddress! + start, bytes.baseAddress!, length)
            } catch {
                failure = error
                return 0
            }
            return room + (written.framing.sendsContent ? count : 0)
        }
        if let failure { throw failure }
        output.moveReaderIndex(to: start)
        send(output)
        if output.capacity > Self.keptOutputBytesMax { output = Self.noBytes }
    }

    // MARK: the ring

    /// Writes the attributes of a request's span; see `ops.httpAttributes`.
    func putAttributes(_ connection: HTTPConnection, at: Int, limit: Int) -> Int {
        guard at >= RingMapping.headerBytes, at & 7 == 0, at <= limit, limit <= ring.byteCount else { return -1 }
        var attributes = RequestAttributes(
            cells, at: ring.baseAddress + at, end: ring.baseAddress + limit, textUnitsMax: ringTextUnitsMax,
            workload: workload)
        connection.describe(&attributes)
        cells.store(attributes.count, at: RequestCells.Word.attributeCount)
        return attributes.isFull ? -1 : attributes.position - ring.baseAddress
    }

    func connection(_ slot: Int) -> HTTPConnection? {
        guard slot >= 0, slot < connections.count, let connection = connections[slot], connection.phase == .handling,
            !connection.request.isOver
        else { return nil }
        return connection
    }

    // MARK: time

    private func look() {
        let now = isolate.now
        for connection in connections {
            guard let connection else { continue }
            connection.look(now)
        }
        if isDraining {
            for connection in connections { connection?.letGo() }
            if now > keptUntil {
                for connection in connections {
                    if let connection, connection.isIdle, now - connection.movedAt > Self.followedQuiet {
                        connection.linger(.closedDraining)
                    }
                }
            }
            endIfDrained()
        }
    }

    func countMalformed(_ status: Int) {
        let counter: BoardCounter =
            switch status {
            case 400: .malformed400
            case 408: .malformed408
            case 411: .malformed411
            case 413: .malformed413
            case 414: .malformed414
            case 417: .malformed417
            case 421: .malformed421
            case 431: .malformed431
            case 501: .malformed501
            case 505: .malformed505
            default: .malformedOther
            }
        board?.add(counter)
    }

    // MARK: the end

    /// Takes no more connections; ends the worker when what is in flight is over.
    /// - Parameter isFollowed: another serves in its place.
    func drain(isFollowed: Bool) {
        guard !isDraining else { return }
        isDraining = true
        keptUntil = isolate.now + Self.followedQuiet
        board?.setState(.draining)
        workload.wakeAgent()
        listener?.close(promise: nil)
        listener = nil
        workload.turn { () throws(JSFailure) in try realm.call(functions.drain, []) }
        for connection in connections {
            guard let connection else { continue }
            connection.letGo()
            // What the kernel has of a request counts as one.
            if !isFollowed, connection.isIdle, !connection.hasUnread { connection.linger(.closedDraining) }
        }
        endIfDrained()
    }

    private func endIfDrained() {
        guard isDraining, openCount == leavingCount, !workload.isInTurn, !isSettling, !workload.machine.isEnding
        else { return }
        guard let open = try? realm.call(functions.idle).number else { return }
        guard open == 0 else { return tellPending() }
        sweep?.cancel()
        workload.drained()
    }

    /// What the agent says of a worker that does not come to its end.
    private func tellPending() {
        func count(_ kind: Double) -> UInt32 {
            let count = try? realm.call(functions.pending, [Value.number(kind, in: isolate)]).number
            return UInt32(clamping: Int(count ?? 0))
        }
        board?.setPending(BoardPending(promises: count(0), runs: count(1)))
    }
}
