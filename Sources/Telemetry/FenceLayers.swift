/// A part of the fence around a worker's process. docs/fence.md
public enum FenceLayer: String, CaseIterable, Hashable, Sendable {
    /// System calls.
    case seccomp
    /// Files.
    case landlock
    /// TCP: no port is listened on, and none connected to but those that the policy names, where it names them.
    case landlockTCP = "landlock-tcp"
    /// No signals to other processes, and no abstract sockets.
    case landlockScopes = "landlock-scopes"
    case capabilities
    /// Resource limits.
    case limits
    /// None but those that the worker was given.
    case descriptors
    /// Another user than the agent.
    case user
    /// A network of its own, which is none.
    case net
    /// Queues and shared memory of its own.
    case ipc
    /// Processes of its own: it is the only one.
    case pid
}

/// Some of them; how a worker tells which it has.
public struct FenceLayers: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public init(_ layers: some Sequence<FenceLayer>) {
        self.init(rawValue: layers.reduce(0) { $0 | 1 << Self.bit($1) })
    }

    public func contains(_ layer: FenceLayer) -> Bool { rawValue >> Self.bit(layer) & 1 != 0 }
    public mutating func insert(_ layer: FenceLayer) { formUnion(FenceLayers([layer])) }

    /// In the order of `FenceLayer`.
    public var layers: [FenceLayer] { FenceLayer.allCases.filter(contains) }

    private static func bit(_ layer: FenceLayer) -> Int { FenceLayer.allCases.firstIndex(of: layer)! }
}
