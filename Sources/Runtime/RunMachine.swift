// When a run is over, and how it ended: a machine without V8, clock or event loop.
//
// The first end wins: an exit inside a callback that a limit stops is an exit. Once ending, only `turnEnded` still answers.

struct RunMachine {
    enum Entry: Hashable {
        case notStarted, evaluating, settled
    }

    enum State: Hashable {
        case running
        case ending(Outcome)
    }

    enum Action: Hashable {
        /// Something is pending.
        case wait
        /// Nothing is, but the entry's top-level await has not settled.
        case finishUnsettled
        /// Nothing is.
        case finish
        case end(Outcome)
    }

    private(set) var state = State.running
    private var entry = Entry.notStarted
    /// Timers, fetches and whatever else keeps the loop alive.
    private var references = 0
    private var immediatesAreDue = false

    var isEnding: Bool { state != .running }
    var hasStarted: Bool { entry != .notStarted }
    /// The entry's code has run, but for what waits at a top-level await.
    var hasSettled: Bool { entry == .settled }

    mutating func entryStarted() {
        precondition(entry == .notStarted, "the entry started twice: \(self)")
        entry = .evaluating
    }

    mutating func entrySettled() {
        precondition(entry == .evaluating, "the entry settled without running: \(self)")
        entry = .settled
    }

    mutating func referencesChanged(by delta: Int) { references += delta }

    /// True when the host is to plan a turn for them; false when one is planned.
    mutating func immediatesScheduled() -> Bool {
        defer { immediatesAreDue = true }
        return !immediatesAreDue
    }

    mutating func immediatesTaken() { immediatesAreDue = false }

    mutating func end(_ outcome: Outcome) {
        if state == .running { state = .ending(outcome) }
    }

    /// - Parameter hasPendingWork: V8 will still post a task that JavaScript waits for.
    func turnEnded(hasPendingWork: @autoclosure () -> Bool) -> Action {
        if case .ending(let outcome) = state { return .end(outcome) }
        if references > 0 || immediatesAreDue || entry == .notStarted || hasPendingWork() { return .wait }
        return entry == .settled ? .finish : .finishUnsettled
    }
}
