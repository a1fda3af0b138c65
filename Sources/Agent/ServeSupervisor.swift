// Decides when workers of `serve` are started, drained and killed. No I/O, clock or chance here: `Serve` feeds it and does what it says.
//
// There are N places. Each has at most one worker that is to serve, and during a reload one that is to follow it; those that were followed
// drain on the side. The listening socket is the agent's, so a place that stands empty for a while refuses nobody.
//
//     starting ──every place serves──► serving ──signal──► ending ──all gone──► over
//        └── a worker ends before it serves ──────────────────┘
//
//     place: empty (until a time) ──start──► starting ──serving──► serving ──end──► empty (backoff)
//                                            └── takes too long: killed ──────────────┘
//     reload, place by place: start another; when it serves, the old one drains; when it ends before, the old one stays
//
// A reload asked for during another waits for it, but not for a follower that does not come up: that one is ended, and the code is looked at anew.
// An old worker that dies beside its follower is replaced as ever. Nothing that hangs keeps a place empty, or new code out, for good.

public import Linux

/// State of one `serve`. Times are monotonic nanoseconds.
public struct ServeSupervisor: Sendable {
    /// Names a worker for good.
    public typealias WorkerID = Int

    public enum Action: Hashable, Sendable {
        /// Start a worker for this place. One that cannot be started is one that ended.
        case start(WorkerID, place: Int)
        /// Ask it to finish what it has, and to end. `isFollowed`: another serves in its place.
        case drain(WorkerID, isFollowed: Bool)
        case kill(WorkerID)
        /// Every place serves for the first time.
        case announce
        /// A worker nobody asked to end is gone; the place is filled again after so long. Nanoseconds.
        case crashed(place: Int, delay: UInt64)
        case reloaded
        /// The new code does not start; the old one serves on.
        case reloadFailed
        /// All are gone.
        case finish(Ending)
    }

    public enum Ending: Hashable, Sendable {
        /// Asked for; `killed` workers did not finish in time.
        case drained(killed: Int)
        /// This worker ended before everything served for the first time.
        case failedAtStart(WorkerID)
    }

    /// Who served so long is started again at once.
    static let stableNanoseconds: UInt64 = 5_000_000_000
    /// Who served so long can be started: its place waits as after a first failure, however often that happens. Workers that are killed from outside
    /// again and again must not leave their places empty for most of the time.
    static let provenNanoseconds: UInt64 = 1_000_000_000
    static let backoffFirst: UInt64 = 100_000_000
    static let backoffLast: UInt64 = 10_000_000_000
    /// A follower is given so long before newer code ends it: where code changes without end, what starts faster gets to serve now and then.
    static let followerNanoseconds: UInt64 = 2_000_000_000
    /// The same signal again within this time is the same request that came twice.
    static let duplicateNanoseconds = Supervisor.duplicateNanoseconds

    enum Phase: Hashable, Sendable {
        case starting, serving
        case ending(Ending)
        case over
    }

    struct Occupant: Hashable, Sendable {
        var worker: WorkerID
        var startedAt: UInt64
        /// When it began to serve; nil while it starts.
        var since: UInt64?
    }

    struct Place: Hashable, Sendable {
        var current: Occupant?
        /// The one that is to follow it: it starts.
        var next: Occupant?
        /// When an empty place is filled.
        var startAt: UInt64?
        /// Ends in a row of workers that did not last.
        var failures = 0
    }

    private(set) var phase = Phase.starting
    private(set) var places: [Place]
    /// Asked to end, with the time they have.
    private(set) var draining: [WorkerID: UInt64] = [:]
    /// Killed, not yet gone.
    private var killed: Set<WorkerID> = []
    /// Killed since they did not come to serve in time, not yet gone.
    private var overdue: Set<WorkerID> = []
    private var killedCount = 0
    /// Places still to be followed; nil: no reload goes on.
    private var reloading: Range<Int>?
    /// Asked for during a reload, or before everything served.
    private var reloadAgain = false
    private var lastID = 0
    private var lastSignal: (number: Int32, time: UInt64)?
    private let startNanoseconds: UInt64
    private let shutdownNanoseconds: UInt64

    /// - Parameters:
    ///   - startNanoseconds: how long a worker may take until it serves.
    ///   - shutdownNanoseconds: how long one that was asked to end may take.
    public init(places: Int, startNanoseconds: UInt64, shutdownNanoseconds: UInt64) {
        precondition(places > 0, "no places")
        self.places = Array(repeating: Place(), count: places)
        self.startNanoseconds = startNanoseconds
        self.shutdownNanoseconds = shutdownNanoseconds
    }

    public var isOver: Bool { phase == .over }
    public var isEnding: Bool {
        switch phase {
        case .ending, .over: true
        case .starting, .serving: false
        }
    }
    /// Whether the last `crashed` of this place came after another delay than the one before.
    public func isNewStep(_ place: Int) -> Bool { places[place].failures <= Self.steps }
    /// Ends in a row after which the delay grows no more: 100 ms doubled seven times is above 10 s.
    private static let steps = 8

