internal import Linux
internal import Synchronization

/// Why another thread wants the run to end. The first reason stays.
final class StopRequest: Sendable {
    private enum Door {
        case closed, serves, barred
    }

    private struct State {
        var reason: Outcome?
        /// Of a server: whether it has begun to serve, or may not any more.
        var door = Door.closed
    }

    private let state = Mutex(State())
    private let event = try? EventDescriptor()

    /// Readable once there is a reason; -1 when the system had no descriptor left.
    var descriptor: Int32 { event?.fileDescriptor ?? -1 }

    var outcome: Outcome? { state.withLock { $0.reason } }

    /// False when there was a reason before.
    func set(_ outcome: Outcome) -> Bool {
        state.withLock { state in
            guard state.reason == nil else { return false }
            state.reason = outcome
            event?.signal()
            return true
        }
    }

    /// A server is about to serve. False: it was asked to end before, and execution is being terminated.
    func beginServing() -> Bool {
        state.withLock { state in
            guard state.door != .barred else { return false }
            state.door = .serves
            return true
        }
    }

    /// A server is asked to end. True: it serves, and may have something to finish. False: it does not, and will not begin to.
    func endServing() -> Bool {
        state.withLock { state in
            if state.door == .closed { state.door = .barred }
            return state.door == .serves
        }
    }
}
