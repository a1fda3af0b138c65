internal import CLinux
internal import Glibc
internal import System
internal import Wire

/// The server's thread: its turns, listeners and connections. Made, used and destroyed on that thread.
final class Loop {
    /// Bytes read from a socket at once: several requests of an SDK's usual size, and no system call more for them.
    static let inputBytes = 256 * 1024
    static let outputBytes = 64 * 1024
    static let sealedBytes = 64 * 1024
    /// Connections accepted at once, so that those that are there get their turn.
    private static let acceptedATurnMax = 64
    /// How long nobody is accepted when the system has no descriptor left, unless a connection ends before.
    private static let acceptPauseNanoseconds: UInt64 = 250_000_000
    /// Deadlines are looked at no more often.
    private static let sweepNanosecondsMin: UInt64 = 20_000_000

    private static let wakeMark = UInt64.max
    /// Of descriptors that make a turn and nothing else.
    private static let watchMark = UInt64.max - 1
    private static let listenerMark: UInt64 = 0xFFFF_FFFF_0000_0000

    let limits: ServerLimits
    let counters: ServerCounters
    let mailbox: Mailbox
    let budget: MemoryBudget
    private let clock: any SystemClock
    /// Nil: a place for another one.
    private var listeners: [ListenerPlace?] = []
    private let companion: (any ServerCompanion)?
    private let epoll: Int32

    let input: UnsafeMutableRawBufferPointer
    let output: UnsafeMutableRawBufferPointer
    /// Ciphertext, on its way in or out.
    let sealed: UnsafeMutableRawBufferPointer
    var decoder = ContentDecoder()
    private var date = HTTP1Date()

    /// CLOCK_MONOTONIC of this turn.
    private(set) var now: UInt64 = 0
    private var nextSweep = UInt64.max

    private var connections: [Connection?] = []
    private var clients: ClientTable
    private var freeSlots: [Int] = []
    private var generation: UInt32 = 0
    private(set) var openCount = 0
    private var acceptPausedUntil: UInt64?

    private var anyWasCalled = false
    /// At once for the first time: what it found at its start waits for no request.
    private var companionDeadline: UInt64
    /// Connections that have something to do at the end of the turn.
    private var scheduled: [Connection] = []

    private(set) var isStopping = false
    private var stopDeadline = UInt64.max

    init(
        _ listeners: [Server.Listener], _ companion: (any ServerCompanion)?, _ limits: ServerLimits,
        _ mailbox: Mailbox, _ counters: ServerCounters, _ clock: any SystemClock
    ) throws(ServerError) {
        self.companion = companion
        companionDeadline = companion == nil ? .max : 0
        self.limits = limits
        clients = ClientTable(limits.perClient)
        self.mailbox = mailbox
        budget = mailbox.budget
        self.counters = counters
        self.clock = clock
        input = .allocate(byteCount: Self.inputBytes, alignment: 64)
        output = .allocate(byteCount: Self.outputBytes, alignment: 64)
        sealed = .allocate(byteCount: Self.sealedBytes, alignment: 64)
        epoll = sl_epoll()
        guard epoll >= 0 else { throw ServerError("epoll_create1", errno) }
        guard sl_epoll_set(epoll, mailbox.fileDescriptor, true, UInt32(SL_READABLE), Self.wakeMark) == 0 else {
            throw ServerError("epoll_ctl", errno)
        }
        for listener in listeners { try add(listener) }
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        input.deallocate()
        output.deallocate()
        sealed.deallocate()
    }

    // MARK: listeners

    private struct ListenerPlace {
        let fileDescriptor: Int32
        var handler: any RequestHandler
        var bodyBytesMax: Int
        var door: Door
        var connections = 0
        /// Accepts nobody any more.
        var isRetired = false
        /// Whether the handler got a request in this turn.
        var wasCalled = false
    }

    private func add(_ listener: Server.Listener) throws(ServerError) {
        let index = listeners.firstIndex { $0 == nil } ?? listeners.count
        let place = ListenerPlace(
            fileDescriptor: listener.fileDescriptor, handler: listener.handler,
            bodyBytesMax: listener.bodyBytesMax ?? limits.bodyBytesMax, door: listener.door)
        if acceptPausedUntil == nil { try listen(place, index) }
        if index == listeners.count { listeners.append(place) } else { listeners[index] = place }
    }

    private func listen(_ place: ListenerPlace, _ index: Int) throws(ServerError) {
        let mark = Self.listenerMark | UInt64(index)
        guard sl_epoll_set(epoll, place.fileDescriptor, true, UInt32(SL_READABLE), mark) == 0 else {
            throw ServerError("epoll_ctl", errno)
        }
    }

