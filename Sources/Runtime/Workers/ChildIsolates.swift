// The child isolates of a process: one for each Worker that runs, with a thread, an event loop and a ring of its own.

internal import Engine
internal import Glibc
internal import Linux
internal import Synchronization
internal import Telemetry

/// What one child is to other threads: its parent, the watchdog, the end of the process. Any thread.
final class ChildIsolate: Sendable {
    private struct State {
        var isolate: IsolateHandle?
        var gate: LoopGate?
        var cpuClock: ThreadClock?
    }

    let id: Int
    let stop = StopRequest()
    let turns = TurnClock()
    private let state = Mutex(State())

    init(id: Int) { self.id = id }

    /// Its isolate is there.
    func began(_ isolate: IsolateHandle, _ gate: LoopGate, cpuClock: ThreadClock) {
        state.withLock { $0 = State(isolate: isolate, gate: gate, cpuClock: cpuClock) }
        // Asked to end before that: what it would run next does not run.
        if stop.outcome != nil {
            isolate.terminate()
            gate.stopRequested()
        }
    }

    /// Its thread is about to end.
    func ended() { state.withLock { $0 = State() } }

    /// Ends it, whatever it does. The first reason stays.
    func end(_ outcome: Outcome) {
        guard stop.set(outcome) else { return }
        let (isolate, gate) = state.withLock { ($0.isolate, $0.gate) }
        isolate?.terminate()
        gate?.stopRequested()
    }

    /// CPU time of its thread, milliseconds; nil when it is not running.
    var cpuMilliseconds: Double? {
        // While it cannot end.
        state.withLock { $0.cpuClock?.milliseconds }
    }
}

/// Any thread.
final class ChildIsolates: Sendable {
    /// How long the process waits at its end for children to write their last words. Nanoseconds.
    static let graceNanoseconds: UInt64 = 1_800_000_000
    /// How long a child waits for a place that the agent has not emptied yet. Milliseconds.
    static let placeMillisecondsMax = 2_000
    /// Of a child's thread: V8's own limit of a stack, and room for the host's. Bytes of address space.
    private static let stackBytes = 4 << 20
    /// When a child has run for so long, or has ended, a thread makes the isolate of the next. Not before: the first ones of a program have the processors
    /// for themselves. Milliseconds.
    static let spareDelayMilliseconds: Int64 = 10
    /// A thread that nobody wants for so long ends. Milliseconds.
    static let spareMillisecondsMax: Int64 = 10_000

    private struct State {
        var children: [Int: ChildIsolate] = [:]
        /// Those of them whose programs are over, and that only give back what they had.
        var leaving: Set<Int> = []
        var lastID = 0
        /// A thread whose isolate is there, or nearly, for the next child: one at most, and none before there was a child.
        var spare: ChildThread?
        /// The process ends: nobody may start.
        var isClosed = false
        /// Signalled by each child that ends, once the process ends.
        var ends: EventDescriptor?

        /// One more may start. A program that starts the next when it hears of the last one's end is faster than threads end: so those that leave do not
        /// count, up to as many again.
        func hasRoom(_ limit: Int) -> Bool {
            !isClosed && children.count - leaving.count < limit && children.count < 2 * limit
        }
    }

    let options: WorkerOptions
    let ring: RingMapping
    let places: RingPlaces?
    /// What the process's first isolate was made from.
    let snapshot: UnsafeSnapshot?
    let broadcasts = BroadcastGroup()
    let blobURLs = BlobURLs()
    private let state = Mutex(State())
    private let takingPlace = Mutex(())

    /// A mapping that lives as long as the process.
    struct UnsafeSnapshot: @unchecked Sendable {
        // @unchecked: mapped for reading only, and never unmapped.
        let bytes: UnsafeRawBufferPointer
    }

    /// - Parameters:
    ///   - ring: the process's first.
    ///   - places: nil without an agent.
    init(_ options: WorkerOptions, ring: RingMapping, places: RingPlaces?, snapshot: UnsafeSnapshot?) {
        self.options = options
        self.ring = ring
        self.places = places
        self.snapshot = snapshot
    }

    var limit: Int { options.workersMax }
    /// How many there are now.
    var count: Int { state.withLock { $0.children.count } }

