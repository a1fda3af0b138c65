/// The sections of the file that `agent`, `serve` and `run` have in common. docs/configuration.md.
public struct CommonConfiguration: Hashable, Sendable {
    public var resources = ResourcesConfiguration()
    public var health = HealthConfiguration()
    public var discovery = DiscoveryConfiguration()
    public var security = SecurityConfiguration()

    public init() {}
}