    private func listenAgain() throws(ServerError) {
        for (index, place) in listeners.enumerated() {
            if let place, !place.isRetired { try listen(place, index) }
        }
    }

    private func stopListening() {
        for place in listeners { if let place, !place.isRetired { sl_epoll_forget(epoll, place.fileDescriptor) } }
    }

    private func set(_ wanted: [Server.Listener]) -> ServerError? {
        guard !isStopping else { return nil }
        var failure: ServerError?
        for index in listeners.indices {
            guard let place = listeners[index], !place.isRetired else { continue }
            if let listener = wanted.first(where: { $0.fileDescriptor == place.fileDescriptor }) {
                listeners[index]!.handler = listener.handler
                listeners[index]!.bodyBytesMax = listener.bodyBytesMax ?? limits.bodyBytesMax
                listeners[index]!.door = listener.door
            } else {
                retire(index)
            }
        }
        for listener in wanted
        where !listeners.contains(where: { $0?.fileDescriptor == listener.fileDescriptor && $0?.isRetired == false }) {
            do throws(ServerError) { try add(listener) } catch { failure = error }
        }
        return failure
    }

    private func retire(_ index: Int) {
        if acceptPausedUntil == nil { sl_epoll_forget(epoll, listeners[index]!.fileDescriptor) }
        listeners[index]!.isRetired = true
        for connection in connections { if let connection, connection.listener == index { stop(connection) } }
        freeIfUnused(index)
    }

    private func freeIfUnused(_ index: Int) {
        if let place = listeners[index], place.isRetired, place.connections == 0, !place.wasCalled {
            listeners[index] = nil
        }
    }

    /// Whether a connection is to end with the request it has.
    func isEnding(_ connection: Connection) -> Bool { isStopping || listeners[connection.listener]?.isRetired ?? true }

    // MARK: turns

    func run() {
        mailbox.bindToThisThread()
        withUnsafeTemporaryAllocation(of: sl_ready.self, capacity: Int(SL_READY_MAX)) { ready in
            while !(isStopping && (openCount == 0 || now >= stopDeadline)) {
                let count = sl_epoll_wait(epoll, ready.baseAddress!, Int32(ready.count), waitMilliseconds())
                now = clock.monotonicNanoseconds()
                guard count >= 0 else {
                    precondition(errno == EINTR, "epoll_wait: error \(errno)")
                    continue
                }
                for event in ready[..<Int(count)] { dispatch(event) }
                endTurn()
                if now >= nextSweep { sweep() }
            }
        }
        end()
    }

    private func waitMilliseconds() -> Int32 {
        if isUnfinished { return 0 }
        let until = min(nextSweep, stopDeadline, companionDeadline)
        guard until != .max else { return -1 }
        let before = clock.monotonicNanoseconds()
        return until <= before ? 0 : Int32(clamping: (until - before) / 1_000_000 + 1)
    }

    private func dispatch(_ event: sl_ready) {
        if event.mark >= Self.listenerMark {
            if event.mark == Self.wakeMark { return takeMessages() }
            if event.mark == Self.watchMark { return }
            return accept(Int(event.mark & 0xFFFF_FFFF))
        }
        let slot = Int(event.mark & 0xFFFF_FFFF)
        guard slot < connections.count, let connection = connections[slot],
            connection.generation == UInt32(event.mark >> 32)
        else { return }
        if event.events & UInt32(SL_READABLE) != 0 { readable(connection) }
        if event.events & UInt32(SL_WRITABLE) != 0, !connection.isClosed { flush(connection) }
        // Nobody is there any more: neither to read an answer nor to send the rest.
        if event.events & UInt32(SL_ERROR | SL_HANGUP) != 0 { return lost(connection) }
        if event.events & UInt32(SL_PEER_ENDED) != 0, !connection.isClosed { peerEnded(connection) }
    }

    private func takeMessages() {
        for message in mailbox.takeAll() {
            switch message {
            case .answer(let connection, let exchange, let response): answer(connection, exchange, response)
            case .start(let stream, let status, let fields): start(stream, status, fields)
            case .piece(let stream, let bytes): send(stream, bytes)
            case .end(let stream): end(stream)
            case .abandon(let stream): abandon(stream)
            case .perform(let work): work()
            case .change(let next, let done): done(set(next()))
            case .watch(let descriptor):
                let isWatched = sl_epoll_set(epoll, descriptor, true, UInt32(SL_READABLE), Self.watchMark) == 0
                precondition(isWatched, "epoll_ctl: error \(errno)")
            case .unwatch(let descriptor): sl_epoll_forget(epoll, descriptor)
            case .stop(let until): stop(until: until)
            }
        }
    }

