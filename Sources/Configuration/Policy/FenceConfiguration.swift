public import Telemetry

/// The fence around a worker's process: what the kernel refuses it, whatever its code does. docs/fence.md
public struct FenceConfiguration: Hashable, Sendable {
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// As much of it as the kernel has.
        case on
        case off
    }

    /// A namespace that the worker has for itself.
    public enum Namespace: String, CaseIterable, Hashable, Sendable {
        /// No network but the socket it serves on.
        case net
        case ipc
        /// No other process has a number there.
        case pid
    }

    public var mode = Mode.on
    /// Without these no worker is started.
    public var require: [FenceLayer] = []
    /// Whom it runs as: a user's name, or a number. Nil: as the agent does.
    public var user: String?
    public var namespaces: [Namespace] = []
    /// Open at once.
    public var descriptorsMax = 65_536

    /// It needs some tens itself.
    public static let descriptorsBounds = 64...1_048_576

    public static let off = FenceConfiguration(mode: .off)

    public init(mode: Mode = .on) { self.mode = mode }
}
