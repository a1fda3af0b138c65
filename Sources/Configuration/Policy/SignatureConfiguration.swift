/// Which signed bundles are run: key `signature`. docs/bundles.md.
public struct SignatureConfiguration: Hashable, Sendable {
    public init() {}
}
