/// What a workload needs leave for. The raw value is the attribute `sidelight.policy.permission`.
public enum Permission: String, Hashable, Sendable, CaseIterable {
    case network, read, write, environment, module
    /// `eval`, `Function`, timers that are given a string.
    case code
    case wasm, worker
    /// A clock of full precision, and memory shared between threads, which can be made one.
    case clock
    case random, crypto
    /// How much it logs and records.
    case volume
}
