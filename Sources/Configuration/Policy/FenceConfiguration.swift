/// The process fence around every worker: key `fence`. docs/fence.md.
public struct FenceConfiguration: Hashable, Sendable {
    public init() {}
}
