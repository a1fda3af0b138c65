internal import Configuration
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
    /// What it says is without these values.
    private let mask: SecretMask?
    private var pump: RingPump
    /// Of its child isolates, by ring place.
    private var children: [ChildRing?]
    /// Places that could not be emptied after their child had ended: nobody gets them again.
    private var lostPlaces: Set<Int> = []
    private let makePump: (RingMapping, _ isolate: UInt64) -> RingPump
    private let ended: (_ isolate: UInt64) -> Void
    /// Rings there were so far.
    private var rings: UInt64 = 1
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
        let isolate: UInt64

        init(_ pump: consuming RingPump, _ isolate: UInt64) {
            self.pump = pump
            self.isolate = isolate
        }
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

    /// - Parameters:
    ///   - handOn: Takes what an isolate has recorded. Each has a number that no other has.
    ///   - found: Takes what its isolates have found.
    ///   - ended: It records no more.
    init(
        _ worker: Worker, place: Int = 0, mask: SecretMask? = nil, resource: Resource, clock: LinuxClock,
        handOn: @escaping (Batch, _ isolate: UInt64) -> Void, found: @escaping ([Finding]) -> Void,
        ended: @escaping (_ isolate: UInt64) -> Void
    ) {
        self.worker = worker
        self.mask = mask
        self.place = place
        startTime = clock.unixNanoseconds()
        board = worker.board.map { BoardReader($0) }
        self.ended = ended
        makePump = { ring, isolate in
            RingPump(
                ring, mask: mask, resource: resource, version: Release.version,
                clocks: { (clock.monotonicNanoseconds(), clock.unixNanoseconds()) }, handOn: { handOn($0, isolate) },
                found: found)
        }
        pump = makePump(worker.ring, Self.isolate(worker, 0))
        children = Array(repeating: nil, count: worker.places.count)
    }

    private static func isolate(_ worker: Worker, _ ring: UInt64) -> UInt64 {
        UInt64(UInt32(bitPattern: worker.process.pid)) << 32 | ring
    }

    var process: ChildProcess { worker.process }
    var limits: WorkloadLimits { worker.limits }
    var fencePlan: FencePlan? { worker.fence }
    var control: LocalConnection { worker.control }
    var wake: EventDescriptor { worker.wake }
    /// What fences it, by its own words; nil: it has not come to say so.
    var fence: FenceLayers? { worker.ring.fence }
    var deathNote: (code: DeathCode, message: String)? {
        guard let mask, let note = worker.ring.deathNote else { return worker.ring.deathNote }
        return (note.code, mask.applied(to: note.message))
    }

    /// The same requests, with nothing secret in their paths.
    private func masked(_ requests: [BoardRequest]) -> [BoardRequest] {
        guard let mask else { return requests }
        return requests.map { request in
            var request = request
            request.target = mask.applied(to: request.target)
            return request
        }
    }

    var received: [Signal: Int] { figures.received }
    var records: RecordTranscoder.Counters { figures.records }
    var wakes: UInt64 { figures.wakes }
    /// What it has counted of its findings so far.
    func count(of counter: FindingCounter) -> UInt64 { UInt64(worker.ring.count(of: counter)) }
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
        let isolate = Self.isolate(worker, rings)
        rings += 1
        let child = ChildRing(makePump(ring, isolate), isolate)
        children[place] = child
        return child
    }

    /// A child isolate has ended, and its worker goes on.
    private func retire(_ place: Int, _ child: ChildRing, now unix: UInt64) {
        openSpansClosed += child.pump.finish(WorkerOutcome(exitCode: 0), logsDeath: false, now: unix)
        retired.add(child.pump)
        ended(child.isolate)
        children[place] = nil
        if !worker.places.free(place) { lostPlaces.insert(place) }
    }

    /// Once, when it was reaped and its rings drained: what was open is closed, and everything handed on.
    /// Returns the requests that were in flight, by the board, and those that were over but for their handlers.
    @discardableResult
    func finish(_ outcome: WorkerOutcome, now unix: UInt64) -> (requests: [BoardRequest], left: [BoardRequest]) {
        let inFlight = board?.openRequests(consumed: pump.consumed)
        slotsRejected = inFlight?.bad ?? 0
        let requests = masked(inFlight?.requests ?? [])
        openSpansClosed += pump.finish(outcome, requests: requests, now: unix)
        ended(Self.isolate(worker, 0))
        for child in children {
            guard let child else { continue }
            openSpansClosed += child.pump.finish(outcome, logsDeath: false, now: unix)
            ended(child.isolate)
        }
        return (requests, masked(inFlight?.left ?? []))
    }

    /// When a request began, Unix nanoseconds; nil for a time that makes no sense.
    func startTime(of request: BoardRequest) -> UInt64? { pump.transcoder.clock.unixNanoseconds(request.startTime) }

    // MARK: of one that serves

    var state: BoardState? { board?.state }
    var handlers: BoardHandlers { board?.handlers ?? [] }
    var pending: BoardPending { board?.pending ?? BoardPending(promises: 0, runs: 0) }

    /// What its board says now.
    func snapshot() -> BoardSnapshot { board?.snapshot() ?? BoardSnapshot() }

    /// Turns of its event loop that were too long, as its board says.
    var loopStalls: UInt64 { board?.loopStalls ?? 0 }
    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) { board?.forEachTraceInFlight(body) }

    private var health: BoardHealth? {
        guard let mask, var health = board?.health() else { return board?.health() }
        health.reason = mask.applied(to: health.reason)
        return health
    }

    /// What its health is judged by.
    var healthFacts: WorkloadHealth.Facts.Worker {
        WorkloadHealth.Facts.Worker(
            pid: process.pid, place: place, state: state, handlers: handlers, health: health,
            board: snapshot())
    }

    /// What is known of it now.
    func facts() -> WorkerFacts {
        WorkerFacts(
            pid: process.pid, place: place, state: state, startTime: startTime, fence: fence ?? [], board: snapshot(),
            requests: masked(board?.requestsInFlight() ?? []), clock: pump.transcoder.clock)
    }
}