    /// The handlers write what they gathered. Answers to that may let further requests in, which waited on their connections: those are of the next turn,
    /// which comes at once, so that a client that sends many in one piece has no more of them taken at a time than any other.
    private func endTurn() {
        if anyWasCalled {
            anyWasCalled = false
            for index in listeners.indices where listeners[index]?.wasCalled == true {
                listeners[index]!.wasCalled = false
                listeners[index]!.handler.turnEnded()
                freeIfUnused(index)
            }
        }
        let due = scheduled
        scheduled.removeAll(keepingCapacity: true)
        for connection in due {
            connection.isScheduled = false
            goOn(connection)
        }
        if let companion { companionDeadline = companion.turn(now: now) ?? .max }
    }

    /// The next turn has something to do, whatever the sockets have.
    private var isUnfinished: Bool { anyWasCalled || !scheduled.isEmpty }

    /// `goOn` is called for it at the end of the turn.
    func schedule(_ connection: Connection) {
        guard !connection.isScheduled else { return }
        connection.isScheduled = true
        scheduled.append(connection)
    }

    func door(of connection: Connection) -> Door { listeners[connection.listener]!.door }

    /// For a request that is answered without it.
    func refuser(of connection: Connection) -> any RequestHandler { listeners[connection.listener]!.handler }

    func handler(of connection: Connection) -> any RequestHandler {
        listeners[connection.listener]!.wasCalled = true
        anyWasCalled = true
        counters.requestCount.wrappingAdd(1, ordering: .relaxed)
        return listeners[connection.listener]!.handler
    }

    /// The line `date: …`.
    func dateLine() -> UnsafeRawBufferPointer { date.line(at: Int64(clock.unixNanoseconds() / 1_000_000_000)) }

    // MARK: connections

    private func accept(_ index: Int) {
        guard !isStopping, acceptPausedUntil == nil, let place = listeners[index], !place.isRetired else { return }
        for _ in 0..<Self.acceptedATurnMax {
            let descriptor = sl_accept_now(place.fileDescriptor)
            guard descriptor >= 0 else {
                switch errno {
                case EAGAIN, EWOULDBLOCK: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pauseAccepting()
                // The client left while it waited.
                case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                    ENETUNREACH, EPERM:
                    continue
                // The socket listens no more.
                default: return sl_epoll_forget(epoll, place.fileDescriptor)
                }
            }
            counters.accepted.wrappingAdd(1, ordering: .relaxed)
            guard openCount < limits.connectionsMax else {
                turnAway(descriptor, .connections, isTLS: place.door.tls != nil)
                continue
            }
            switch clients.arrive(descriptor, now: now) {
            case .tooMany: turnAway(descriptor, .clientConnections, isTLS: place.door.tls != nil)
            case .welcome(let client): add(descriptor, listener: index, client)
            }
        }
    }

    /// Without a descriptor, an epoll that told of the same connection again and again would take the whole processor.
    private func pauseAccepting() {
        counters.count(.descriptors)
        stopListening()
        let until = now &+ Self.acceptPauseNanoseconds
        acceptPausedUntil = until
        nextSweep = min(nextSweep, until)
    }

    private func acceptAgain() {
        acceptPausedUntil = nil
        guard !isStopping else { return }
        do throws(ServerError) { try listenAgain() } catch { pauseAccepting() }
    }

    private func turnAway(_ descriptor: Int32, _ reason: ServerRefusal, isTLS: Bool) {
        counters.count(reason)
        // Before a handshake nothing can be said.
        guard !isTLS else { return close(descriptor) }
        let text: StaticString =
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        _ = sl_send_now(descriptor, text.utf8Start, text.utf8CodeUnitCount)
        shutdown(descriptor, Int32(SHUT_WR))
        close(descriptor)
    }

    private func add(_ descriptor: Int32, listener: Int, _ client: Client?) {
        var tls: ConnectionTLS?
        if let context = listeners[listener]!.door.tls {
            tls = ConnectionTLS(context)
            guard tls != nil else {
                counters.count(.memory)
                client?.left()
                return close(descriptor)
            }
        }
        let slot = freeSlots.popLast() ?? connections.count
        generation = (generation &+ 1) & 0x7FFF_FFFF
        let connection = Connection(
            self, descriptor: descriptor, listener: listener, tls: tls, client: client,
            bodyBytesMax: listeners[listener]!.bodyBytesMax, slot: slot, generation: generation)
        let mark = UInt64(generation) << 32 | UInt64(slot)
        connection.interest = UInt32(SL_READABLE)
        guard sl_epoll_set(epoll, descriptor, true, connection.interest, mark) == 0 else {
            close(descriptor)
            client?.left()
            freeSlots.append(slot)
            return counters.count(.descriptors)
        }
        if slot == connections.count { connections.append(connection) } else { connections[slot] = connection }
        openCount += 1
        listeners[listener]!.connections += 1
        counters.open.store(openCount, ordering: .relaxed)
        setWait(connection, .head)
    }

