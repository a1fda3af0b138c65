/// What a configuration file says to `serve` and `run`: the sections that all commands have in common, and a few keys that are flags, too. What belongs to `agent` alone is
/// left to it, so that one file can serve both.
struct WorkloadFile {
    private static let agentKeys = [
        "memory", "redact", "receivers", "log-files", "queue", "processors", "exporters", "pipelines",
    ]

    var common = CommonConfiguration()
    private(set) var policy = PolicyConfiguration()
    private(set) var problems = Problems()
    /// The files of TLS, as far as they could be read of the file.
    private(set) var tls: TLSSetting?

    /// Finds all errors at once.
    /// - Parameters:
    ///   - file: Nil: there is none, and the flags alone say it.
    ///   - folder: Absolute; where the command was started.
    ///   - flags: Gets what the file says where neither the command line nor the environment does.
    init(
        _ file: PipelineConfiguration.File?, _ flags: inout FlagValues, _ environment: [String: String],
        folder: String, readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) {
        let loading = FileLoading(
            fileName: file?.name ?? "", environment: environment, hasProgram: { _ in true }, readFile: readFile)
        var root: YAMLNode?
        if let file {
            do throws(YAMLReader.Problem) {
                let read = try YAMLReader.read(file.bytes)
                root = read.root
                for problem in read.problems { loading.error(problem.position, [], problem.message) }
            } catch {
                loading.error(error.position, [], error.message)
                problems = loading.problems
                return
            }
        }
        var section = FileSection(loading, root, path: [])
        Self.read(&flags, &section, environment)
        var loader = CommonLoader()
        loader.read(&section, flags)
        common = loader.configuration
        policy = PolicyLoader.read(flag: flags.policy, &section, folder: folder, readFile: readFile)
        for key in Self.agentKeys where section.has(key) {
            _ = section.node(key)
            section.warning(key, "only `sidelight agent` reads it; `serve` and `run` do not")
        }
        section.finish()
        tls = loading.tls
        for problem in loading.problems.errors.inOrder { problems.error(problem) }
        for problem in loading.problems.warnings.inOrder { problems.warning(problem) }
    }

    private static func read(_ flags: inout FlagValues, _ section: inout FileSection, _ environment: [String: String]) {
        let isNamed =
            environment["OTEL_SERVICE_NAME"]?.isEmpty == false
            || environment["OTEL_RESOURCE_ATTRIBUTES"]?.contains("service.name=") == true
        var (service, level): (String?, LogLevel?) = (nil, nil)
        section.optional("service", &service, .text)
        if !isNamed, flags.service == nil { flags.service = service }
        section.optional("log-level", &level, .logLevel)
        if environment["OTEL_LOG_LEVEL"]?.isEmpty != false, flags.logLevel == nil {
            flags.logLevel = level.map { "\($0)" }
        }
        var admin: HostPort?
        section.value("admin", &admin, .placeOrOff(example: "127.0.0.1:9464"))
        if flags.admin == nil, section.has("admin") { flags.admin = admin?.description ?? "off" }
        var directory: String?
        section.section("store", shorthand: "directory") { section in
            section.optional("directory", &directory, .path)
            // Of the agent's store.
            for key in ["bytes", "age", "word-index"] { _ = section.node(key) }
        }
        if flags.store == nil { flags.store = directory }
    }
}