    /// Starts one; nil: there are as many as may be, or the process ends.
    /// - Parameters:
    ///   - configuration: JSON of 48_worker.js.
    ///   - source: of its script, where the URL is no file's.
    ///   - port: the child's end.
    func start(_ configuration: String, source: [UInt8]?, port: Port) -> ChildIsolate? {
        let started: (child: ChildIsolate, spare: ChildThread?)? = state.withLock { state in
            guard state.hasRoom(limit) else { return nil }
            state.lastID += 1
            let child = ChildIsolate(id: state.lastID)
            state.children[child.id] = child
            defer { state.spare = nil }
            return (child, state.spare)
        }
        guard let (child, spare) = started else { return nil }
        let task = ChildTask(child: child, configuration: configuration, source: source, port: port)
        if let spare {
            spare.assign(task)
        } else {
            let thread = ChildThread(self, task: task)
            if !thread.start(stackBytes: Self.stackBytes) { thread.couldNotStart() }
        }
        return child
    }

    /// Has the next child's isolate made, unless that is so already, or there are as many children as may be.
    func makeSpare() {
        let thread: ChildThread? = state.withLock { state in
            guard state.spare == nil, state.hasRoom(limit) else { return nil }
            let thread = ChildThread(self, task: nil)
            state.spare = thread
            return thread
        }
        guard let thread, !thread.start(stackBytes: Self.stackBytes) else { return }
        // Somebody may have given it a task already.
        if !dropSpare(thread) { thread.couldNotStart() }
    }

    /// It is no spare from now on. False: it was none any more.
    @discardableResult func dropSpare(_ thread: ChildThread) -> Bool {
        state.withLock { state in
            guard state.spare === thread else { return false }
            state.spare = nil
            return true
        }
    }

    /// Its program is over.
    func leaves(_ child: ChildIsolate) { state.withLock { _ = $0.leaving.insert(child.id) } }

    /// Its thread is about to end.
    func ended(_ child: ChildIsolate) {
        child.ended()
        let ends = state.withLock { state in
            state.children[child.id] = nil
            state.leaving.remove(child.id)
            return state.ends
        }
        ends?.signal()
    }

    /// Ends all, and waits until they have written what they had to say, within limits. At the end of the process.
    func endAll() {
        let all = state.withLock { state in
            state.isClosed = true
            if !state.children.isEmpty { state.ends = try? EventDescriptor() }
            return Array(state.children.values)
        }
        guard !all.isEmpty else { return }
        for child in all { child.end(.terminated) }
        guard let ends = state.withLock({ $0.ends }) else { return }
        let deadline = LinuxClock().monotonicNanoseconds() + Self.graceNanoseconds
        var poller = Poller([ends.fileDescriptor])
        while count > 0 {
            let now = LinuxClock().monotonicNanoseconds()
            guard now < deadline else { return }
            try? poller.wait(nanoseconds: deadline - now)
            ends.clear()
        }
    }

    /// A ring for a child, and its place; without an agent one that nobody reads. Waits for a place when all are taken or not read to their end yet.
    func takeRing() throws -> (ring: RingMapping, place: Int?) {
        guard let places else {
            return (try RingMapping(capacity: RingMapping.capacityBounds.lowerBound), nil)
        }
        var poller = Poller([])
        for _ in 0..<Self.placeMillisecondsMax {
            let taken = try takingPlace.withLock { _ in try places.take(like: ring) }
            if let taken { return (taken.ring, taken.place) }
            wakeAgent()
            try? poller.wait(nanoseconds: 1_000_000)
        }
        throw RingError.noPlace
    }

    func wakeAgent() {
        var one: UInt64 = 1
        _ = write(options.wakeDescriptor ?? -1, &one, 8)
    }

    /// Ends children that have used more than they may. The watchdog's thread.
    /// - Parameter now: ring time, nanoseconds.
    func enforce(_ limits: WatchdogLimits, _ watches: inout ChildWatches, now: Double) {
        for child in state.withLock({ Array($0.children.values) }) {
            let crypto = child.turns.crypto
            if let limit = limits.cpuMilliseconds, let used = child.cpuMilliseconds,
                used + crypto.now.total / 1e6 > limit
            {
                child.end(.limit(.cpu(milliseconds: limit)))
            }
            if let outcome = limits.exceeded(by: crypto) { child.end(outcome) }
            if let running = child.turns.running, let cpu = child.cpuMilliseconds,
                let outcome = watches.look(child.id, running, limits, now: now, cpu: cpu * 1e6)
            {
                child.end(outcome)
            }
        }
    }
}
