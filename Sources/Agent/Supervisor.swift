// Decides what signals to the agent, a broken ring and the end of the worker lead to. No I/O here: `Run` feeds it and does
// what it says.
//
//     running ──worker ended──► exporting ──exported──► (the process ends)
//        │ signal: once on to the worker; again (later than a duplicate could come): SIGKILL
//        │ ring broke: SIGKILL
//                                    │ signal: no more waiting for backends

public import Linux
public import Telemetry

/// Numbers the agent deals with.
public enum Signals {
    public static let hangup: Int32 = 1
    public static let interrupt: Int32 = 2
    public static let kill: Int32 = 9
    public static let terminate: Int32 = 15
    /// SIGSYS: what the kernel sends for a system call that a filter refuses.
    public static let badCall: Int32 = 31
    /// Those that ask the agent to end.
    public static let end = [hangup, interrupt, terminate]
}

/// State of one run.
public struct Supervisor: Sendable {
    public enum Action: Hashable, Sendable {
        case none
        /// Send this signal to the worker.
        case signalWorker(Int32)
        /// Stop waiting for backends; what is not delivered counts as such.
        case abandonExport
    }

    /// The same signal again within this time is the same request that came twice: by the process group and by kill(2), as
    /// timeout(1) does it.
    public static let duplicateNanoseconds: UInt64 = 300_000_000

    private enum State {
        case running
        case exporting(WorkerOutcome)
    }

    private var state = State.running
    private var firstSignal: Int32?
    private var lastSignal: (number: Int32, time: UInt64)?
    private var ringBroken: String?

    public init() {}

    /// A signal came to the agent. `now`: monotonic nanoseconds.
    public mutating func received(_ signal: SignalDescriptor.Signal, now: UInt64) -> Action {
        let last = lastSignal
        if let last, last.number == signal.number, now &- last.time < Self.duplicateNanoseconds { return .none }
        lastSignal = (signal.number, now)
        switch state {
        case .running:
            if firstSignal == nil { firstSignal = signal.number }
            if last?.number == signal.number { return .signalWorker(Signals.kill) }
            // The terminal has sent it to the worker too.
            return signal.fromTerminal ? .none : .signalWorker(signal.number)
        case .exporting:
            return .abandonExport
        }
    }

    /// Nothing more can be read from the ring, so nothing the worker does from now on would be seen.
    public mutating func ringBroke(_ reason: String) -> Action {
        guard case .running = state, ringBroken == nil else { return .none }
        ringBroken = reason
        return .signalWorker(Signals.kill)
    }

    /// The worker was reaped. Once.
    public mutating func workerEnded(
        _ status: ChildProcess.Status, deathNote: (code: DeathCode, message: String)?
    ) -> WorkerOutcome {
        guard case .running = state else { preconditionFailure("the worker ended twice: \(state)") }
        let outcome = WorkerOutcome(
            status: status, deathNote: deathNote, ringBroken: ringBroken, requestedBy: firstSignal)
        state = .exporting(outcome)
        return outcome
    }

    /// The ring turned out broken when its rest was read after the worker's end. Gives the outcome that now holds.
    public mutating func ringBrokeAtTheEnd(_ reason: String) -> WorkerOutcome {
        guard case .exporting = state else { preconditionFailure("the worker has not ended: \(state)") }
        let outcome = WorkerOutcome(
            status: .exited(70), deathNote: nil, ringBroken: reason, requestedBy: nil)
        state = .exporting(outcome)
        return outcome
    }
}
