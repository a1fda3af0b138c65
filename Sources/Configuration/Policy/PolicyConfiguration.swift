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

    /// Nothing but what a policy of this base says.
    public init(base: Policy.Base) {
        policy = Policy(base: base)
        source = base.rawValue
        freezesPrimordials = base == .strict
        if base == .trusted { fence = .off }
    }
}
