/// `discovery` of the file: where services are found, and where this one is registered.
public struct DiscoveryConfiguration: Hashable, Sendable {
    public var register = RegisterConfiguration()
    public var resolve = ResolveConfiguration()

    public init() {}
}
