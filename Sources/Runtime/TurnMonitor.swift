// What the event loop does, as figures on the board and notes for spans: turns, garbage collections, stalls, CPU time.
//
// A turn costs two readings of the counter clock and a few stores. The thread's CPU clock is a system call of some microseconds: it is read once a second, and at the
// end of turns longer than a millisecond; a shorter turn counts with the time it took.

internal import Engine
internal import Glibc
internal import NIOCore
internal import Telemetry

/// On the isolate's thread.
final class TurnMonitor {
    /// Nanoseconds: what is shorter is no event.
    static let pauseMin = 5e6
    static let stallMin = 50e6
    private static let shortTurn = 1e6
    private static let tickMilliseconds: Int64 = 100
    private static let ticksPerSample = 10
    /// Notes that wait to be taken; further ones are dropped.
    private static let notesMax = 64

    /// Something that happened to whatever ran.
    struct Note {
        /// 1 to 4: a garbage collection (minor, major, incremental, weak callbacks); 5: a stall.
        var kind: Int32
        /// Ring time; nanoseconds.
        var time: Double
        var duration: Double
        /// What was current; nil: nothing.
        var context: Value?
        var text = ""
    }

    static let stallKind: Int32 = 5

    private let isolate: Isolate
    private let board: BoardWriter?
    let turns: TurnClock
    /// Set once the workload serves: where notes go.
    var cells: RequestCells?
    /// Timers that are set.
    var timerCount: () -> Int = { 0 }
    /// Child isolates that run.
    var childCount: () -> Int = { 0 }
    /// Nil without an agent.
    var profile: ProfileControl?
    /// CPU time that a request may use; nil: no limit. Nanoseconds.
    var requestCPUMax: Double?
    /// Whose turn the last one was, or who has used more than that. Whose doing it is when a limit ends the isolate.
    private(set) var offender: HTTPConnection?
    /// The offender has used more over its turns; nil: those that belong to no request have.
    private(set) var isOverCPU = false

    private(set) var start = 0.0
    /// The connection whose request the turn was entered for, or goes on with since `ownedSince`.
    private(set) var owner: HTTPConnection?
    private var ownedSince = 0.0
    /// Nothing of the program's has run in this turn yet.
    private var isFresh = false
    private var unowned = UnownedTime()
    /// Requests in flight.
    var inFlight: () -> Int = { 0 }
    private var isStallNoted = false
    private var notes: [Note] = []
    private var lastText = ""

    // Sums since the last sample.
    private var turnCount: UInt64 = 0
    private var turnTime = 0.0
    // The CPU clock at its last reading, and the short turns since.
    private var cpuRead = 0.0
    private var shortTime = 0.0
    private var sampledCPU = 0.0
    private var sampledAt = 0.0
    private var codeReadings = CodeReadings()
    private var ticks = 0
    private var tickDue = 0.0

    init(_ isolate: Isolate, board: BoardWriter?, turns: TurnClock) {
        self.isolate = isolate
        self.board = board
        self.turns = turns
    }

    // MARK: turns

    @inline(__always)
    func begin(_ owner: HTTPConnection?) {
        start = isolate.now
        turns.began(start, spent: owner?.request.cpuTime ?? unownedSpent(start))
        self.owner = owner
        ownedSince = start
        isFresh = owner == nil
        if let profile, profile.isMarking { profile.mark(start, owner) }
    }

    /// What runs from now on is for this request: a timer of it, an answer it waited for.
    func goesOn(for connection: HTTPConnection?) {
        let wasFresh = isFresh
        isFresh = false
        guard connection !== owner else { return }
        let now = isolate.now
        // What comes before it is the host's way to it.
        if !wasFresh {
            charge(now - ownedSince)
            ownedSince = now
        }
        owner = connection
        turns.goesOn(now, spent: connection?.request.cpuTime ?? unownedSpent(now))
        if let profile, profile.isMarking { profile.mark(now, connection) }
    }

    /// The turn is over but for what notes need. True: there are some.
    func end() -> Bool {
        let now = isolate.now
        let duration = now - start
        turns.ended()
        turnCount &+= 1
        turnTime += duration
        if duration > Self.shortTurn {
            let cpu = cpuOfTurn(duration)
            cpuRead = cpu.clock
            shortTime = 0
            charge(min(cpu.used, now - ownedSince))
            if duration > Self.stallMin {
                board?.add(.loopStalls)
                stalled(duration)
            }
        } else {
            shortTime += duration
            charge(now - ownedSince)
        }
        if let profile, profile.isMarking { profile.mark(now, nil) }
        return !notes.isEmpty
    }

