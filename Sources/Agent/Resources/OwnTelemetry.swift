internal import Linux
internal import Server
internal import System
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

extension Resource {
    /// Of what the agent measures itself.
    static func ofAgent(_ service: String) -> Resource {
        var resource = Resource(attributes: [
            Attribute("service.name", .string(service)), Attribute("service.version", .string(Release.version)),
            Attribute("service.instance.id", .string(Machine.randomUUID())),
            Attribute("process.pid", .int(Int64(Machine.processID))), Attribute("os.type", "linux"),
        ])
        if let name = Machine.hostName { resource.set("host.name", .string(name)) }
        return resource
    }
}