    /// Whether this worker was asked to end.
    public func isAsked(_ id: WorkerID) -> Bool {
        draining[id] != nil || (killed.contains(id) && !overdue.contains(id))
    }
    /// Whether it was killed, having been asked to end in vain.
    public func isCutOff(_ id: WorkerID) -> Bool { killed.contains(id) && !overdue.contains(id) }
    /// Whether it was killed since it did not come to serve.
    public func isOverdue(_ id: WorkerID) -> Bool { overdue.contains(id) }

    // MARK: inputs

    /// Once, first of all.
    public mutating func begin(now: UInt64) -> [Action] { places.indices.map { start($0, now) } }

    /// The worker says that it serves.
    public mutating func isServing(_ id: WorkerID, now: UInt64) -> [Action] {
        guard !killed.contains(id) else { return [] }
        if let index = places.firstIndex(where: { $0.current?.worker == id && $0.current?.since == nil }) {
            places[index].current?.since = now
            guard phase == .starting, places.allSatisfy({ $0.current?.since != nil }) else { return [] }
            phase = .serving
            return [.announce] + reloadIfAsked(now)
        }
        guard phase == .serving, let index = places.firstIndex(where: { $0.next?.worker == id }),
            var next = places[index].next
        else { return [] }
        next.since = now
        var actions: [Action] = []
        if let old = places[index].current, !killed.contains(old.worker) {
            actions.append(drain(old.worker, now, isFollowed: true))
        }
        places[index] = Place(current: next)
        return actions + reloadNext(now)
    }

    /// The worker was reaped, or could not be started.
    /// - Parameters:
    ///   - chance: from 0 to 1, so that places do not restart in step.
    ///   - atLimit: it served, and then its program reached a limit. That it can be started is known, so whoever makes it do that again and again does not
    ///     get its place empty for longer than the first delay.
    public mutating func ended(_ id: WorkerID, now: UInt64, chance: Double, atLimit: Bool = false) -> [Action] {
        draining[id] = nil
        killed.remove(id)
        overdue.remove(id)
        switch phase {
        case .over: preconditionFailure("worker \(id) ended after all had")
        case .ending(let ending):
            forget(id)
            return finishIfGone(ending)
        case .starting:
            forget(id)
            return end(.failedAtStart(id), now)
        case .serving:
            return endedInPlace(id, now, chance, atLimit)
        }
    }

    /// A signal came to the agent.
    public mutating func received(_ signal: SignalDescriptor.Signal, now: UInt64) -> [Action] {
        if let last = lastSignal, last.number == signal.number, now &- last.time < Self.duplicateNanoseconds {
            return []
        }
        lastSignal = (signal.number, now)
        switch phase {
        case .starting, .serving: return end(.drained(killed: 0), now)
        case .ending: return killAll()
        case .over: return []
        }
    }

    /// The code may have changed.
    public mutating func reload(now: UInt64) -> [Action] {
        guard !isEnding else { return [] }
        reloadAgain = true
        guard phase == .serving else { return [] }
        return reloading == nil ? reloadIfAsked(now) : endFollower(now)
    }

    /// This worker cannot be listened to any more.
    public mutating func isBroken(_ id: WorkerID) -> [Action] { killed.contains(id) ? [] : [.kill(id)] }

    /// Some time has gone by; see `timer`.
    public mutating func tick(now: UInt64) -> [Action] {
        var actions: [Action] = []
        for id in draining.filter({ $0.value <= now }).keys.sorted() { actions.append(kill(id)) }
        guard !isEnding else { return actions }
        for occupant in starting where occupant.startedAt &+ startNanoseconds <= now {
            overdue.insert(occupant.worker)
            actions.append(kill(occupant.worker))
        }
        guard phase == .serving else { return actions }
        for index in places.indices {
            guard let time = places[index].startAt, time <= now else { continue }
            actions.append(start(index, now))
        }
        return actions + endFollower(now)
    }

    /// When `tick` is due; nil: not by itself.
    public var timer: UInt64? {
        var times = Array(draining.values)
        if !isEnding { times += starting.map { $0.startedAt &+ startNanoseconds } }
        if phase == .serving {
            times += places.compactMap(\.startAt)
            if reloadAgain { times += places.compactMap(\.next).map { $0.startedAt &+ Self.followerNanoseconds } }
        }
        return times.min()
    }

    /// Those that do not serve yet, and have not been given up.
    private var starting: [Occupant] {
        places.flatMap { [$0.current, $0.next].compactMap(\.self) }.filter {
            $0.since == nil && !killed.contains($0.worker)
        }
    }

    // MARK: places

    private mutating func newID() -> WorkerID {
        lastID += 1
        return lastID
    }

