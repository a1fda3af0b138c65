internal import Policy

/// Reads a policy file, or the key `policy` of another.
struct PolicyLoader {
    var configuration = PolicyConfiguration()
    /// Absolute; what the paths in the file are relative to.
    let folder: String

    /// Reads a file, finding all errors at once.
    /// - Parameter folder: Absolute; where the command was started.
    static func load(
        _ file: PipelineConfiguration.File, folder: String, environment: [String: String],
        readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) -> (configuration: PolicyConfiguration, problems: Problems) {
        let loading = FileLoading(
            fileName: file.name, environment: environment, hasProgram: { _ in true }, readFile: readFile)
        var loader = PolicyLoader(folder: Self.folder(of: file.name, in: folder))
        do throws(YAMLReader.Problem) {
            let read = try YAMLReader.read(file.bytes)
            for problem in read.problems { loading.error(problem.position, [], problem.message) }
            var section = FileSection(loading, read.root, path: [])
            loader.read(&section)
            section.finish()
        } catch {
            loading.error(error.position, [], error.message)
        }
        loader.configuration.source = file.name
        return (loader.configuration, loading.problems)
    }

    /// The folder that a file is in.
    static func folder(of file: String, in folder: String) -> String {
        let path = file.hasPrefix("/") ? file : "\(folder)/\(file)"
        return PathRules.normal(path + "/..")
    }

    /// - Parameter section: The whole policy.
    mutating func read(_ section: inout FileSection) {
        var base = Policy.Base.strict
        section.value("base", &base, .choice)
        let source = configuration.source
        configuration = PolicyConfiguration(base: base)
        configuration.source = source
        readNetwork(&section)
        readFiles(&section)
        readNames(&section)
        readCode(&section)
        readVolume(&section)
        readLimits(&section)
        configuration.fence.read(&section)
        readSignature(&section)
        readCheck(&section)
        readSecrets(&section)
    }

    private mutating func readCode(_ section: inout FileSection) {
        var policy = configuration.policy
        var isFrozen = configuration.freezesPrimordials
        section.section("code") { section in
            section.value("eval", &policy.allowsCode, .allowOrDeny)
            section.value("wasm", &policy.allowsWasm, .allowOrDeny)
            section.value("workers", &policy.allowsWorkers, .allowOrDeny)
            section.value("primordials", &isFrozen, .frozenOrOpen)
        }
        section.value("clock", &policy.clock, .choice)
        section.value("random", &policy.allowsRandom, .allowOrDeny)
        configuration.policy = policy
        configuration.freezesPrimordials = isFrozen
    }

    private mutating func readVolume(_ section: inout FileSection) {
        var volume = Policy.Volume()
        section.section("volume") { section in
            section.optional("logs-per-second", &volume.logsPerSecond, .count(1...1_000_000))
            section.optional("spans-per-second", &volume.spansPerSecond, .count(1...10_000_000))
        }
        configuration.policy.volume = volume
    }

    // MARK: Paths and names

    /// A path of the file, absolute.
    func absolute(_ path: String) -> String {
        PathRules.normal(path.hasPrefix("/") ? path : "\(folder)/\(path)")
    }

    private mutating func readFiles(_ section: inout FileSection) {
        var (read, write): ([String], [String]) = ([], [])
        var isGiven = (read: false, write: false)
        section.section("files") { section in
            section.list("read", &read, .rulePath)
            section.list("write", &write, .rulePath)
            isGiven = (section.has("read"), section.has("write"))
            Self.checkCount(read.count, PathRules.rulesMax, "read", section)
            Self.checkCount(write.count, PathRules.rulesMax, "write", section)
        }
        if isGiven.read { configuration.policy.read = PathRules(read.map(absolute), key: "files.read") }
        if isGiven.write { configuration.policy.write = PathRules(write.map(absolute), key: "files.write") }
    }

