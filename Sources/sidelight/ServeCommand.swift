import Agent
import ArgumentParser
import Configuration
import Linux

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve HTTP with a Fetch-handler module; every request is traced.",
        usage: "sidelight serve [OPTIONS] ENTRY",
        discussion: """
            ENTRY's default export has fetch(request, env, ctx), and scheduled(event, env, ctx) if it likes. A worker that dies is \
            started again; the socket stays open meanwhile, so nobody is refused.

            EXAMPLES
              sidelight serve app.js
              sidelight serve --listen 0.0.0.0:80 --isolates 4 app.js
              sidelight serve --watch --export otlp=http://127.0.0.1:4318 app.js

            LIMITS
              heap=64MB            V8's heap               header-timeout=10s
              cpu=500ms, wall=2s   of one turn           idle=60s
              headers=32KB         of a request            request-timeout=none
              body=100MB           of a request            connections=10000
              workers=16           child Workers

            SIGNALS
              SIGTERM, SIGINT  finish what is in flight, then end; again: end at once
              SIGHUP           start ENTRY's code as it is now, and drop no request

            EXIT CODES
              0  ended when asked to           2  usage, configuration, address
              1  ENTRY failed at the start, or requests were cut off at the end
              3  refused by policy    4  limit exceeded    70  internal error
            """)

    @Option(
        help: ArgumentHelp(
            "Where to listen (default: 127.0.0.1:8080); port 0: any; or unix:PATH.", valueName: "HOST:PORT"))
    var listen: String?

    @Option(help: ArgumentHelp("Worker processes, from 1 to 64, each with an isolate (default: 1).", valueName: "N"))
    var isolates: String?

    @Flag(help: "Reload when a code file in ENTRY's folder or below changes (not in node_modules).")
    var watch = false

    @Option(
        name: .customLong("cron"),
        help: ArgumentHelp("When to call scheduled, in UTC, as in \"*/5 * * * *\". Repeatable.", valueName: "EXPR"))
    var crons: [String] = []

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

    @Option(name: .customLong("limit"), help: ArgumentHelp("See LIMITS. Repeatable.", valueName: "NAME=VALUE"))
    var limits: [String] = []

    @Option(help: ArgumentHelp("How long requests in flight may take at the end (default: 10s).", valueName: "TIME"))
    var shutdownTimeout: String?

    @Option(help: ArgumentHelp("How long to wait for backends at the end (default: 5s).", valueName: "TIME"))
    var flushTimeout: String?

    @Option(
        help: ArgumentHelp(
            "Profile what keeps the event loop longer than this; the stacks go on the request's span (default: never).",
            valueName: "TIME"))
    var profileSlow: String?

    @Flag(name: .customLong("heap-snapshot-on-oom"), help: "Keep a heap snapshot of a worker that reaches its heap limit.")
    var heapSnapshotOnOOM = false

    @Option(help: ArgumentHelp("How much to say on stderr (default: warning).", valueName: "L"))
    var logLevel: String?

    @Flag(help: "Say when it serves, and at the end what was received and exported, as JSON lines on stderr.")
    var json = false

    @Flag(name: .shortAndLong, help: "No messages but errors.")
    var quiet = false

    @Argument(help: ArgumentHelp("The module.", valueName: "ENTRY"))
    var entry: String

    func run() throws {
        var flags = FlagValues()
        flags.service = service
        flags.store = store
        flags.exports = exports
        flags.listen = listen
        flags.isolates = isolates
        flags.crons = crons
        flags.limits = limits
        flags.logLevel = logLevel
        flags.isJSON = json
        flags.shutdownTimeout = shutdownTimeout
        flags.flushTimeout = flushTimeout
        flags.profileSlow = profileSlow
        flags.snapshotsHeap = heapSnapshotOnOOM
        flags.entry = entry
        if entry.isEmpty { throw ValidationError("ENTRY is empty") }
        let configured: Configured<AgentConfiguration>
        switch AgentConfiguration.parse(flags, environment: Machine.environment) {
        case .success(let value): configured = value
        case .failure(let errors): throw ValidationError("\(errors)")
        }
        if let store, let reason = Machine.reasonNotWritable(folder: store) {
            throw ValidationError("--store \(store): cannot be written: \(reason)")
        }
        var settings = ServeSettings(configuration: configured.value, entry: entry)
        settings.isWatching = watch
        settings.warnings = configured.warnings.map(\.description)
        settings.isQuiet = quiet
        Serve.run(settings).end()
    }
}
