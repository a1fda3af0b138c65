internal import Linux
internal import Store
internal import Telemetry
internal import Wire

/// A worker with what the agent does for it: its ring is pumped, its board read, its end told. One thread.
final class AttendedWorker {
    private let worker: Worker
    private var pump: RingPump
    private var board: BoardReader?
    /// Why nothing more is taken from the ring.
    private(set) var ringBroken: RingReader.BrokenReason?

    /// Spans, and requests, that were open when it ended.
    private(set) var openSpansClosed = 0
    private(set) var slotsRejected = 0

    init(_ worker: Worker, resource: Resource, clock: LinuxClock, handOn: @escaping (Batch) -> Void) {
        self.worker = worker
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
    func finish(_ outcome: WorkerOutcome, now unix: UInt64) {
        let inFlight = board?.openRequests(consumed: pump.consumed)
        slotsRejected = inFlight?.bad ?? 0
        openSpansClosed = pump.finish(outcome, requests: inFlight?.requests ?? [], now: unix)
    }

    // MARK: of one that serves

    var state: BoardState? { board?.state }

    /// What its board says now.
    func snapshot() -> BoardSnapshot { board?.snapshot() ?? BoardSnapshot() }
}
