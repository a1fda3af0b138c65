import Agent
import ArgumentParser
import Configuration
import Linux

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a script or module and record its spans, logs and errors.",
        usage: "sidelight run [OPTIONS] ENTRY [ARGS…]",
        discussion: """
            What follows ENTRY belongs to the program, also what looks like an option. Its console goes to stdout and stderr, and to \
            the log records. Everything is kept in the store; `sidelight trace ls` lists it.

            EXAMPLES
              sidelight run app.js
              sidelight run --export otlp=http://127.0.0.1:4318 app.js
              sidelight run --export zipkin=http://127.0.0.1:9411 app.js --verbose
              sidelight run --service shop --limit heap=64MB --limit wall=30s app.js

            EXIT CODES
              0  success                          3  refused by policy
              1  the program failed*              4  limit exceeded
              2  usage or configuration, entry    70 internal error
              * The number it chose itself is process.exit.code on the run's span.
            """)

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
            Send to a backend too; KIND is otlp, otlp-json, zipkin, jaeger or console. Repeatable. Without it, \
            OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_* variables decide.
            """, valueName: "KIND=URL"))
    var exports: [String] = []

    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp("heap=64MB, cpu=500ms, wall=2s or workers=16. Repeatable.", valueName: "NAME=VALUE"))
    var limits: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long to wait for backends when the program is over, as in 30s (default: 5s; 2s for one that never took anything).",
            valueName: "TIME"))
    var flushTimeout: String?

    @Flag(name: .customLong("heap-snapshot-on-oom"), help: "Keep a heap snapshot when the program reaches its heap limit.")
    var heapSnapshotOnOOM = false

    @Option(help: ArgumentHelp("How much to say on stderr (default: warning).", valueName: "L"))
    var logLevel: String?

    @Flag(help: "At the end, one line of JSON on stderr: what was received, exported, kept and dropped.")
    var json = false

    @Flag(name: .shortAndLong, help: "No warnings.")
    var quiet = false

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("The script or module, and its own arguments.", valueName: "ENTRY [ARGS…]"))
    var program: [String] = []

    func run() throws {
        guard let entry = program.first else {
            throw ValidationError("Missing ENTRY: which script or module is to run?")
        }
        // Captured with the program's own, which must not be looked into.
        if entry == "--help" || entry == "-h" { throw CleanExit.helpRequest(self) }
        if entry.hasPrefix("-"), entry != "-" { throw ValidationError("Unknown option '\(entry)'") }
        var flags = FlagValues()
        flags.service = service
        flags.store = store
        flags.exports = exports
        flags.limits = limits
        flags.logLevel = logLevel
        flags.isJSON = json
        flags.flushTimeout = flushTimeout
        flags.snapshotsHeap = heapSnapshotOnOOM
        flags.entry = entry
        let configuration: AgentConfiguration
        let warnings: [String]
        switch AgentConfiguration.parse(flags, environment: Machine.environment) {
        case .success(let configured):
            configuration = configured.value
            warnings = configured.warnings.map(\.description)
        case .failure(let errors):
            throw ValidationError("\(errors)")
        }
        try checkStore()
        var settings = RunSettings(configuration: configuration, entry: entry, arguments: Array(program.dropFirst()))
        settings.warnings = warnings
        settings.isQuiet = quiet
        Run.run(settings).end()
    }

    /// What can be known before anything is started.
    private func checkStore() throws {
        if let store, let reason = Machine.reasonNotWritable(folder: store) {
            throw ValidationError("--store \(store): cannot be written: \(reason)")
        }
    }
}
