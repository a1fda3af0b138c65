internal import Policy

extension PolicyLoader {
    /// What holds for a workload: what `--policy` says, or else the file of `-c`.
    /// - Parameters:
    ///   - flag: A file, "strict", "trusted" or "standard"; nil: it was not given.
    ///   - section: The whole file of `-c`.
    ///   - folder: Absolute; where the command was started.
    static func read(
        flag: String?, _ section: inout FileSection, folder: String,
        readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) -> PolicyConfiguration {
        var read = fromFile(&section, folder: folder, readFile: readFile)
        guard let flag else { return read }
        let loading = section.loading
        switch named(flag, folder: folder, loading, readFile: readFile) {
        case .success(let configuration): read = configuration
        case .failure(let problem): loading.error(.flag("--policy"), ["policy"], problem.message)
        }
        return read
    }

    private static func fromFile(
        _ section: inout FileSection, folder: String, readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) -> PolicyConfiguration {
        let loading = section.loading
        guard let node = section.node("policy") else { return PolicyConfiguration() }
        if case .mapping = node.value {
            var loader = PolicyLoader(folder: Self.folder(of: loading.fileName, in: folder))
            section.section("policy") { loader.read(&$0) }
            loader.configuration.source = loading.fileName
            return loader.configuration
        }
        var name: String?
        section.optional("policy", &name, .path)
        guard let name else { return PolicyConfiguration() }
        switch named(name, folder: folder, loading, readFile: readFile) {
        case .success(let configuration): return configuration
        case .failure(let problem):
            loading.error(node.position, ["policy"], problem.message)
            return PolicyConfiguration()
        }
    }

    /// The policy of this name: one of the three that are built in, or a file.
    static func named(
        _ name: String, folder: String, _ loading: FileLoading,
        readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) -> Result<PolicyConfiguration, WrongValue> {
        if let base = Policy.Base(rawValue: name) { return .success(PolicyConfiguration(base: base)) }
        guard !name.isEmpty else {
            return .failure(WrongValue("it is empty: name a policy file, or strict, standard or trusted"))
        }
        switch readFile(name) {
        case .failed(let reason):
            let nearest = Spelling.nearest(name, of: Policy.Base.allCases.map(\.rawValue))
            return .failure(
                WrongValue(
                    "the policy \"\(name.shown)\" cannot be read: \(reason)"
                        + (nearest.map { "; did you mean \($0)?" } ?? "")))
        case .bytes(let bytes):
            let loaded = load(
                PipelineConfiguration.File(name: name, bytes: bytes), folder: folder, environment: loading.environment,
                readFile: readFile)
            loading.merge(loaded.problems)
            return .success(loaded.configuration)
        }
    }
}
