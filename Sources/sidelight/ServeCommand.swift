import Agent
import ArgumentParser
import Configuration

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve HTTP with a Fetch-handler module; every request is traced.",
        usage: "sidelight serve [OPTIONS] ENTRY",
        discussion: """
            ENTRY's default export has fetch(request, env, ctx), and scheduled(event, env, ctx) and health(env, ctx) if it likes. A worker that dies is \
            started again; the socket stays open meanwhile, so nobody is refused.

            EXAMPLES
              sidelight serve app.js
              sidelight serve --listen 0.0.0.0:80 --isolates 4 app.js
              sidelight serve --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem app.js
              sidelight serve --register consul --register file-sd=/etc/prometheus/app.json app.js
              sidelight serve --policy shop.yaml --limit cpu=50ms --limit heap=64MB app.js
              sidelight serve --policy strict --audit app.js
              sidelight serve --require-signature shop.pub.pem app.js
              sidelight serve --watch --export otlp=http://127.0.0.1:4318 app.js

            LIMITS (docs/limits.md says what each means)
              of a request     cpu=500ms  wall=2s  subrequests=N  response=10MB  body=100MB  headers=32KB
                               header-timeout=10s  request-timeout=none
              of an isolate    heap=64MB  memory=128MB  wasm-memory=256MB  stack=1MB  cpu-window=50%/10s
                               loop-block=200ms  requests=N  promises=N  timers=N  workers=16  sockets=N  fetches=N
                               modules=N  module-bytes=10MB  clone-bytes=1MB  logs-per-second=N  spans-per-second=N
              of connections   connections=10000  idle=60s
              of the process   resident=512MB

            SIGNALS
              SIGTERM, SIGINT  finish what is in flight, then end; again: end at once
              SIGHUP           start ENTRY's code, under the policy, and with the certificates and tokens as they are now; drop no request

            EXIT CODES
              0  ended when asked to           2  usage, configuration, address
              1  ENTRY failed at the start, or requests were cut off at the end
              3  refused by policy    4  limit exceeded    70  internal error
            """)

    @Option(
        help: ArgumentHelp(
            "Where to listen (default: 127.0.0.1:8080); port 0: any; or unix:PATH.", valueName: "HOST:PORT"))
    var listen: String?

    @Option(
        name: .customLong("tls-cert"),
        help: ArgumentHelp(
            "Serve HTTPS: the certificate in PEM, then those that lead to the root. Needs --tls-key.",
            valueName: "FILE"))
    var tlsCertificate: String?

    @Option(
        name: .customLong("tls-key"),
        help: ArgumentHelp("Its private key in PEM, without a passphrase: RSA, ECDSA or Ed25519.", valueName: "FILE"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("Worker processes, from 1 to 64, each with an isolate (default: 1).", valueName: "N"))
    var isolates: String?

    @Flag(help: "Reload when a code file in ENTRY's folder or below changes (not in node_modules).")
    var watch = false

    @Option(
        name: .customLong("cron"),
        help: ArgumentHelp("When to call scheduled, in UTC, as in \"*/5 * * * *\". Repeatable.", valueName: "EXPR"))
    var crons: [String] = []

    @Option(help: ArgumentHelp("How long requests in flight may take at the end (default: 10s).", valueName: "TIME"))
    var shutdownTimeout: String?

    @Option(
        help: ArgumentHelp(
            "How long a worker may take until it serves; then it is killed (default: 30s).", valueName: "TIME"))
    var startTimeout: String?

    @Option(
        help: ArgumentHelp(
            "Profile what keeps the event loop longer than this; the stacks go on the request's span (default: never).",
            valueName: "TIME"))
    var profileSlow: String?

    @Option(
        name: .customLong("register"),
        help: ArgumentHelp(
            "Make it known while it serves: consul[=URL], etcd[=URL,URL], dns-sd[=TYPE] or file-sd=FILE (for Prometheus). Repeatable.",
            valueName: "KIND[=VALUE]"))
    var registers: [String] = []

    @OptionGroup var options: WorkloadOptions

    @Argument(help: ArgumentHelp("The module.", valueName: "ENTRY"))
    var entry: String?

    func run() throws {
        guard let entry, !entry.isEmpty else {
            throw ValidationError("ENTRY is missing: which module is to be served? As in `sidelight serve app.js`")
        }
        var flags = options.flags(entry: entry)
        flags.listen = listen
        flags.isolates = isolates
        flags.tlsCertificate = tlsCertificate
        flags.tlsKey = tlsKey
        flags.crons = crons
        flags.shutdownTimeout = shutdownTimeout
        flags.startTimeout = startTimeout
        flags.profileSlow = profileSlow
        flags.registers = registers
        let configured = try options.configure(flags)
        var settings = ServeSettings(configuration: configured.value, entry: entry)
        settings.isWatching = watch
        settings.readAgain = options.again(flags)
        settings.warnings = configured.warnings.map(\.description)
        settings.isQuiet = options.quiet
        AdminAccess.forgetToken()
        Serve.run(settings).end()
    }
}
