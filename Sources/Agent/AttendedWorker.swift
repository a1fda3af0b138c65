internal import Linux
internal import Store
internal import Telemetry
internal import Wire

/// A worker with what the agent does for it: its rings are pumped, its board read, its end told. One thread.
final class AttendedWorker {
    /// Of the workers of `serve`, from 0.
    let place: Int
    /// Unix nanoseconds.
    let startTime: UInt64
    private let worker: Worker
    private var pump: RingPump
    /// Of its child isolates, by ring place.
    private var children: [ChildRing?]
    /// Places that could not be emptied after their child had ended: nobody gets them again.
    private var lostPlaces: Set<Int> = []
    private let makePump: (RingMapping) -> RingPump
    private var board: BoardReader?
    /// Why nothing more is taken from its rings.
    private(set) var ringBroken: RingReader.BrokenReason?
    /// What rings of children that ended have left.
    private var retired = Figures()

    /// Spans, and requests, that were open when it, or a child of it, ended.
    private(set) var openSpansClosed = 0
    private(set) var slotsRejected = 0

    /// The ring of one child isolate.
    private final class ChildRing {
        var pump: RingPump
        init(_ pump: consuming RingPump) { self.pump = pump }
    }

    /// Counts of a ring.
    private struct Figures {
        var received: [Signal: Int] = [:]
        var records = RecordTranscoder.Counters()
        var wakes: UInt64 = 0
        var dropped: [RecordKind: UInt64] = [:]

        mutating func add(_ pump: borrowing RingPump) {
            received.merge(pump.received, uniquingKeysWith: +)
            records.add(pump.transcoder.counters)
            wakes += pump.wakes
            for kind in RecordKind.allCases { dropped[kind, default: 0] += UInt64(pump.dropped(kind)) }
        }
    }

    init(_ worker: Worker, place: Int = 0, resource: Resource, clock: LinuxClock, handOn: @escaping (Batch) -> Void) {
        self.worker = worker
        self.place = place
        startTime = clock.unixNanoseconds()
        board = worker.board.map { BoardReader($0) }
        makePump = { ring in
            RingPump(
                ring, resource: resource, version: Release.version,
                clocks: { (clock.monotonicNanoseconds(), clock.unixNanoseconds()) }, handOn: handOn)
        }
        pump = makePump(worker.ring)
        children = Array(repeating: nil, count: worker.places.count)
    }

    var process: ChildProcess { worker.process }
    var control: LocalConnection { worker.control }
    var wake: EventDescriptor { worker.wake }
    var deathNote: (code: DeathCode, message: String)? { worker.ring.deathNote }

    var received: [Signal: Int] { figures.received }
    var records: RecordTranscoder.Counters { figures.records }
    var wakes: UInt64 { figures.wakes }
    /// Records its isolates could not place in their rings.
    func dropped(_ kind: RecordKind) -> UInt64 { figures.dropped[kind] ?? 0 }

    /// Of all its rings.
    private var figures: Figures {
        var figures = retired
        figures.add(pump)
        for child in children { if let child { figures.add(child.pump) } }
        return figures
    }

    /// Asks for a wake-up; how long to sleep for it, nanoseconds. Nil: nothing comes from a broken ring.
    func prepareToSleep(now: UInt64) -> UInt64? {
        guard ringBroken == nil else { return nil }
        var sleep = pump.prepareToSleep(now: now)
        for child in children { if let child { sleep = min(sleep, child.pump.prepareToSleep(now: now)) } }
        return sleep
    }

    /// Takes what is there. Returns why a ring is broken when one turns out to be, once: then nothing more is taken from any.
    func drain(now unix: UInt64) -> RingReader.BrokenReason? {
        guard ringBroken == nil else { return nil }
        ringBroken = pump.drain() ?? drainChildren(now: unix)
        return ringBroken
    }

    private func drainChildren(now unix: UInt64) -> RingReader.BrokenReason? {
        for place in children.indices {
            // Before its ring is read: when nobody writes any more, what is there now is all.
            let state = worker.places.state(place)
            guard let child = children[place] ?? adopt(place, state) else { continue }
            if let broken = child.pump.drain() { return broken }
            if state == .ended { retire(place, child, now: unix) }
        }
        return nil
    }

    /// A place that a child has taken. One that cannot be mapped now is tried again at the next look.
    private func adopt(_ place: Int, _ state: RingPlaces.State) -> ChildRing? {
        guard state != .free, !lostPlaces.contains(place),
            let ring = try? worker.places.ring(place, monotonicBase: worker.ring.monotonicBase)
        else { return nil }
        let child = ChildRing(makePump(ring))
        children[place] = child
        return child
    }

    /// A child isolate has ended, and its worker goes on.
    private func retire(_ place: Int, _ child: ChildRing, now unix: UInt64) {
        openSpansClosed += child.pump.finish(WorkerOutcome(exitCode: 0), logsDeath: false, now: unix)
        retired.add(child.pump)
        children[place] = nil
        if !worker.places.free(place) { lostPlaces.insert(place) }
    }

    /// Once, when it was reaped and its rings drained: what was open is closed, and everything handed on.
    /// Returns the requests that were in flight, by the board, and those that were over but for their handlers.
    @discardableResult
    func finish(_ outcome: WorkerOutcome, now unix: UInt64) -> (requests: [BoardRequest], left: [BoardRequest]) {
        let inFlight = board?.openRequests(consumed: pump.consumed)
        slotsRejected = inFlight?.bad ?? 0
        openSpansClosed += pump.finish(outcome, requests: inFlight?.requests ?? [], now: unix)
        for child in children {
            if let child { openSpansClosed += child.pump.finish(outcome, logsDeath: false, now: unix) }
        }
        return (inFlight?.requests ?? [], inFlight?.left ?? [])
    }

    /// When a request began, Unix nanoseconds; nil for a time that makes no sense.
    func startTime(of request: BoardRequest) -> UInt64? { pump.transcoder.clock.unixNanoseconds(request.startTime) }

    // MARK: of one that serves

    var state: BoardState? { board?.state }
    var handlers: BoardHandlers { board?.handlers ?? [] }
    var pending: BoardPending { board?.pending ?? BoardPending(promises: 0, runs: 0) }

    /// What its board says now.
    func snapshot() -> BoardSnapshot { board?.snapshot() ?? BoardSnapshot() }

    /// What its health is judged by.
    var healthFacts: WorkloadHealth.Facts.Worker {
        WorkloadHealth.Facts.Worker(
            pid: process.pid, place: place, state: state, handlers: handlers, health: board?.health(),
            board: snapshot())
    }

    /// Turns of its event loop that were too long, as its board says.
    var loopStalls: UInt64 { board?.loopStalls ?? 0 }
    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) { board?.forEachTraceInFlight(body) }

    /// What is known of it now.
    func facts() -> WorkerFacts {
        WorkerFacts(
            pid: process.pid, place: place, state: state, startTime: startTime, board: snapshot(),
            requests: board?.requestsInFlight() ?? [], clock: pump.transcoder.clock)
    }
}
