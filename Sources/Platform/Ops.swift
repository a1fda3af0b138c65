public import Engine

/// The native functions of the platform, by concept; one file each.
public enum PlatformOps {
    /// In the order they are registered, which a snapshot depends on.
    public static let all: [Op] =
        output + run + timers + fetch + encoding + clone + machine + sources + ring + http + compression + crypto + keys
        + messages
        + wasm + wasi + webSocket + policy

    /// Registers them with V8; once, before the first isolate.
    public static func register() { Op.register(all) }
}
