import ArgumentParser
import Configuration
import Linux
import System

/// The options that say what an agent is to do, of all commands that read its configuration.
struct AgentOptions: ParsableArguments {
    /// What is read where no file is named, if it is there.
    static let standardFile = "sidelight.yaml"
    /// More than any file that is taken may have, so that the configuration itself says what is too much.
    static let fileBytesMax = 8 << 20

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file (default: sidelight.yaml, if it is here).", valueName: "FILE"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "What the agent calls itself (default: OTEL_SERVICE_NAME, else sidelight).", valueName: "NAME"))
    var service: String?

    @Option(help: ArgumentHelp("Where records are kept, or off (default: .sidelight/).", valueName: "DIR"))
    var store: String?

    @Option(
        name: .customLong("export"),
        help: ArgumentHelp(
            """
            Send to a backend too; KIND is otlp, otlp-json, otlp-grpc, zipkin, jaeger, loki, prometheus-remote-write, \
            file (a folder) or console. Repeatable. Without it, and where the \
            file names no exporter, OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_* variables decide.
            """, valueName: "KIND=URL"))
    var exports: [String] = []

    @Option(
        name: .customLong("resolve"),
        help: ArgumentHelp(
            "Who knows where services are: consul, etcd or dns, and where that is (default: on this machine; dns: the system's). Repeatable.",
            valueName: "KIND[=PLACE]"))
    var resolves: [String] = []

    @Option(
        name: .customLong("receive"),
        help: ArgumentHelp(
            "Where a receiver listens, or off; NAME is otlp-http, otlp-grpc, zipkin, jaeger or as in the file. Repeatable.",
            valueName: "NAME=HOST:PORT"))
    var receives: [String] = []

    @Option(
        name: .customLong("logs"),
        help: ArgumentHelp(
            "Files to read lines of, as a pattern in quotes: '/var/log/shop/*.log'. Repeatable.", valueName: "GLOB"))
    var logs: [String] = []

    @Option(
        name: .customLong("register"),
        help: ArgumentHelp(
            "Make its receivers and its admin port known: consul[=URL], etcd[=URL,URL], dns-sd[=TYPE] or file-sd=FILE (for Prometheus). Repeatable.",
            valueName: "KIND[=VALUE]"))
    var registers: [String] = []

    @Option(help: ArgumentHelp("Where the admin port is, or off (default: 127.0.0.1:9464).", valueName: "HOST:PORT"))
    var admin: String?

    @Flag(help: "Let receivers and the admin port be open to other machines without tokens or certificates.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "How much to say on stderr: trace, debug, info, notice, warning, error or critical (default: warning).",
            valueName: "L"))
    var logLevel: String?

    typealias Answer = Result<Configured<PipelineConfiguration.Loaded>, ConfigurationErrors>

    /// Reads the configuration; each call reads the file anew, so that an agent can follow its changes.
    /// - Parameters:
    ///   - argument: The file, if it is named by an argument instead of `--config`.
    ///   - isJSON: `--json` of the agent.
    func loader(file argument: String? = nil, isJSON: Bool = false) -> @Sendable () -> Answer {
        var flags = flags
        flags.isJSON = isJSON
        let name = argument ?? config
        return { [flags] in Self.load(name, flags) }
    }

    /// What `serve -c` or `run -c` makes of the file.
    func workload(
        file name: String, isRun: Bool
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        var flags = flags
        flags.isRun = isRun
        do throws(FileError) {
            let bytes = try readFile(name, bytesMax: Self.fileBytesMax)
            return AgentConfiguration.parse(
                flags, environment: Machine.environment, file: PipelineConfiguration.File(name: name, bytes: bytes),
                folder: Machine.workingFolder, readFile: Self.readSecret)
        } catch {
            return .failure(ConfigurationErrors(problems: [ConfigurationProblem(name, error.reason)]))
        }
    }

    private var flags: FlagValues {
        var flags = FlagValues()
        flags.service = service
        flags.store = store
        flags.exports = exports
        flags.resolves = resolves
        flags.receives = receives
        flags.logs = logs
        flags.registers = registers
        flags.admin = admin
        flags.logLevel = logLevel
        flags.isInsecure = insecure
        return flags
    }

    private static func load(_ name: String?, _ flags: FlagValues) -> Answer {
        var file: PipelineConfiguration.File?
        do {
            let bytes = try readFile(name ?? standardFile, bytesMax: fileBytesMax)
            file = PipelineConfiguration.File(name: name ?? standardFile, bytes: bytes)
        } catch {
            // Nobody asked for the standard one.
            if name != nil || error.name != "ENOENT" {
                let problem = ConfigurationProblem(name ?? standardFile, error.reason)
                return .failure(ConfigurationErrors(problems: [problem]))
            }
        }
        return PipelineConfiguration.load(
            flags, environment: Machine.environment, file: file, hasProgram: { Machine.executable($0) != nil },
            readFile: readSecret)
    }

    @Sendable static func readSecret(_ path: String) -> PipelineConfiguration.FileText {
        do throws(FileError) {
            return .bytes(try readFile(path, bytesMax: fileBytesMax))
        } catch {
            return .failed(error.reason)
        }
    }

    /// The configuration; what is wrong with it is said on stderr, and is exit code 2.
    func configure(
        file argument: String? = nil, isJSON: Bool = false
    ) throws -> Configured<PipelineConfiguration.Loaded> {
        switch loader(file: argument, isJSON: isJSON)() {
        case .success(let configured): return configured
        case .failure(let errors):
            for problem in errors.problems { complain(problem.description.escaped) }
            throw ExitCode(2)
        }
    }

    /// The file that is read; nil: there is none, and none was asked for.
    func file(_ argument: String?) -> String? {
        if let name = argument ?? config { return name }
        return Machine.isFile(Self.standardFile) ? Self.standardFile : nil
    }

    /// - Throws: where a file is named twice.
    func checkArgument(_ argument: String?) throws {
        guard argument != nil, config != nil else { return }
        throw ValidationError("the file is named twice: by --config and by the argument")
    }
}
