internal import Synchronization

/// How often the configuration was read anew while the agent ran, and what was wrong with it. Any thread.
final class ConfigurationReloads: Sendable {
    struct Counts: Sendable {
        var succeeded = 0
        var failed = 0
        /// Why the last one was not taken; nil: it was, or there was none.
        var failure: String?
    }

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    func succeeded() {
        state.withLock { counts in
            counts.succeeded += 1
            counts.failure = nil
        }
    }

    func failed(_ reason: String) {
        state.withLock { counts in
            counts.failed += 1
            counts.failure = reason
        }
    }
}