    private mutating func readNames(_ section: inout FileSection) {
        var environment: [String] = []
        section.list("environment", &environment, .ruleVariable)
        Self.checkCount(environment.count, NameRules.rulesMax, "environment", section)
        if section.has("environment") {
            configuration.policy.environment = NameRules(environment, key: "environment")
        }
        var modules: [String] = []
        section.list("modules", &modules, .ruleModule)
        Self.checkCount(modules.count, NameRules.rulesMax, "modules", section)
        if section.has("modules") {
            let isPath: (String) -> Bool = { $0.hasPrefix("/") || $0.hasPrefix(".") }
            for name in modules where !isPath(name) { Self.warn(ofModule: name, section) }
            configuration.policy.modules = ModuleRules(
                names: modules.filter { !isPath($0) },
                paths: modules.filter(isPath).map { absolute($0.hasSuffix("/**") ? String($0.dropLast(3)) : $0) },
                allowsOwn: false)
        }
        readCrypto(&section)
    }

    private mutating func readCrypto(_ section: inout FileSection) {
        var crypto: [String] = []
        section.list("crypto", &crypto, .ruleName)
        Self.checkCount(crypto.count, NameRules.rulesMax, "crypto", section)
        guard section.has("crypto") else { return }
        switch crypto {
        case ["allow"]: configuration.policy.crypto = nil
        case ["deny"]: configuration.policy.crypto = NameRules([], key: "crypto")
        default:
            if crypto.contains("allow") || crypto.contains("deny") {
                section.error("crypto", "either allow, or deny, or a list of algorithms")
            }
            for name in crypto where name != "allow" && name != "deny" { Self.warn(ofAlgorithm: name, section) }
            configuration.policy.crypto = NameRules(crypto, key: "crypto")
        }
    }

    static func checkCount(_ count: Int, _ max: Int, _ key: String, _ section: FileSection) {
        if count > max { section.error(key, "there are \(count) rules; at most \(max) are taken") }
    }
}

extension ScalarKind where Value == Bool {
    fileprivate static var allowOrDeny: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                switch text {
                case "allow": return true
                case "deny": return false
                default: throw WrongValue(notOneOf(["allow", "deny"], text))
                }
            },
            show: { $0 ? "allow" : "deny" })
    }

    fileprivate static var frozenOrOpen: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                switch text {
                case "frozen": return true
                case "open": return false
                default: throw WrongValue(notOneOf(["frozen", "open"], text))
                }
            },
            show: { $0 ? "frozen" : "open" })
    }
}

extension ScalarKind where Value == String {
    /// A file or folder, with all that is in it.
    fileprivate static var rulePath: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let path = try path.parse(text)
                guard path != "~", !path.hasPrefix("~/") else {
                    throw WrongValue("begins with a \"~\", which is no folder here: write it in full, or as ${HOME}")
                }
                let folder = path.hasSuffix("/**") ? String(path.dropLast(3)) : path
                guard !folder.contains("*") else {
                    throw WrongValue(
                        "has a \"*\": a folder stands for all that is in it, and nothing else can be left open")
                }
                return folder.isEmpty ? "/" : folder
            },
            show: { $0 })
    }

    /// A name, or the beginning of one and "*".
    fileprivate static var ruleName: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard (1...256).contains(text.utf8.count), !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
                else {
                    throw WrongValue("is no name: that has 1 to 256 bytes, and no space in it")
                }
                guard !text.dropLast().contains("*") else {
                    throw WrongValue("has a \"*\" that does not stand at its end")
                }
                return text
            },
            show: { $0 })
    }

    /// The same of a variable.
    fileprivate static var ruleVariable: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.contains("=") else {
                    throw WrongValue("has a \"=\": names are meant, and values are the environment's")
                }
                return try ruleName.parse(text)
            },
            show: { $0 })
    }

    /// The name of a module that is built in, or the path of files.
    fileprivate static var ruleModule: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.contains("://") else {
                    throw WrongValue("is a URL, and modules are loaded from files alone")
                }
                let isPath = ["/", ".", "~"].contains { text.hasPrefix($0) }
                return isPath ? try rulePath.parse(text) : try ruleName.parse(text)
            },
            show: { $0 })
    }
}
