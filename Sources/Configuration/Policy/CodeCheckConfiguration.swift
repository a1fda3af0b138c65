/// What is checked of the code before it runs: key `check`. docs/check-code.md.
public struct CodeCheckConfiguration: Hashable, Sendable {
    public init() {}
}
