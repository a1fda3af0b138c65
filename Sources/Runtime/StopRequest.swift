internal import Linux
internal import Synchronization

/// Why another thread wants the run to end. The first reason stays.
final class StopRequest: Sendable {
    private let reason = Mutex<Outcome?>(nil)
    private let event = try? EventDescriptor()

    /// Readable once there is a reason; -1 when the system had no descriptor left.
    var descriptor: Int32 { event?.fileDescriptor ?? -1 }

    var outcome: Outcome? { reason.withLock { $0 } }

    /// False when there was a reason before.
    func set(_ outcome: Outcome) -> Bool {
        reason.withLock { reason in
            guard reason == nil else { return false }
            reason = outcome
            event?.signal()
            return true
        }
    }
}
