import ArgumentParser
import Configuration
import Linux
import Policy
import System

/// The options of all commands that start a workload.
struct WorkloadOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("A configuration file: docs/configuration.md says which keys are read.", valueName: "FILE"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Where the admin port is, with metrics, health and what was recorded, or off (default: 127.0.0.1:9464 of `serve`, off of `run`).",
            valueName: "HOST:PORT"))
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "service.name of what is recorded (default: OTEL_SERVICE_NAME, else ENTRY's name).", valueName: "NAME"))
    var service: String?

    @Option(help: ArgumentHelp("Where records are kept (default: .sidelight/).", valueName: "DIR"))
    var store: String?

    @Option(
        name: .customLong("export"),
        help: ArgumentHelp(
            """
            Send to a backend too; KIND is otlp, otlp-json, otlp-grpc, zipkin, jaeger, loki, prometheus-remote-write, \
            file (a folder) or console. Repeatable. Without it, \
            OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_* variables decide.
            """, valueName: "KIND=URL"))
    var exports: [String] = []

    @Option(
        name: .customLong("resolve"),
        help: ArgumentHelp(
            "Who knows where services are: consul, etcd or dns, and where that is (default: on this machine; dns: the system's). Repeatable.",
            valueName: "KIND[=PLACE]"))
    var resolves: [String] = []

    @Option(
        help: ArgumentHelp(
            "What it may do: a policy file, or strict (nothing but its own modules), standard or trusted (default: standard, which allows everything). `sidelight check policy FILE` explains one.",
            valueName: "FILE"))
    var policy: String?

    @Flag(
        help:
            "Refuse nothing; at the end print the policy that allows what it did, on stderr. Without --policy: all that strict would refuse."
    )
    var audit = false

    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp("What it may use, as in heap=64MB. See LIMITS. Repeatable.", valueName: "NAME=VALUE"))
    var limits: [String] = []

    @Option(
        name: .customLong("require-signature"),
        help: ArgumentHelp(
            "Run nothing that this public key has not signed (`sidelight sign`). Repeatable.", valueName: "KEY"))
    var requiredSignatures: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long to wait for backends at the end, as in 30s (default: 5s; 2s for one that failed and never took anything).",
            valueName: "TIME"))
    var flushTimeout: String?

    @Flag(name: .customLong("heap-snapshot-on-oom"), help: "Keep a heap snapshot when the heap limit is reached.")
    var heapSnapshotOnOOM = false

    @Flag(help: "Let the admin port be open to other machines without tokens or certificates.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "How much to say on stderr: trace, debug, info, notice, warning, error or critical (default: warning).",
            valueName: "L"))
    var logLevel: String?

    @Flag(
        help:
            "Say it in JSON, a line each: messages, where it serves, and at the end what was received, exported, kept and dropped."
    )
    var json = false

    @Flag(name: .shortAndLong, help: "No messages but errors.")
    var quiet = false

    /// What the command line said, for this entry.
    func flags(entry: String) -> FlagValues {
        var flags = FlagValues()
        flags.service = service
        flags.store = store
        flags.admin = admin
        flags.exports = exports
        flags.resolves = resolves
        flags.policy = policy
        flags.isAudited = audit
        flags.limits = limits
        flags.requiredSignatures = requiredSignatures
        flags.flushTimeout = flushTimeout
        flags.snapshotsHeap = heapSnapshotOnOOM
        flags.logLevel = logLevel
        flags.isJSON = json
        flags.isInsecure = insecure
        flags.entry = entry
        return flags
    }

    private func file() throws -> PipelineConfiguration.File? {
        guard let config else { return nil }
        do throws(FileError) {
            let bytes = try readFile(config, bytesMax: AgentOptions.fileBytesMax)
            return PipelineConfiguration.File(name: config, bytes: bytes)
        } catch {
            throw ValidationError("--config \(config.escaped): \(error.reason)")
        }
    }

    private typealias Answer = Result<Configured<AgentConfiguration>, ConfigurationErrors>

    /// With the policy as it is for this entry: its own modules are known, and links of its paths followed.
    private static func read(_ flags: FlagValues, _ file: PipelineConfiguration.File?) -> Answer {
        AgentConfiguration.parse(
            flags, environment: Machine.environment, file: file, folder: Machine.workingFolder,
            readFile: AgentOptions.readSecret
        ).map { configured in
            guard let entry = flags.entry else { return configured }
            var configured = configured
            let path = entry.hasPrefix("/") ? entry : "\(Machine.workingFolder)/\(entry)"
            configured.value.worker.policy = configured.value.worker.policy.resolved(
                entry: Machine.followingLinks(path), followLinks: Machine.followingLinks)
            return configured
        }
    }

    /// Reads it anew, the file and the policy as they are then.
    func again(_ flags: FlagValues) -> @Sendable () -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        let name = config
        return {
            do throws(FileError) {
                var file: PipelineConfiguration.File?
                if let name {
                    file = PipelineConfiguration.File(
                        name: name, bytes: try readFile(name, bytesMax: AgentOptions.fileBytesMax))
                }
                return Self.read(flags, file)
            } catch {
                return .failure(ConfigurationErrors(problems: [ConfigurationProblem(name ?? "", error.reason)]))
            }
        }
    }

    /// The whole configuration; what is wrong with it, and what can be known before anything is started, is a usage error.
    func configure(_ flags: FlagValues) throws -> Configured<AgentConfiguration> {
        switch Self.read(flags, try file()) {
        case .success(let configured):
            if let store, let reason = Machine.reasonNotWritable(folder: store) ?? Machine.makeWritable(folder: store) {
                throw ValidationError("--store \(store): cannot be written: \(reason)")
            }
            return configured
        case .failure(let errors):
            for problem in errors.problems { complain(problem.description.escaped) }
            throw ExitCode(2)
        }
    }
}