    /// After `end`, when its notes were taken.
    func leave() {
        // Its note was not taken: nobody serves yet.
        if isStallNoted { _ = profile?.slowEnded() }
        if !isOverCPU { offender = owner }
        owner = nil
        isStallNoted = false
    }

    private func charge(_ nanoseconds: Double) {
        guard let owner else { return chargeNobody(nanoseconds) }
        guard owner.request.identity.isSampled || requestCPUMax != nil else { return }
        if owner.request.cpuTime == 0 { unowned.requestBegan() }
        owner.request.cpuTime += nanoseconds
        if let requestCPUMax, owner.request.cpuTime > requestCPUMax, !owner.request.isOver, !isOverCPU {
            isOverCPU = true
            offender = owner
        }
    }

    /// CPU time of which nobody knows for which request it was: of a turn without one, or of another thread whose answer the turn has brought.
    func chargeNobody(_ nanoseconds: Double) {
        // Before it serves, it starts: that takes what it takes, but for each turn.
        guard let requestCPUMax, cells != nil else { return }
        unowned.add(nanoseconds)
        if unowned.spent(limit: requestCPUMax) > requestCPUMax, !isOverCPU {
            isOverCPU = true
            offender = nil
        }
    }

    /// What counts already against a turn that belongs to no request. Nanoseconds.
    private func unownedSpent(_ now: Double) -> Double {
        guard let requestCPUMax, cells != nil else { return 0 }
        unowned.look(now: now, inFlight: inFlight)
        return unowned.spent(limit: requestCPUMax)
    }

    /// CPU time of the request whose record is being written, the turn that runs included. Nanoseconds.
    func cpuTime(of connection: HTTPConnection) -> Double {
        guard owner === connection else { return connection.request.cpuTime }
        let duration = isolate.now - start
        let owned = isolate.now - ownedSince
        return connection.request.cpuTime + (duration > Self.shortTurn ? min(owned, cpuOfTurn(duration).used) : owned)
    }

    /// What the CPU clock has moved beyond the short turns since it was last read, at most the turn's duration.
    private func cpuOfTurn(_ duration: Double) -> (used: Double, clock: Double) {
        let clock = Self.threadCPU()
        return (min(duration, max(0, clock - cpuRead - shortTime)), clock)
    }

    static func threadCPU() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Whether ArrayBuffers and memories of WebAssembly have more bytes, by V8's count and without those that are garbage. From an interrupt.
    func exceeds(memory bytes: Int) -> Bool {
        guard isolate.heapStatistics.external > bytes else { return false }
        isolate.lowMemory()
        return isolate.heapStatistics.external > bytes
    }

    // MARK: stalls

    /// The turn has run for so long that what runs now is to blame. From an interrupt, or before a response is sent.
    func lookForStall() {
        guard turns.runningSince != nil, !isStallNoted, isolate.now - start > Self.stallMin else { return }
        noteStall()
    }

    /// The turn has taken longer than what is profiled from. From an interrupt.
    func turnIsSlow() {
        guard turns.runningSince != nil else { return }
        if !isStallNoted { noteStall() }
        profile?.turnIsSlow(owner)
    }

    private func noteStall() {
        isStallNoted = true
        add(Note(kind: Self.stallKind, time: start, duration: 0, context: isolate.continuation))
    }

    /// The turn that was one is over. One that was noted and not yet taken gets its duration then.
    private func stalled(_ duration: Double) {
        if !isStallNoted { add(Note(kind: Self.stallKind, time: start, duration: duration, context: nil)) }
    }

    // MARK: collections

    func collected(_ collection: GarbageCollection) {
        let kind: BoardCollection
        switch collection.kind {
        case 1: kind = .minor
        case 2: kind = .major
        case 4: kind = .incremental
        default: kind = .weakCallbacks
        }
        board?.collection(kind, UInt64(max(0, collection.pauseNanoseconds)))
        guard collection.pauseNanoseconds >= Self.pauseMin, turns.runningSince != nil else { return }
        add(
            Note(
                kind: Int32(kind.rawValue) + 1, time: isolate.now - collection.pauseNanoseconds,
                duration: collection.pauseNanoseconds, context: isolate.continuation))
    }

