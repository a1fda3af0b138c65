internal import Linux
internal import Store
internal import Telemetry
internal import Wire

/// A worker with what the agent does for it: its ring is pumped, its board read, its end told. One thread.
final class AttendedWorker {
    /// Of the workers of `serve`, from 0.
    let place: Int
    private let worker: Worker
    private var pump: RingPump
    private var board: BoardReader?
    /// Why nothing more is taken from the ring.
    private(set) var ringBroken: RingReader.BrokenReason?

    /// Spans, and requests, that were open when it ended.
    private(set) var openSpansClosed = 0
    private(set) var slotsRejected = 0

    init(_ worker: Worker, place: Int = 0, resource: Resource, clock: LinuxClock, handOn: @escaping (Batch) -> Void) {
        self.worker = worker
        self.place = place
        board = worker.board.map { BoardReader($0) }
        pump = RingPump(
            worker.ring, resource: resource, version: Release.version,
            clocks: { (clock.monotonicNanoseconds(), clock.unixNanoseconds()) }, handOn: handOn)
    }

    var process: ChildProcess { worker.process }
    var control: LocalConnection { worker.control }
    var wake: EventDescriptor { worker.wake }
    var deathNote: (code: DeathCode, message: String)? { worker.ring.deathNote }

    var received: [Signal: Int] { pump.received }
    var records: RecordTranscoder.Counters { pump.transcoder.counters }
    var wakes: UInt64 { pump.wakes }
    func dropped(_ kind: RecordKind) -> UInt32 { pump.dropped(kind) }

    /// Asks for a wake-up; how long to sleep for it, nanoseconds. Nil: nothing comes from a broken ring.
    func prepareToSleep(now: UInt64) -> UInt64? { ringBroken == nil ? pump.prepareToSleep(now: now) : nil }

    /// Takes what is there. Returns why the ring is broken when it turns out to be, once.
    func drain() -> RingReader.BrokenReason? {
        guard ringBroken == nil else { return nil }
        ringBroken = pump.drain()
        return ringBroken
    }

    /// Once, when it was reaped and its ring drained: what was open is closed, and everything handed on.
    /// Returns the requests that were in flight, by the board.
    @discardableResult
    func finish(_ outcome: WorkerOutcome, now unix: UInt64) -> [BoardRequest] {
        let inFlight = board?.openRequests(consumed: pump.consumed)
        slotsRejected = inFlight?.bad ?? 0
        openSpansClosed = pump.finish(outcome, requests: inFlight?.requests ?? [], now: unix)
        return inFlight?.requests ?? []
    }

    /// When a request began, Unix nanoseconds; nil for a time that makes no sense.
    func startTime(of request: BoardRequest) -> UInt64? { pump.transcoder.clock.unixNanoseconds(request.startTime) }

    // MARK: of one that serves

    var state: BoardState? { board?.state }

    /// What its board says now.
    func snapshot() -> BoardSnapshot { board?.snapshot() ?? BoardSnapshot() }
}
