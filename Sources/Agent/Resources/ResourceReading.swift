internal import Resources
internal import Synchronization
internal import Telemetry

/// What was sampled last, for whoever asks. Any thread; the main thread samples into it.
final class ResourceReading: Sendable {
    private struct State: Sendable {
        var snapshot = ResourceSnapshot()
        var batch: ResourceBatch
    }

    private let state: Mutex<State>

    /// - Parameter resource: Of the metrics.
    init(_ resource: Resource) { state = Mutex(State(batch: ResourceBatch(resource))) }

    func withSnapshot<Result>(_ body: (inout ResourceSnapshot) -> sending Result) -> sending Result {
        state.withLock { body(&$0.snapshot) }
    }

    var snapshot: ResourceSnapshot { state.withLock { $0.snapshot } }

    /// The figures as metrics; nil before the first sample.
    func batch() -> Batch? { state.withLock { $0.snapshot.time > 0 ? $0.batch.make($0.snapshot) : nil } }
}
