internal import Synchronization

/// Why another thread wants the run to end. The first reason stays.
final class StopRequest: Sendable {
    private let reason = Mutex<Outcome?>(nil)

    var outcome: Outcome? { reason.withLock { $0 } }

    /// False when there was a reason before.
    func set(_ outcome: Outcome) -> Bool {
        reason.withLock { reason in
            guard reason == nil else { return false }
            reason = outcome
            return true
        }
    }
}
