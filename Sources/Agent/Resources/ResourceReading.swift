internal import Configuration
internal import Resources
internal import Synchronization
internal import Telemetry

/// What was sampled last, for whoever asks. Any thread; the main thread samples into it.
final class ResourceReading: Sendable {
    private struct State: Sendable {
        var snapshot = ResourceSnapshot()
        var batch: ResourceBatch
    }

    /// Of the figures: what is sampled, and for whom.
    let resource: Resource
    private let state: Mutex<State>

    init(_ resource: Resource) {
        self.resource = resource
        state = Mutex(State(batch: ResourceBatch(resource)))
    }

    /// Nil where nothing is sampled.
    static func make(_ configuration: ResourcesConfiguration, _ resource: Resource) -> ResourceReading? {
        configuration.isEnabled ? ResourceReading(resource) : nil
    }

    func withSnapshot<Result>(_ body: (inout ResourceSnapshot) -> sending Result) -> sending Result {
        state.withLock { body(&$0.snapshot) }
    }

    var snapshot: ResourceSnapshot { state.withLock { $0.snapshot } }

    /// The figures as metrics; nil before the first sample.
    func batch() -> Batch? { state.withLock { $0.snapshot.time > 0 ? $0.batch.make($0.snapshot) : nil } }
}
