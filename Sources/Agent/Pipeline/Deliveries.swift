internal import Queue
internal import Receivers
internal import Synchronization

/// `ack: delivered`: a sender is answered when every entry made of its request has left its queue. Any thread.
final class DeliveryWait: Sendable {
    private struct State {
        var answer: (@Sendable (IntakeAnswer) -> Void)?
        /// Entries that have not left, and one for the commit.
        var open = 1
    }

    private let state: Mutex<State>

    init(_ answer: @escaping @Sendable (IntakeAnswer) -> Void) { state = Mutex(State(answer: answer)) }

    fileprivate func add() { state.withLock { $0.open += 1 } }

    func committed() { left() }

    /// Nothing of it is kept in one of the queues: the sender has to come again.
    func fail() { take()?(.full(retryAfterSeconds: 1)) }

    fileprivate func left() {
        let isOver = state.withLock { state in
            state.open -= 1
            return state.open == 0
        }
        if isOver { take()?(.accepted) }
    }

    private func take() -> (@Sendable (IntakeAnswer) -> Void)? { state.withLock { $0.answer.take() } }
}

/// Who waits for which entry.
final class Deliveries: Sendable {
    private struct Key: Hashable {
        var output: Int
        var id: QueueEntryID
    }

    private let waits = Mutex<[Key: DeliveryWait]>([:])

    func add(_ wait: DeliveryWait, _ output: Int, _ id: QueueEntryID) {
        wait.add()
        waits.withLock { $0[Key(output: output, id: id)] = wait }
    }

    /// An entry that was never kept.
    func forget(_ output: Int, _ id: QueueEntryID) {
        _ = waits.withLock { $0.removeValue(forKey: Key(output: output, id: id)) }
    }

    /// These entries of an output's queue have left: delivered, or refused for good.
    func left(_ output: Int, _ ids: [QueueEntryID]) { for wait in take(output, ids) { wait.left() } }

    /// These were given up by their queue (evicted, expired, damaged): their senders have to come again.
    func lost(_ output: Int, _ ids: [QueueEntryID]) { for wait in take(output, ids) { wait.fail() } }

    private func take(_ output: Int, _ ids: [QueueEntryID]) -> [DeliveryWait] {
        waits.withLock { waits in
            waits.isEmpty ? [] : ids.compactMap { waits.removeValue(forKey: Key(output: output, id: $0)) }
        }
    }
}
