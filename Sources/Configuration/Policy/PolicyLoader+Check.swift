extension PolicyLoader {
    /// Files of own rules.
    private static let filesMax = 20

    mutating func readCheck(_ section: inout FileSection) {
        var check = CodeCheckConfiguration()
        var files: [String] = []
        section.section("check") { section in
            section.value("require", &check.isRequired, .bool)
            section.value("level", &check.level, .choice)
            section.value("suppressions", &check.allowsSuppressions, .bool)
            section.list("rules", &files, .path)
            Self.checkCount(files.count, Self.filesMax, "rules", section)
            for file in files.prefix(Self.filesMax) {
                let path = absolute(file)
                check.files.append(path)
                switch section.loading.read(file: path) {
                case .failed(let reason): section.error("rules", "the file \"\(path.shown)\" cannot be read: \(reason)")
                case .bytes(let bytes):
                    let problems = CodeRulesFile.load(
                        PipelineConfiguration.File(name: file, bytes: bytes), environment: section.loading.environment,
                        into: &check)
                    section.loading.merge(problems)
                }
            }
        }
        configuration.check = check
    }
}
