internal import Synchronization

/// The last thing somebody said. Any thread.
final class LastMessage: Sendable {
    private let value = Mutex<String?>(nil)

    var text: String? { value.withLock { $0 } }
    func set(_ text: String) { value.withLock { $0 = text } }
}