    // MARK: notes

    private func add(_ note: Note) {
        guard let cells, notes.count < Self.notesMax else { return }
        notes.append(note)
        cells.store(Int32(notes.count), at: RequestCells.Word.notes)
    }

    /// The oldest; its kind and times are in the cells afterwards.
    func next() -> Value? {
        guard let cells, !notes.isEmpty else { return nil }
        var note = notes.removeFirst()
        if note.kind == Self.stallKind {
            if note.duration == 0 { note.duration = isolate.now - start }
            note.text = profile?.slowEnded() ?? ""
        }
        cells.storeNote(note.kind, time: note.time, duration: note.duration, left: notes.count)
        lastText = note.text
        if let context = note.context, context.kind != .undefined { return context }
        return Value.number(Double(owner?.slot ?? -1), in: isolate)
    }

    func text() -> String {
        defer { lastText = "" }
        return lastText
    }

    // MARK: the loop

    /// From now on the board has figures of the loop and the heap.
    func startTicking(on eventLoop: any EventLoop) {
        guard board != nil else { return }
        sampledAt = isolate.now
        sampledCPU = Self.threadCPU()
        cpuRead = sampledCPU
        sample()
        plan(eventLoop)
    }

    private func plan(_ eventLoop: any EventLoop) {
        tickDue = isolate.now + Double(Self.tickMilliseconds) * 1e6
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Self.tickMilliseconds)) { bound.value.tick(eventLoop) }
    }

    private func tick(_ eventLoop: any EventLoop) {
        board?.loopDelay(UInt64(max(0, isolate.now - tickDue)))
        ticks += 1
        if ticks % Self.ticksPerSample == 0 { sample() }
        plan(eventLoop)
    }

    /// Brings the board up to date. Outside of turns.
    func sample() {
        guard let board else { return }
        let now = isolate.now
        let cpu = Self.threadCPU()
        let wall = now - sampledAt
        // Reading and writing sockets is work, too, and outside of turns: the thread's CPU time has it, but not what a turn waited for.
        let active = min(wall, max(turnTime, cpu - sampledCPU))
        board.add(.loopTurns, turnCount)
        board.add(.loopActive, UInt64(max(0, active)))
        board.add(.loopIdle, UInt64(max(0, wall - active)))
        board.set(.isolateCPU, UInt64(cpu))
        let isQuiet = turnCount == 0 && ticks > 0
        (sampledAt, sampledCPU, cpuRead) = (now, cpu, cpu)
        (turnCount, turnTime, shortTime) = (0, 0, 0)
        board.set(.isolateWorkers, UInt64(childCount()))
        // Nothing ran, so the heap is as it was.
        guard !isQuiet else { return }
        board.set(.timersActive, UInt64(timerCount()))
        let heap = isolate.heapStatistics
        board.set(.heapUsed, UInt64(heap.used))
        board.set(.heapTotal, UInt64(heap.total))
        board.set(.heapLimit, UInt64(heap.limit))
        board.set(.heapExternal, UInt64(heap.external))
        board.set(.arrayBuffers, UInt64(heap.arrayBuffers))
        board.set(.globalHandles, UInt64(heap.globalHandles))
        board.set(.globalHandlesUsed, UInt64(heap.usedGlobalHandles))
        board.set(.nativeContexts, UInt64(heap.nativeContexts))
        board.set(.detachedContexts, UInt64(heap.detachedContexts))
        board.set(.malloced, UInt64(heap.malloced))
        if codeReadings.isDue(heapUsed: heap.used) {
            let code = isolate.readCodeStatistics()
            board.set(.code, UInt64(code.code))
            board.set(.bytecode, UInt64(code.bytecode))
            board.set(.externalScriptSource, UInt64(code.externalScriptSource))
        }
        for (index, space) in isolate.heapSpaces.enumerated() {
            var name = space.name
            name.withUTF8 { text in
                board.space(
                    index, name: UnsafeRawBufferPointer(text), used: UInt64(space.used), size: UInt64(space.size),
                    available: UInt64(space.available), physical: UInt64(space.physical))
            }
        }
    }

    /// An error, or a rejection, that nobody caught.
    func unhandledError() { board?.add(.unhandledErrors) }
}
