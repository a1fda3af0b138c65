/// What the code validator looks for, and what of it keeps a program from being run.
public struct CodeCheckConfiguration: Hashable, Sendable {
    public enum Level: String, Hashable, Sendable, CaseIterable {
        case note, warning, error
    }

    /// What matches the pattern is a finding.
    public struct OwnRule: Hashable, Sendable {
        public var id = ""
        public var pattern = ""
        public var message = ""
        public var level = Level.error
    }

    /// Own rules of all files together. Each is tried at each node.
    public static let ownRulesMax = 200
    /// Names of globals, imports and rules in a list.
    public static let namesMax = 1_000

    /// Code is looked at before it runs; what has a finding of `level` or worse does not run.
    public var isRequired = false
    public var level = Level.error
    /// What would not run does run, and is told of.
    public var isAudited = false
    /// Files that own rules and the rest come from, absolute.
    public var files: [String] = []
    public var rules: [OwnRule] = []
    /// Names of the realm that are forbidden besides.
    public var globals: [String] = []
    public var imports: [String] = []
    /// Rules that are not asked.
    public var off: [String] = []
    /// Rules with another level than the standard.
    public var levels: [String: Level] = [:]
    /// Bytes of a file; nil: the standard.
    public var fileBytesMax: Int?
    /// Whether comments in the source suppress findings when the check is required: not unless asked for, for the source is whom it is against.
    public var allowsSuppressions = false

    public init() {}
}
