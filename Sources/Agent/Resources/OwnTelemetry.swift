internal import Server
internal import Telemetry

/// The way of the agent's own figures from the main thread into its pipelines. Main thread.
final class OwnTelemetry {
    private let intake: PipelineIntake
    private var server: Server?

    init(_ intake: PipelineIntake) { self.intake = intake }

    /// From now on there is a thread that the pipelines belong to.
    func begin(_ server: Server) { self.server = server }

    func accept(_ batch: Batch) {
        server?.perform { [intake] in intake.takeOwn(batch) }
    }
}
