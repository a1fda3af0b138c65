extension PipelineConfiguration {
    /// A configuration file as it was read.
    public struct File: Sendable {
        /// As it was named on the command line.
        public var name: String
        public var bytes: [UInt8]

        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// What became of a try to read a file with a secret.
    public enum FileText: Sendable {
        case bytes([UInt8])
        /// Why not, for people.
        case failed(String)
    }

    /// The configuration, and how it came about.
    public struct Loaded: Sendable {
        public var configuration: PipelineConfiguration
        /// Every setting with where it comes from.
        public var effective: EffectiveValue
        /// The files that secrets were read from: a change of one is a change of the configuration.
        public var secretFiles: [String]
        /// The scripts of processors, and where they stand.
        public var scripts: [ScriptSetting]
        /// The regular expressions, and where they stand.
        public var patterns: [PatternSetting]
        /// The files of TLS, and where they stand.
        public var tls: TLSSetting?
        /// Whether somebody asked for the place of the admin port; if not, the agent can go without it.
        public var isAdminGiven: Bool
    }

    /// Reads a file, with the environment and the flags over it, finding all errors at once; those of the file in its order.
    ///
    /// Bounded by `YAMLReader`'s limits on the file, whatever is in it.
    /// - Parameters:
    ///   - file: Nil: everything but flags and environment has its default.
    ///   - readFile: Reads a file that holds a secret; a relative name as on the command line.
    public static func load(
        _ flags: FlagValues, environment: [String: String], file: File?,
        hasProgram: @escaping (String) -> Bool = { _ in true }, readFile: @escaping (String) -> FileText
    ) -> Result<Configured<Loaded>, ConfigurationErrors> {
        let loading = FileLoading(
            fileName: file?.name ?? "", environment: environment, hasProgram: hasProgram, readFile: readFile)
        var root: YAMLNode?
        if let file {
            do throws(YAMLReader.Problem) {
                let read = try YAMLReader.read(file.bytes)
                root = read.root
                for problem in read.problems { loading.error(problem.position, [], problem.message) }
            } catch {
                loading.error(error.position, [], error.message)
                return loading.result(nil)
            }
        }
        var loader = PipelineLoader(flags: flags, loading: loading)
        let effective = loader.read(root)
        return loading.result(
            Loaded(
                configuration: loader.configuration, effective: effective, secretFiles: loading.secretFiles,
                scripts: loading.scripts, patterns: loading.patterns, tls: loading.tls,
                isAdminGiven: loader.places.admin != .standard))
    }
}

extension FileLoading {
    /// The value, or all that is wrong, in the order of the file.
    fileprivate func result(
        _ loaded: PipelineConfiguration.Loaded?
    ) -> Result<Configured<PipelineConfiguration.Loaded>, ConfigurationErrors> {
        let warnings = problems.warnings.inOrder
        guard problems.errors.isEmpty, let loaded else {
            var errors = problems.errors.inOrder
            if omittedErrors > 0 {
                errors.append(ConfigurationProblem(fileName, "and \(omittedErrors) more errors"))
            }
            return .failure(
                ConfigurationErrors(
                    problems: errors, warnings: warnings, scripts: scripts, patterns: patterns, tls: tls))
        }
        return .success(Configured(value: loaded, warnings: warnings))
    }
}

extension [ConfigurationProblem] {
    /// As in the file; what is not in it first.
    public var inOrder: [ConfigurationProblem] {
        enumerated().sorted { left, right in
            let places = [left, right].map {
                ($0.element.position?.line ?? 0, $0.element.position?.column ?? 0, $0.offset)
            }
            return places[0] < places[1]
        }.map(\.element)
    }
}

/// Makes a `PipelineConfiguration` of a file's tree.
struct PipelineLoader {
    static let receiversMax = 32
    static let exportersMax = 64
    static let processorsMax = 256
    static let pipelinesMax = 64

    /// What is where, for the checks that come last.
    struct Places {
        var admin = SettingOrigin.standard
        var store = SettingOrigin.standard
        var memory = SettingOrigin.standard
        var queueDirectory = SettingOrigin.standard
        /// By name: where each listens, and how large a body may be.
        var listens: [String: SettingOrigin] = [:]
        var bodies: [String: SettingOrigin] = [:]
        /// By name: where the name stands.
        var receivers: [String: SettingOrigin] = [:]
        var processors: [String: SettingOrigin] = [:]
        var exporters: [String: SettingOrigin] = [:]
        var urls: [String: SettingOrigin] = [:]
        var queues: [String: SettingOrigin] = [:]
        var queueBytes: [String: SettingOrigin] = [:]
        var batches: [String: SettingOrigin] = [:]
    }

    let flags: FlagValues
    let loading: FileLoading
    var configuration = PipelineConfiguration()
    var places = Places()
    /// Receivers that are there but do not listen. Pipelines may name them.
    var offReceivers: Set<String> = []
    /// Names that stand in the file but could not be read: that they are used is no further error.
    var brokenNames: Set<String> = []

    init(flags: FlagValues, loading: FileLoading) {
        self.flags = flags
        self.loading = loading
    }

    mutating func read(_ root: YAMLNode?) -> EffectiveValue {
        var section = FileSection(loading, root, path: [])
        section.value(
            "service", &configuration.service, .text, flag: ("--service", flags.service),
            environment: "OTEL_SERVICE_NAME")
        section.value(
            "log-level", &configuration.logLevel, .logLevel, flag: ("--log-level", flags.logLevel),
            environment: "OTEL_LOG_LEVEL")
        configuration.isJSON = flags.isJSON
        section.value(
            "admin", &configuration.admin, .placeOrOff(example: "127.0.0.1:9464"), flag: ("--admin", flags.admin))
        places.admin = section.origin(of: "admin")
        section.value("memory", &configuration.memoryBytesMax, .size(4 << 20...1 << 40))
        places.memory = section.origin(of: "memory")
        readStore(&section)
        section.value("redact", &configuration.redactsWellKnownKeys, .wellKnownOrOff)
        readReceivers(&section)
        readLogFilesLimits(&section)
        let queue = readQueue(&section)
        readProcessors(&section)
        readExporters(&section, queue)
        readPipelines(&section)
        var common = CommonLoader()
        common.read(&section, flags)
        configuration.common = common.configuration
        if section.has("policy") {
            _ = section.node("policy")
            section.warning("policy", "only `sidelight serve` and `run` read it; `agent` runs no program")
        }
        let effective = section.finish()
        check()
        return effective
    }

    private mutating func readStore(_ section: inout FileSection) {
        var store = configuration.store
        var directory: String? = store.directory
        let flag = ("--store", flags.store)
        section.section("store", shorthand: "directory") { section in
            section.value("directory", &directory, .pathOrOff, flag: flag)
            section.value("bytes", &store.bytesMax, .size(1 << 20...1 << 50))
            section.value("age", &store.ageNanosecondsMax, .time(60_000_000_000...36_500 * 86_400_000_000_000))
            section.value("word-index", &store.indexesWords, .bool)
            places.store = section.origin(of: "directory")
        }
        if let directory { store.directory = directory } else { store.isEnabled = false }
        configuration.store = store
    }

    // MARK: Queues

    private mutating func readQueue(_ section: inout FileSection) -> QueueDefaults {
        var queue = configuration.queue
        var acknowledgement = configuration.acknowledgement
        var origins: [String: SettingOrigin] = [:]
        section.section("queue") { section in
            Self.read(&queue, &section)
            section.value("ack", &acknowledgement, .choice)
            origins = section.allOrigins
        }
        configuration.queue = queue
        configuration.acknowledgement = acknowledgement
        places.queueDirectory = origins["directory"] ?? .standard
        return (queue, origins)
    }

    static func read(_ queue: inout QueueConfiguration, _ section: inout FileSection) {
        section.value("directory", &queue.directory, .path)
        section.value("bytes", &queue.bytesMax, .size(QueueConfiguration.bytesMin...1 << 50))
        section.value("age", &queue.ageNanosecondsMax, .time(1_000_000_000...3_650 * 86_400_000_000_000))
        section.value("sync", &queue.sync, .choice)
        section.value("sync-interval", &queue.syncIntervalNanoseconds, .time(1_000_000...3_600_000_000_000))
        if section.has("sync-interval"), queue.sync != .interval {
            section.warning(
                "sync-interval", "it means something only with `sync: interval`, and sync is \(queue.sync.rawValue)")
        }
        section.value("overflow", &queue.overflow, .choice)
    }

    // MARK: Receivers

    private mutating func readReceivers(_ section: inout FileSection) {
        var flagged = readReceiveFlags()
        var entries = section.named("receivers", countMax: Self.receiversMax) { name, position, node in
            if Self.isLogFiles(name) {
                return readLogFiles(name, node, position, flag: flagged.removeValue(forKey: name))
            }
            if let kind = Self.logInputKind(name) {
                return readLogInput(name, kind, node, position, flag: flagged.removeValue(forKey: name))
            }
            guard let kind = receiverKind(name, position) else { return nil }
            return readReceiver(name, kind, node, position, flag: flagged.removeValue(forKey: name))
        }
        if !section.has("receivers") {
            for kind in ReceiverConfiguration.Kind.allCases {
                let value = readReceiver(
                    kind.rawValue, kind, nil, nil, flag: flagged.removeValue(forKey: kind.rawValue))
                if let value { entries.append(EffectiveValue.Entry(key: kind.rawValue, value: value)) }
            }
        }
        let logs = LogFilesConfiguration.flagName
        if !flags.logs.isEmpty, !entries.contains(where: { $0.key == logs }),
            let value = readLogFiles(logs, nil, nil, flag: flagged.removeValue(forKey: logs))
        {
            entries.append(EffectiveValue.Entry(key: logs, value: value))
        }
        for (name, text) in flagged.sorted(by: { $0.key < $1.key }) {
            if Self.logInputKind(name) == .syslog {
                guard let value = readLogInput(name, .syslog, nil, nil, flag: text) else { continue }
                entries.append(EffectiveValue.Entry(key: name, value: value))
                continue
            }
            guard let kind = Self.kind(ofReceiver: name) else {
                if text == "off" {
                    offReceivers.insert(name)
                } else {
                    loading.error(
                        .flag("--receive \(name)=\(text)"), [],
                        "there is no \(name) in the file, and --logs names files")
                }
                continue
            }
            guard let value = readReceiver(name, kind, nil, nil, flag: text) else { continue }
            entries.append(EffectiveValue.Entry(key: name, value: value))
        }
        section.put("receivers", .mapping(entries))
    }

    /// By name, what `--receive` says about where it listens; the last one counts.
    private func readReceiveFlags() -> [String: String] {
        var places: [String: String] = [:]
        for flag in flags.receives {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                loading.error(
                    .flag("--receive \(flag)"), [], "expected NAME=HOST:PORT, as in otlp-http=0.0.0.0:4318, or NAME=off"
                )
                continue
            }
            guard
                Self.kind(ofReceiver: parts[0]) != nil || Self.isLogFiles(parts[0])
                    || Self.logInputKind(parts[0]) != nil
            else {
                loading.error(
                    .flag("--receive \(flag)"), [], "\"\(parts[0])\" \(notOneOf(Self.receiverKinds, parts[0]))")
                continue
            }
            places[parts[0]] = parts[1]
        }
        return places
    }

    /// "zipkin" and "zipkin/second" are of the kind zipkin.
    private static func kind(ofReceiver name: String) -> ReceiverConfiguration.Kind? {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = ReceiverConfiguration.Kind(rawValue: String(parts[0])) else { return nil }
        return parts.count == 1 || isName(parts[1]) ? kind : nil
    }

    private mutating func receiverKind(_ name: String, _ position: TextPosition) -> ReceiverConfiguration.Kind? {
        if let kind = Self.kind(ofReceiver: name) { return kind }
        brokenNames.insert("receivers." + name)
        let kinds = Self.receiverKinds
        let word = String(name.prefix { $0 != "/" })
        loading.error(
            position, ["receivers", name],
            kinds.contains(word)
                ? "a name after \"/\" has 1 to 64 letters, digits, \"-\", \"_\" and \".\""
                : "\"\(word.shown)\" \(notOneOf(kinds, word)); a second one of a kind is named as in otlp-http/second")
        return nil
    }

    private mutating func readReceiver(
        _ name: String, _ kind: ReceiverConfiguration.Kind, _ node: YAMLNode?, _ position: TextPosition?, flag: String?
    ) -> EffectiveValue? {
        var receiver = ReceiverConfiguration(name: name, kind: kind)
        var listen: HostPort? = receiver.listen
        // With little memory the default has to be less.
        receiver.bodyBytesMax = min(receiver.bodyBytesMax, configuration.memoryBytesMax / 4)
        var section = FileSection(loading, node, at: position, path: ["receivers", name], shorthand: "listen")
        section.value(
            "listen", &listen, .placeOrOff(example: receiver.listen.description), flag: ("--receive \(name)", flag))
        section.value("body-max", &receiver.bodyBytesMax, .size(1 << 10...1 << 30))
        if kind != .otlpGRPC { section.list("cors", &receiver.origins, .webOrigin) }
        let value = section.finish()
        guard let listen else {
            offReceivers.insert(name)
            return value
        }
        receiver.listen = listen
        configuration.receivers.append(receiver)
        places.receivers[name] = position.map { .file(loading.filePosition($0), through: []) } ?? .standard
        places.listens[name] = section.origin(of: "listen")
        places.bodies[name] = section.origin(of: "body-max")
        return value
    }

    /// Of receivers, processors, exporters and pipelines: what fits into a folder's name and a metric's label.
    static func isName(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}

extension ScalarKind where Value == HostPort? {
    static func placeOrOff(example: String) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if text == "off" || text == "false" { return nil }
                guard let place = HostPort(parsing: text) else {
                    throw WrongValue("is not HOST:PORT, as in \(example), or off")
                }
                return place
            },
            show: { $0?.description ?? "off" })
    }
}

extension ScalarKind where Value == String? {
    static var pathOrOff: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if text == "off" || text == "false" { return nil }
                return try ScalarKind<String>.path.parse(text)
            },
            show: { $0 ?? "off" })
    }
}

extension ScalarKind where Value == Bool {
    fileprivate static var wellKnownOrOff: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                switch text {
                case "well-known": return true
                case "off", "false": return false
                default: throw WrongValue(notOneOf(["well-known", "off"], text))
                }
            },
            show: { $0 ? "well-known" : "off" })
    }
}

extension ScalarKind where Value == String {
    /// What a browser sends as `Origin`, or "*". RFC 6454, section 7.
    fileprivate static var webOrigin: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if text == "*" { return text }
                guard let url = try? EndpointURL(parsing: text), url.path.isEmpty, url.query == nil else {
                    throw WrongValue("is no origin such as https://shop.example, and not \"*\"")
                }
                return text
            },
            show: { $0 })
    }
}
