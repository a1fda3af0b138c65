import Agent
import ArgumentParser
import Configuration
import Linux
import Synchronization

struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Receive telemetry, keep it safe, and send it on.",
        usage: "sidelight agent [OPTIONS]",
        discussion: """
            Without a configuration it receives OTLP over HTTP (127.0.0.1:4318) and gRPC (4317), Zipkin (9411) and Jaeger Thrift (14268), and keeps what comes \
            in the store. With exporters, what a sender was told is taken lies in a queue on disk until each backend has it, whatever happens to the agent; \
            the store alone is written ten times a second, and a kill -9 costs it what came since.

            EXAMPLES
              sidelight agent
              sidelight agent --export otlp=http://collector:4318
              sidelight agent --config sidelight.yaml
              sidelight check config sidelight.yaml

            SIGNALS
              SIGHUP           read the configuration again; a file that changes is read again by itself
              SIGTERM, SIGINT  answer what is under way, then end; what is not delivered stays in the queues

            EXIT CODES
              0  ended when asked to      2  usage, configuration, address, queue in use
              70  internal error
            """)

    @OptionGroup var options: AgentOptions

    @Flag(help: "Say it in JSON, a line a message.")
    var json = false

    @Flag(name: .shortAndLong, help: "No messages but errors.")
    var quiet = false

    func run() throws {
        let configured = try options.configure(isJSON: json)
        var settings = make(configured)
        // The file that it has been read from is wanted from now on, even where nobody named it and where it was not there at first.
        let wanted = WantedFile(options)
        settings.reload = { [self] in
            let file = wanted.name
            if let file, let bytes = try? readFile(file, bytesMax: AgentOptions.fileBytesMax), bytes.isEmpty {
                // Most likely it is being written, or could not be: nobody takes all exporters away by emptying a file.
                return .failure(ConfigurationErrors(problems: [ConfigurationProblem(file, "it is empty")]))
            }
            return options.loader(file: file, isJSON: json)().map(make)
        }
        AgentService.run(settings).end()
    }

    private func make(_ configured: Configured<PipelineConfiguration.Loaded>) -> AgentSettings {
        var settings = AgentSettings(configuration: configured.value.configuration)
        settings.warnings = configured.warnings.map(\.description)
        settings.isAdminGiven = configured.value.isAdminGiven
        let scripts = settings.configuration.processors.compactMap(\.processor.script?.file)
        settings.scripts = configured.value.scripts
        settings.patterns = configured.value.patterns
        settings.files = configured.value.secretFiles + scripts + settings.securityFiles + [options.config ?? AgentOptions.standardFile]
        settings.isQuiet = quiet
        return settings
    }
}

/// The file that the configuration is read from; the standard one as soon as it has been there.
private final class WantedFile: Sendable {
    private let options: AgentOptions
    private let seen: Mutex<String?>

    init(_ options: AgentOptions) {
        self.options = options
        seen = Mutex(options.file(nil))
    }

    /// Nil: there has been none.
    var name: String? {
        seen.withLock { seen in
            seen = seen ?? options.file(nil)
            return seen
        }
    }
}
