/// Whether a program has to be signed, and by whom: key `signature`. docs/bundles.md.
public struct SignatureConfiguration: Hashable, Sendable {
    public var isRequired = false
    /// Files of public keys, PEM.
    public var keys: [String] = []

    public init() {}

    /// What flags ask for comes on top of a policy.
    mutating func require(_ flags: [String], _ problems: inout Problems) {
        if flags.contains("") { problems.error("--require-signature", "the file's name is empty") }
        isRequired = isRequired || !flags.isEmpty
        keys += flags
    }
}
