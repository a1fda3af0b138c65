public import Linux
public import Telemetry

/// What the end of a worker means: for the agent's own exit code, for the spans that were still open, and for people.
/// docs/specs/telemetry.md section 3.
public struct WorkerOutcome: Hashable, Sendable {
    /// Why the worker did not end as it should.
    public struct Death: Hashable, Sendable {
        /// For people and for the status of spans: "worker killed by SIGKILL (9)".
        public var reason: String
        /// From a small set, for `error.type` and `exception.type`: a signal's name, or one of `ErrorType`.
        public var errorType: String
        /// It was the agent that was asked to end it.
        public var isRequested = false
        /// The worker ended itself for it, and left it to the agent to say so.
        public var isOwn = false
        /// The limit that was reached, if it was one.
        public var limit: Limit?
        /// The system call that the fence killed it for; empty: its name is not known.
        public var refusedCall: String?
    }

    /// A limit that ended a worker.
    public struct Limit: Hashable, Sendable {
        /// As in `--limit`.
        public var name: String
        public var outcome: WorkloadOutcome
        /// As `sidelight.limit.value` has it.
        public var value: AttributeValue?
    }

    /// Values of `error.type` that are no signal.
    public enum ErrorType {
        public static let fatal = "v8_fatal_error"
        public static let heapLimit = "heap_limit"
        public static let cpuLimit = "cpu_limit"
        public static let wallLimit = "wall_limit"
        public static let memoryLimit = "memory_limit"
        public static let loopBlockLimit = "loop_block_limit"
        public static let promiseLimit = "promise_limit"
        public static let limit = "limit"
        public static let ringBroken = "ring_broken"
        public static let `internal` = "internal_error"
        public static let spanNotEnded = "span_not_ended"
        public static let startTimeout = "start_timeout"
        public static let fence = "fence"
    }

    /// DESIGN.md section 6: 0 success, 1 workload failed, 2 usage, 3 policy, 4 limit, 70 internal.
    public var exitCode: Int32
    /// The signal that asked for the end: the agent ends itself by it, so that a shell sees what it expects to see.
    public var endSignal: Int32?
    /// Nil when the worker ended in order.
    public var death: Death?
    /// What the worker left to say of an end that is none of these: why it did not come to run or to serve, or how its program ended it.
    public var note: String?

    /// Label of counters: `error.type` of the death, or `exit`.
    public var endReason: String { death?.errorType ?? "exit" }

    /// Why it ended; for messages.
    public var reason: String {
        death?.reason ?? note ?? "it ended with exit code \(exitCode), and did not say why"
    }

    /// What a run that ended so has to say at its end, whatever else is said.
    public var lastWords: String? { death.map { $0.isOwn ? $0.reason : nil } ?? note }

    /// Status message of spans that were open at the end.
    public var openSpanReason: String {
        if let death { return death.reason }
        if let note, endSignal == nil { return note }
        return endSignal.map { "interrupted by \(signalName($0))" } ?? "the program ended before this span did"
    }

    /// `error.type` of these.
    public var openSpanErrorType: String {
        death?.errorType ?? endSignal.map(signalName) ?? ErrorType.spanNotEnded
    }
}

extension WorkerOutcome {
    /// - Parameters:
    ///   - deathNote: what the worker left in the ring's header, if anything.
    ///   - ringBroken: why the ring could not be read on; the agent then killed the worker.
    ///   - requestedBy: the signal the agent got first, if any.
    public init(
        status: ChildProcess.Status, deathNote: (code: DeathCode, message: String)?, ringBroken: String?,
        requestedBy: Int32?
    ) {
        if let ringBroken {
            self.init(70, "the ring is broken (\(ringBroken)); the worker was stopped", ErrorType.ringBroken)
            return
        }
        switch status {
        case .exited(let code):
            self.init(exited: code, deathNote: deathNote)
            // A worker that was told to end winds up and says that it failed.
            if let requestedBy, death == nil, code != 0 { endSignal = requestedBy }
        case .signaled(let signal, _):
            if let deathNote {
                self.init(deathNote)
                return
            }
            if signal == Signals.badCall {
                self.init((.fence, ""))
                return
            }
            self.init(1, "worker killed by \(signalName(signal)) (\(signal))", signalName(signal))
            // Asked for, and not for another reason: a crash on the way out is a crash.
            if let requestedBy, signal == requestedBy || signal == Signals.kill {
                endSignal = requestedBy
                death?.isRequested = true
            }
        }
    }

    /// Of a worker of `serve` that was killed since it did not come to serve.
    /// - Parameter nanoseconds: what it had.
    public init(overdueAfter nanoseconds: UInt64) {
        self.init(1, "worker did not serve within \(timeText(nanoseconds)) and was killed", ErrorType.startTimeout)
    }

    private init(exited code: Int32, deathNote: (code: DeathCode, message: String)?) {
        switch code {
        case 0...3:
            self.init(exitCode: code)
            if let deathNote, !deathNote.message.isEmpty { note = deathNote.message }
        case _ where deathNote != nil:
            self.init(deathNote!)
            death?.isOwn = true
        case 4:
            self.init(4, "limit exceeded", ErrorType.limit)
        case 70:
            self.init(70, "internal error of the worker (exit code 70)", ErrorType.internal)
        default:
            self.init(70, "the worker ended with exit code \(code), which it never uses", ErrorType.internal)
        }
    }

    private init(_ note: (code: DeathCode, message: String)) {
        func text(_ what: String) -> String { note.message.isEmpty ? what : note.message }
        switch note.code {
        case .fatal: self.init(1, "V8 fatal error: " + text("no reason given"), ErrorType.fatal)
        case .heapLimit:
            self.init(4, text("heap limit reached"), ErrorType.heapLimit, Limit(name: "heap", outcome: .exceededMemory))
        case .cpuLimit:
            self.init(4, text("CPU limit reached"), ErrorType.cpuLimit, Limit(name: "cpu", outcome: .exceededCpu))
        case .wallLimit:
            self.init(
                4, text("wall clock limit reached"), ErrorType.wallLimit, Limit(name: "wall", outcome: .exceededWall))
        case .memoryLimit:
            self.init(
                4, text("memory limit reached"), ErrorType.memoryLimit, Limit(name: "memory", outcome: .exceededMemory))
        case .residentLimit:
            self.init(
                4, text("resident limit reached"), ErrorType.memoryLimit,
                Limit(name: "resident", outcome: .exceededMemory))
        case .loopBlockLimit:
            self.init(
                4, text("event loop blocked for too long"), ErrorType.loopBlockLimit,
                Limit(name: "loop-block", outcome: .exceededLoopBlock))
        case .cpuWindowLimit:
            self.init(
                4, text("CPU limit reached"), ErrorType.cpuLimit, Limit(name: "cpu-window", outcome: .exceededCpu))
        case .promiseLimit:
            self.init(
                4, text("promise limit reached"), ErrorType.promiseLimit,
                Limit(name: "promises", outcome: .exceededPromises))
        case .start, .exit: self.init(1, text("no reason given"), ErrorType.internal)
        case .fence:
            self.init(3, "killed by the fence: syscall \(text("of no known name"))", ErrorType.fence)
            death?.refusedCall = note.message
        case .internal: self.init(70, "internal error of the worker: " + text("no reason given"), ErrorType.internal)
        }
    }

    private init(_ exitCode: Int32, _ reason: String, _ errorType: String, _ limit: Limit? = nil) {
        self.init(exitCode: exitCode, death: Death(reason: reason, errorType: errorType, limit: limit))
    }
}
