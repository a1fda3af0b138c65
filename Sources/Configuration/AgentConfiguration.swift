/// What the agent needs to know, its workers' part included.
public struct AgentConfiguration: Hashable, Sendable {
    public static let isolatesMax = 64

    public var worker: WorkerConfiguration
    /// None when `OTEL_SDK_DISABLED` is set.
    public var exporters: [ExporterConfiguration] = []
    public var storeDirectory = ".sidelight/"
    /// Nil: no admin port is wanted.
    public var admin: HostPort? = HostPort(host: "127.0.0.1", port: 9464)
    /// Whether the place was asked for. `run` opens the port only then, and `serve` can go without it only if not.
    public var isAdminGiven = false
    public var common = CommonConfiguration()
    /// Where the files of the admin port's TLS stand, if a file names them.
    public var adminTLS: TLSSetting?
    public var listen = ListenAddress.tcp(HostPort(host: "127.0.0.1", port: 8080))
    public var isolates = 1
    /// Nil: plain HTTP.
    public var tls: TLSFiles?
    /// When `scheduled` of the workload is called.
    public var crons: [CronExpression] = []
    /// How long requests in flight may take after the end was asked for, nanoseconds.
    public var shutdownNanoseconds: UInt64 = 10_000_000_000
    /// How long a worker may take until it serves, nanoseconds.
    public var startNanoseconds: UInt64 = 30_000_000_000
    /// How often metrics are exported, nanoseconds.
    public var metricNanoseconds: UInt64 = 60_000_000_000
    /// What the workload may do.
    public var policy = PolicyConfiguration()
    /// Globs of files to tail.
    public var logs: [String] = []
    public var logLevel = LogLevel.warning
    public var isJSON = false
    /// How long the end of a run waits for backends, nanoseconds; nil: the agent's own times.
    public var flushNanoseconds: UInt64?

    public init(worker: WorkerConfiguration) { self.worker = worker }

    /// Reads it from flags, environment and a file, finding all errors at once.
    /// - Parameters:
    ///   - file: Nil: there is none.
    ///   - folder: Absolute; where the command was started.
    ///   - readFile: Reads a policy, or a file that holds a secret.
    public static func parse(
        _ flags: FlagValues, environment variables: [String: String], file: PipelineConfiguration.File? = nil,
        folder: String = "/",
        readFile: @escaping (String) -> PipelineConfiguration.FileText = { _ in .failed("no file is read") }
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        let environment = Environment(variables)
        var flags = flags
        let read = WorkloadFile(file, &flags, variables, folder: folder, readFile: readFile)
        var problems = read.problems
        var configuration = AgentConfiguration(worker: WorkerConfiguration.parse(flags, environment, &problems))
        var parser = ExporterParser(environment: environment, problems: problems)
        let exporters = parser.parse(flags: flags.exports, isJSON: flags.isJSON)
        problems = parser.problems
        configuration.exporters = configuration.worker.isDisabled ? [] : exporters
        configuration.readPlaces(flags, &problems)
        configuration.readServing(flags, &problems)
        if let interval = environment.integer("OTEL_METRIC_EXPORT_INTERVAL", in: 1...Int(Int32.max), &problems) {
            configuration.metricNanoseconds = UInt64(interval) * 1_000_000
        }
        configuration.common = read.common
        configuration.adminTLS = read.tls
        if configuration.isAdminGiven, let admin = configuration.admin,
            let refusal = read.common.security.refusal(of: admin, .admin)
        {
            problems.error("--admin", refusal)
        }
        configuration.worker.resolve = read.common.discovery.resolve
        configuration.logs = flags.logs
        configuration.policy = read.policy
        if flags.isAudited {
            // Without a policy it is told what the strictest would refuse.
            if read.policy.source == nil { configuration.policy = PolicyConfiguration(base: .strict) }
            configuration.policy.policy.isAudited = true
        }
        configuration.policy.signature.require(flags.requiredSignatures, &problems)
        configuration.worker.apply(configuration.policy)
        configuration.worker.limits = read.policy.effectiveLimits(given: configuration.worker.limits)
        configuration.worker.check.isAudited = flags.isAudited
        configuration.isJSON = flags.isJSON
        configuration.logLevel = LogLevel.parse(flag: flags.logLevel, environment, &problems)
        return problems.result(configuration).mapError { errors in
            var errors = errors
            errors.tls = read.tls
            return errors
        }
    }

    private mutating func readPlaces(_ flags: FlagValues, _ problems: inout Problems) {
        if let text = flags.store {
            if text.isEmpty { problems.error("--store", "the directory's name is empty") }
            storeDirectory = text
        }
        if let text = flags.admin {
            isAdminGiven = true
            admin = text == "off" ? nil : Self.place(text, "--admin", example: "127.0.0.1:9464", &problems)
        }
        if let text = flags.flushTimeout {
            flushNanoseconds = Units.nanoseconds(text)
            if flushNanoseconds == nil { problems.error("--flush-timeout", "\"\(text)\" is not a time such as 30s") }
        }
    }

    private mutating func readServing(_ flags: FlagValues, _ problems: inout Problems) {
        if let text = flags.listen {
            if let address = ListenAddress(parsing: text) {
                listen = address
            } else {
                problems.error(
                    "--listen", "\"\(text)\" is not HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080, or unix:PATH")
            }
        }
        if let text = flags.isolates {
            if let count = Units.count(text), count <= Self.isolatesMax {
                isolates = count
            } else {
                problems.error("--isolates", "\"\(text)\" is not a whole number from 1 to \(Self.isolatesMax)")
            }
        }
        readTLS(flags, &problems)
        if let text = flags.shutdownTimeout {
            if let time = Units.nanoseconds(text) {
                shutdownNanoseconds = time
            } else {
                problems.error("--shutdown-timeout", "\"\(text)\" is not a time such as 10s")
            }
        }
        if let text = flags.startTimeout {
            if let time = Units.nanoseconds(text) {
                startNanoseconds = time
            } else {
                problems.error("--start-timeout", "\"\(text)\" is not a time such as 30s")
            }
        }
        for text in flags.crons {
            do {
                crons.append(try CronExpression(parsing: text))
            } catch {
                problems.error("--cron \"\(text)\"", error.message)
            }
        }
    }

    private mutating func readTLS(_ flags: FlagValues, _ problems: inout Problems) {
        for (flag, path) in [("--tls-cert", flags.tlsCertificate), ("--tls-key", flags.tlsKey)] where path == "" {
            problems.error(flag, "the file's name is empty")
        }
        switch (flags.tlsCertificate, flags.tlsKey) {
        case (let certificate?, let key?): tls = TLSFiles(certificate: certificate, key: key)
        case (_?, nil): problems.error("--tls-cert", "--tls-key is missing: both are needed")
        case (nil, _?): problems.error("--tls-key", "--tls-cert is missing: both are needed")
        case (nil, nil): break
        }
    }

    private static func place(_ text: String, _ flag: String, example: String, _ problems: inout Problems) -> HostPort?
    {
        let place = HostPort(parsing: text)
        if place == nil { problems.error(flag, "\"\(text)\" is not HOST:PORT, as in \(example) or [::1]:9464, or off") }
        return place
    }
}
