public import Policy

/// What a policy file says, or `--policy strict`, or nobody. docs/policy.md.
public struct PolicyConfiguration: Hashable, Sendable {
    /// What decides.
    public var policy = Policy.standard
    /// As it was named: a file, "strict", "trusted"; nil: there is none.
    public var source: String?
    /// Those that `--limit` does not give.
    public var limits = WorkloadLimits()
    public var fence = FenceConfiguration()
    public var signature = SignatureConfiguration()
    public var check = CodeCheckConfiguration()
    public var secrets = SecretsConfiguration()
    /// Whether the program finds the globals and what they are made of frozen.
    public var freezesPrimordials = false

    public init() {}

    /// Reads a policy by its name, finding all errors at once.
    /// - Parameters:
    ///   - name: A file, or one of those that are built in.
    ///   - folder: Absolute; where the command was started.
    public static func load(
        _ name: String, folder: String, environment: [String: String],
        readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) -> (configuration: PolicyConfiguration, errors: [ConfigurationProblem], warnings: [ConfigurationProblem]) {
        let loading = FileLoading(
            fileName: name, environment: environment, hasProgram: { _ in true }, readFile: readFile)
        var configuration = PolicyConfiguration()
        switch PolicyLoader.named(name, folder: folder, loading, readFile: readFile) {
        case .success(let read): configuration = read
        case .failure(let problem): loading.error(.flag(name), [], problem.message)
        }
        return (configuration, loading.problems.errors.inOrder, loading.problems.warnings.inOrder)
    }

    /// Nothing but what a policy of this base says.
    public init(base: Policy.Base) {
        policy = Policy(base: base)
        source = base.rawValue
        freezesPrimordials = base == .strict
        if base == .trusted { fence = .off }
    }
}