    private mutating func start(_ index: Int, _ now: UInt64) -> Action {
        let id = newID()
        places[index].current = Occupant(worker: id, startedAt: now)
        places[index].startAt = nil
        return .start(id, place: index)
    }

    private mutating func forget(_ id: WorkerID) {
        for index in places.indices {
            if places[index].current?.worker == id { places[index].current = nil }
            if places[index].next?.worker == id { places[index].next = nil }
        }
    }

    private mutating func endedInPlace(
        _ id: WorkerID, _ now: UInt64, _ chance: Double, _ atLimit: Bool
    ) -> [Action] {
        guard let index = places.firstIndex(where: { $0.current?.worker == id || $0.next?.worker == id }) else {
            // It had been followed, or given up for newer code.
            return []
        }
        if places[index].next?.worker == id {
            places[index].next = nil
            reloading = nil
            var actions = [Action.reloadFailed]
            // It was to fill a place that waited: whatever the code is, the place must be filled.
            if places[index].current == nil, places[index].startAt == nil {
                actions.append(empty(index, served: 0, now, chance))
            }
            return actions + reloadIfAsked(now)
        }
        let since = places[index].current?.since
        places[index].current = nil
        if atLimit, since != nil { places[index].failures = 0 }
        return [empty(index, served: since.map { now &- $0 } ?? 0, now, chance)]
    }

    /// Leaves the place empty for a while.
    /// - Parameter served: how long its worker did. Nanoseconds.
    private mutating func empty(_ index: Int, served: UInt64, _ now: UInt64, _ chance: Double) -> Action {
        var delay: UInt64 = 0
        if served >= Self.provenNanoseconds { places[index].failures = 0 }
        if served < Self.stableNanoseconds {
            let doubled = Self.backoffFirst << UInt64(min(places[index].failures, 10))
            // A quarter less at most.
            delay = UInt64(Double(min(doubled, Self.backoffLast)) * (1 - min(max(chance, 0), 1) / 4))
            places[index].failures += 1
        }
        places[index].startAt = now &+ delay
        return .crashed(place: index, delay: delay)
    }

    // MARK: reload

    /// Begins one that was asked for.
    private mutating func reloadIfAsked(_ now: UInt64) -> [Action] {
        guard reloadAgain else { return [] }
        reloadAgain = false
        reloading = places.indices
        return reloadNext(now)
    }

    /// Newer code is there: a follower that has had its time does not keep it out.
    private mutating func endFollower(_ now: UInt64) -> [Action] {
        guard reloadAgain, let index = places.firstIndex(where: { $0.next != nil }), let next = places[index].next,
            !killed.contains(next.worker), next.startedAt &+ Self.followerNanoseconds <= now
        else { return [] }
        places[index].next = nil
        // Its place is not the first that is tried anew.
        if places[index].current == nil, places[index].startAt == nil { places[index].startAt = now }
        return [drain(next.worker, now)] + reloadIfAsked(now)
    }

    private mutating func reloadNext(_ now: UInt64) -> [Action] {
        guard var rest = reloading else { return [] }
        guard let index = rest.popFirst() else {
            reloading = nil
            return [.reloaded] + reloadIfAsked(now)
        }
        reloading = rest
        let id = newID()
        places[index].next = Occupant(worker: id, startedAt: now)
        // A place in backoff waits no longer: what is started is the new code.
        places[index].startAt = nil
        return [.start(id, place: index)]
    }

    // MARK: the end

    private mutating func drain(_ id: WorkerID, _ now: UInt64, isFollowed: Bool = false) -> Action {
        draining[id] = now &+ shutdownNanoseconds
        return .drain(id, isFollowed: isFollowed)
    }

    private mutating func kill(_ id: WorkerID) -> Action {
        draining[id] = nil
        if killed.insert(id).inserted { killedCount += 1 }
        return .kill(id)
    }

    private var placed: [WorkerID] {
        places.flatMap { [$0.current?.worker, $0.next?.worker].compactMap(\.self) }.filter { !killed.contains($0) }
    }

    private mutating func end(_ ending: Ending, _ now: UInt64) -> [Action] {
        phase = .ending(ending)
        // Of the end that begins: what a reload cut off has been told of.
        killedCount = 0
        reloading = nil
        for index in places.indices { places[index].startAt = nil }
        let actions = placed.filter { draining[$0] == nil }.map { drain($0, now) }
        return actions + finishIfGone(ending)
    }

    private mutating func killAll() -> [Action] {
        Set(placed + draining.keys).sorted().map { kill($0) }
    }

    private mutating func finishIfGone(_ ending: Ending) -> [Action] {
        let isGone = places.allSatisfy { $0.current == nil && $0.next == nil } && draining.isEmpty && killed.isEmpty
        guard isGone else { return [] }
        phase = .over
        if case .drained = ending { return [.finish(.drained(killed: killedCount))] }
        return [.finish(ending)]
    }
}
