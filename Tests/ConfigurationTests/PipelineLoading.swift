@testable import Configuration

/// Loads a text as the file "f.yaml".
struct PipelineLoading {
    var flags = FlagValues()
    var environment: [String: String] = [:]
    /// Files with secrets.
    var files: [String: String] = [:]
    /// On the machine; nil: all.
    var programs: Set<String>?

    func callAsFunction(_ text: String?) -> Result<Configured<PipelineConfiguration.Loaded>, ConfigurationErrors> {
        let file = text.map { PipelineConfiguration.File(name: "f.yaml", bytes: Array($0.utf8)) }
        return PipelineConfiguration.load(
            flags, environment: environment, file: file, hasProgram: { [programs] in programs?.contains($0) ?? true }
        ) { [files] path in
            files[path].map { .bytes(Array($0.utf8)) } ?? .failed("No such file or directory")
        }
    }

    func loaded(_ text: String?) throws -> PipelineConfiguration.Loaded { try self(text).get().value }

    func configuration(_ text: String?) throws -> PipelineConfiguration { try loaded(text).configuration }

    /// All that is wrong, one problem an element.
    func errors(_ text: String?) -> [String] {
        guard case .failure(let errors) = self(text) else { return [] }
        return errors.problems.map(\.description)
    }

    func warnings(_ text: String?) -> [String] {
        switch self(text) {
        case .success(let configured): configured.warnings.map(\.description)
        case .failure(let errors): errors.warnings.map(\.description)
        }
    }
}