    /// Ends it at once, whatever it does.
    func close(_ connection: Connection) {
        guard !connection.isClosed else { return }
        connection.phase = .closed
        Glibc.close(connection.descriptor)
        keep(connection, UnsafeRawBufferPointer(start: nil, count: 0))
        connection.output.removeAll { [budget] in Self.finished($0, budget) }
        switch connection.speaks {
        case .unknown: break
        case .http1(let exchange): exchange.connectionEnded(budget)
        case .http2(let session): session.connectionEnded()
        }
        connection.client?.left()
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
        openCount -= 1
        listeners[connection.listener]!.connections -= 1
        freeIfUnused(connection.listener)
        counters.open.store(openCount, ordering: .relaxed)
        if acceptPausedUntil != nil { acceptAgain() }
    }

    private func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    /// Keeps bytes that were received and not consumed, in place of those kept before.
    func keep(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        if !connection.pending.isEmpty {
            budget.giveBack(connection.pending.count)
            connection.pending = []
            connection.pendingStart = 0
        }
        guard !bytes.isEmpty else { return }
        guard budget.take(bytes.count) else {
            counters.count(.memory)
            return close(connection)
        }
        connection.pending = [UInt8](bytes)
    }

    /// So many more of the bytes that are kept are consumed; they are not moved, so that many requests in one piece cost what they are long.
    func consume(_ connection: Connection, _ count: Int) {
        guard !connection.pending.isEmpty else { return }
        connection.pendingStart += count
        if connection.pendingStart == connection.pending.count { keep(connection, .init(start: nil, count: 0)) }
    }

    /// What epoll is to tell of it.
    func setInterest(_ connection: Connection, _ events: Int) {
        let events = UInt32(events)
        guard connection.interest != events, !connection.isClosed else { return }
        connection.interest = events
        let mark = UInt64(connection.generation) << 32 | UInt64(connection.slot)
        _ = sl_epoll_set(epoll, connection.descriptor, false, events, mark)
    }

    // MARK: deadlines

    func setWait(_ connection: Connection, _ wait: Connection.Wait) {
        connection.wait = wait
        let milliseconds: Int
        switch wait {
        case .nothing:
            connection.deadline = .max
            return
        case .head: milliseconds = limits.headMilliseconds
        case .body: milliseconds = limits.bodyMilliseconds
        case .idle: milliseconds = limits.idleMilliseconds
        case .write: milliseconds = limits.writeMilliseconds
        case .linger: milliseconds = limits.lingerMilliseconds
        case .left: milliseconds = limits.leftMilliseconds
        }
        connection.deadline = now &+ UInt64(milliseconds) &* 1_000_000
        nextSweep = min(nextSweep, connection.deadline)
    }

    /// Deadlines are looked at no later than then.
    func sweep(by deadline: UInt64) { nextSweep = min(nextSweep, deadline) }

    private func sweep() {
        if let until = acceptPausedUntil, now >= until { acceptAgain() }
        var next = acceptPausedUntil ?? .max
        for connection in connections {
            guard let connection else { continue }
            if now >= connection.deadline { timedOut(connection) }
            if case .http2(let session) = connection.speaks, !connection.isClosed {
                next = min(next, session.sweep(now))
            }
            if !connection.isClosed { next = min(next, connection.deadline) }
        }
        nextSweep = next == .max ? .max : max(next, now &+ Self.sweepNanosecondsMin)
        endTurn()
    }

    // MARK: the end

    private func stop(until deadline: UInt64) {
        stopDeadline = min(stopDeadline, deadline)
        guard !isStopping else { return }
        isStopping = true
        stopListening()
        // What a client has sent already is in flight, although nobody has read it yet.
        for connection in connections { if let connection { stop(connection) } }
    }

    private func end() {
        for connection in connections { if let connection { close(connection) } }
        scheduled = []
        for message in mailbox.closeForGood() {
            if case .piece(let stream, let bytes) = message { stream.taken(bytes.count) }
        }
    }
}
