/// Secrets that the program sees as variables: key `secrets`. docs/secrets.md.
public struct SecretsConfiguration: Hashable, Sendable {
    public var sources: [SecretSource] = []

    public init() {}
}
