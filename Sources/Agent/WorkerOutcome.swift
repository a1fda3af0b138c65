public import Linux
public import Telemetry

/// What the end of a worker means: for the agent's own exit code, for the spans that were still open, and for people.
public struct WorkerOutcome: Hashable, Sendable {
    /// Why the worker did not end as it should.
    public struct Death: Hashable, Sendable {
        /// For people and for the status of spans: "worker killed by SIGKILL (9)".
        public var reason: String
        /// From a small set, for `error.type` and `exception.type`: a signal's name, or one of `ErrorType`.
        public var errorType: String
        /// It was the agent that was asked to end it.
        public var isRequested: Bool
    }

    /// Values of `error.type` that are no signal. docs/specs/telemetry.md.
    public enum ErrorType {
        public static let fatal = "v8_fatal_error"
        public static let heapLimit = "heap_limit"
        public static let cpuLimit = "cpu_limit"
        public static let wallLimit = "wall_limit"
        public static let ringBroken = "ring_broken"
        public static let `internal` = "internal_error"
        public static let spanNotEnded = "span_not_ended"
    }

    /// DESIGN.md section 6: 0 success, 1 workload failed, 2 usage, 3 policy, 4 limit, 70 internal.
    public var exitCode: Int32
    /// The signal that asked for the end: the agent ends itself by it, so that a shell sees what it expects to see.
    public var endSignal: Int32?
    /// Nil when the worker ended by its own return.
    public var death: Death?

    /// Status message of spans that were open at the end.
    public var openSpanReason: String { death?.reason ?? "the program ended before this span did" }
    /// `error.type` of these.
    public var openSpanErrorType: String { death?.errorType ?? ErrorType.spanNotEnded }
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
            self.init(exitCode: 70, "the ring is broken: \(ringBroken); the worker was stopped", ErrorType.ringBroken)
            return
        }
        switch status {
        case .exited(let code):
            self.init(exited: code, deathNote: deathNote)
        case .signaled(let signal, _):
            if let deathNote {
                self.init(deathNote)
            } else {
                self.init(exitCode: 1, "worker killed by \(signalName(signal)) (\(signal))", signalName(signal))
                // Asked for, and not for another reason: a crash on the way out is a crash.
                if let requestedBy, signal == requestedBy || signal == Signals.kill {
                    endSignal = requestedBy
                    death?.isRequested = true
                }
            }
        }
    }

    private init(exited code: Int32, deathNote: (code: DeathCode, message: String)?) {
        switch code {
        case 0, 1, 2, 3: self.init(exitCode: code, endSignal: nil, death: nil)
        case 4:
            if let deathNote {
                self.init(deathNote)
            } else {
                self.init(exitCode: 4, "limit exceeded", ErrorType.wallLimit)
            }
        default:
            if let deathNote {
                self.init(deathNote)
            } else if code == 70 {
                self.init(exitCode: 70, "internal error of the worker (exit code 70)", ErrorType.internal)
            } else {
                self.init(
                    exitCode: 70, "the worker ended with exit code \(code), which it never uses", ErrorType.internal)
            }
        }
    }

    private init(_ note: (code: DeathCode, message: String)) {
        func text(_ what: String) -> String { note.message.isEmpty ? what : "\(what): \(note.message)" }
        switch note.code {
        case .fatal: self.init(exitCode: 1, text("V8 fatal error"), ErrorType.fatal)
        case .heapLimit: self.init(exitCode: 4, text("heap limit exceeded"), ErrorType.heapLimit)
        case .cpuLimit: self.init(exitCode: 4, text("CPU time limit exceeded"), ErrorType.cpuLimit)
        case .wallLimit: self.init(exitCode: 4, text("wall time limit exceeded"), ErrorType.wallLimit)
        case .internal: self.init(exitCode: 70, text("internal error of the worker"), ErrorType.internal)
        }
    }

    private init(exitCode: Int32, _ reason: String, _ errorType: String) {
        self.init(
            exitCode: exitCode, endSignal: nil, death: Death(reason: reason, errorType: errorType, isRequested: false))
    }
}
