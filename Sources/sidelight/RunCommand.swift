import Agent
import ArgumentParser
import Configuration
import Linux

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a script, module or WASI command and record its spans, logs and errors.",
        usage: "sidelight run [OPTIONS] ENTRY [ARGS…]",
        discussion: """
            What follows ENTRY belongs to the program, also what looks like an option. Its console goes to stdout and stderr, and to \
            the log records. Everything is kept in the store; `sidelight trace ls` lists it.

            EXAMPLES
              sidelight run app.js
              sidelight run --export otlp=http://127.0.0.1:4318 app.js
              sidelight run --export zipkin=http://127.0.0.1:9411 app.js --verbose
              sidelight run --service shop --limit heap=64MB --limit wall=30s app.js
              sidelight run --policy strict --audit app.js
              sidelight run --policy shop.yaml --require-signature shop.pub.pem app.js
              sidelight run --dir data --dir /tmp/out::out tool.wasm data/input.txt

            LIMITS (docs/limits.md says what each means)
              cpu=500ms  cpu-window=50%/10s  wall=2s  heap=64MB  memory=128MB  resident=512MB
              wasm-memory=256MB  stack=1MB  promises=N  timers=N  workers=16  sockets=N  fetches=N
              modules=N  module-bytes=10MB  clone-bytes=1MB  logs-per-second=N  spans-per-second=N

            EXIT CODES
              0  success                          3  refused by policy
              1  the program failed*              4  limit exceeded
              2  usage or configuration, entry    70 internal error
              * The number it chose itself is process.exit.code on the run's span.
            """)

    @OptionGroup var options: WorkloadOptions

    @Option(
        name: .customLong("dir"),
        help: ArgumentHelp(
            "A folder that a WASI command may reach, and what it calls it (default: the same). Repeatable.",
            valueName: "DIR[::NAME]"))
    var folders: [String] = []

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The script, module or WASI command, and its own arguments.", valueName: "ENTRY [ARGS…]"))
    var program: [String] = []

    func run() throws {
        guard let entry = program.first else {
            throw ValidationError("ENTRY is missing: which script or module is to run? As in `sidelight run app.js`")
        }
        // Captured with the program's own, which must not be looked into.
        if entry == "--help" || entry == "-h" { throw CleanExit.helpRequest(self) }
        if entry.hasPrefix("-"), entry != "-" { throw ValidationError("Unknown option '\(entry)'") }
        var flags = options.flags(entry: entry)
        flags.isRun = true
        flags.folders = folders
        let configured = try options.configure(flags)
        for folder in configured.value.worker.folders where !Machine.isFolder(folder.host) {
            throw ValidationError("--dir \(folder.host): there is no such folder")
        }
        var settings = RunSettings(
            configuration: configured.value, entry: entry, arguments: Array(program.dropFirst()))
        settings.warnings = configured.warnings.map(\.description)
        settings.isQuiet = options.quiet
        AdminAccess.forgetToken()
        Run.run(settings).end()
    }
}
