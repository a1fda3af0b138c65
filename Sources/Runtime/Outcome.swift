internal import Linux
internal import Telemetry

/// How a run ended. Exit codes: DESIGN section 6; the agent turns them into its own.
enum Outcome: Hashable, Sendable {
    enum Limit: Hashable, Sendable {
        /// `bytes` 0: V8's own limit.
        case heap(bytes: Int)
        case cpu(milliseconds: Double)
        case wall(milliseconds: Double)
        case cpuWindow(percent: Double, milliseconds: Double)
        case loopBlock(milliseconds: Double)
        /// ArrayBuffers and memories of WebAssembly.
        case memory(bytes: Int)
        /// What the process has in memory.
        case resident(bytes: Int)
        case promises(count: Int)
    }

    /// Nothing was pending any more. The code is `process.exitCode`.
    case completed(code: Int32)
    /// `process.exit(code)`.
    case exited(code: Int32)
    /// An error that nobody caught; it has been printed and recorded.
    case failed
    /// Nothing is pending, but a top-level await of these modules never settled: their names, with the line where that is sure.
    case unsettledAwait(modules: [String])
    case interrupted(signal: Int32)
    case limit(Limit)
    /// A child that called `close()`.
    case closed
    /// A child whose parent ended it, or ended itself.
    case terminated
    case entryUnreadable(reason: String)
    case internalError(String)

    /// Of a process that failed with what its policy refused.
    static let refusedExitCode: Int32 = 3

    /// Of the process.
    var exitCode: Int32 {
        switch self {
        case .completed(let code), .exited(let code): code == 0 ? 0 : 1
        case .closed, .terminated: 0
        case .failed, .unsettledAwait, .interrupted: 1
        case .entryUnreadable: 2
        case .limit: 4
        case .internalError: 70
        }
    }

    /// `process.exit.code` of the run's span: what the program said, or what the process ends with.
    var programCode: Int32 {
        switch self {
        case .completed(let code), .exited(let code): code
        default: exitCode
        }
    }

    /// Why the run failed, for its span's status; nil when it did not, or the error says it better.
    var reason: String? {
        switch self {
        case .completed, .failed, .closed, .terminated: nil
        case .exited(let code): code == 0 ? nil : "process.exit(\(code))"
        case .unsettledAwait(let modules): "top-level await never settled: " + modules.joined(separator: ", ")
        case .interrupted(let signal): "interrupted by \(signalName(signal))"
        case .limit(.heap(let bytes)): bytes > 0 ? "heap limit of \(size(bytes)) reached" : "heap limit reached"
        case .limit(.cpu(let milliseconds)): "CPU limit of \(format(milliseconds)) ms reached"
        case .limit(.wall(let milliseconds)): "wall clock limit of \(format(milliseconds)) ms reached"
        case .limit(.cpuWindow(let percent, let milliseconds)):
            "CPU limit of \(format(percent)) % in \(format(milliseconds)) ms reached"
        case .limit(.loopBlock(let milliseconds)): "event loop blocked for more than \(format(milliseconds)) ms"
        case .limit(.memory(let bytes)): "memory limit of \(size(bytes)) reached"
        case .limit(.resident(let bytes)): "resident limit of \(size(bytes)) reached"
        case .limit(.promises(let count)): "limit of \(count) pending promises reached"
        case .entryUnreadable(let reason), .internalError(let reason): reason
        }
    }

    /// What is said on stderr; the rest has been said already, or needs no words.
    var message: String? {
        switch self {
        case .completed, .exited, .failed, .interrupted, .closed, .terminated: nil
        case .unsettledAwait(let modules):
            "Warning: Detected unsettled top-level await at " + modules.joined(separator: ", ")
        case .limit, .entryUnreadable, .internalError: reason.map { "sidelight: " + $0 }
        }
    }

    /// What `sidelight.worker.end` says of a child. docs/specs/telemetry.md section 8.
    var childEnd: String {
        switch self {
        case .completed: "done"
        case .exited: "exit"
        case .closed: "close"
        case .terminated, .interrupted: "terminate"
        case .failed, .unsettledAwait, .entryUnreadable: "error"
        case .limit(.heap): "heap_limit"
        case .limit(.cpu), .limit(.cpuWindow): "cpu_limit"
        case .limit(.wall): "wall_limit"
        case .limit(.loopBlock): "loop_block_limit"
        case .limit(.memory), .limit(.resident): "memory_limit"
        case .limit(.promises): "promise_limit"
        case .internalError: "internal_error"
        }
    }

    /// Nothing was left to do.
    var isInOrder: Bool { if case .completed = self { true } else { false } }

    /// Whether a child that ended so has failed.
    var isChildFailure: Bool {
        switch self {
        case .completed, .closed, .terminated, .interrupted: false
        case .exited(let code): code != 0
        case .failed, .unsettledAwait, .entryUnreadable, .limit, .internalError: true
        }
    }

    /// Whether its parent is told by an error.
    var isChildError: Bool {
        if case .exited = self { false } else { isChildFailure }
    }

    /// Record-format.md section 5: why the process ends, for the agent to say.
    /// - Parameters:
    ///   - serves: it was to serve, so that it has failed whenever its program ends.
    ///   - failure: what the program failed with before it came to serve.
    func deathNote(serves: Bool, failure: String?) -> (code: DeathCode, text: String)? {
        switch self {
        case .limit(.heap): (.heapLimit, reason ?? "")
        case .limit(.cpu): (.cpuLimit, reason ?? "")
        case .limit(.cpuWindow): (.cpuWindowLimit, reason ?? "")
        case .limit(.wall): (.wallLimit, reason ?? "")
        case .limit(.loopBlock): (.loopBlockLimit, reason ?? "")
        case .limit(.memory): (.memoryLimit, reason ?? "")
        case .limit(.resident): (.residentLimit, reason ?? "")
        case .limit(.promises): (.promiseLimit, reason ?? "")
        case .internalError(let reason): (.internal, reason)
        case .entryUnreadable(let reason): (.start, reason)
        case .unsettledAwait where serves: (.start, reason ?? "")
        case .exited where serves: (.exit, "it called process.exit(\(programCode))")
        case .failed: failure.map { (.start, $0) }
        default: nil
        }
    }

    /// The limit's name, as in `--limit`.
    var limitName: String? {
        guard case .limit(let limit) = self else { return nil }
        return switch limit {
        case .heap: "heap"
        case .memory: "memory"
        case .resident: "resident"
        case .cpu: "cpu"
        case .cpuWindow: "cpu-window"
        case .wall: "wall"
        case .loopBlock: "loop-block"
        case .promises: "promises"
        }
    }

    /// What the one who reached a limit gets to be called.
    var workloadOutcome: WorkloadOutcome? {
        guard case .limit(let limit) = self else { return nil }
        return switch limit {
        case .heap, .memory, .resident: .exceededMemory
        case .cpu, .cpuWindow: .exceededCpu
        case .wall: .exceededWall
        case .loopBlock: .exceededLoopBlock
        case .promises: .exceededPromises
        }
    }

    private func size(_ bytes: Int) -> String {
        for (unit, factor) in [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)] where bytes % factor == 0 {
            return "\(bytes / factor) \(unit)"
        }
        return "\(bytes) bytes"
    }

    private func format(_ number: Double) -> String { number == number.rounded() ? "\(Int(number))" : "\(number)" }
}
