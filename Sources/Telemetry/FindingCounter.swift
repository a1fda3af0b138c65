internal import CLinux

/// What a worker counts of its findings, in the header of its first ring: a cell each, which only grows, modulo 2^32. All isolates of the process add to the same
/// cells. Record-format.md section 1.
public struct FindingCounter: Hashable, Sendable {
    public let kind: Finding.Kind
    /// Of a permission, or of a limit.
    public let name: String
    /// Of its cell.
    let index: Int

    /// In the order of `Policy.Permission`.
    public static let permissions = [
        "network", "read", "write", "environment", "module", "code", "wasm", "worker", "clock", "random", "crypto",
        "volume",
    ]
    /// The first counts all limits that have no cell of their own.
    public static let limits = [
        "other", "cpu", "cpu-window", "wall", "heap", "memory", "stack", "loop-block", "requests", "subrequests",
        "fetches", "timers",
        "promises", "workers", "sockets", "response", "logs-per-second", "spans-per-second", "clone-bytes", "modules",
        "module-bytes", "wasm-memory", "resident",
    ]

    // Cells there is room for: 64.
    private static let auditsFirst = 16
    private static let limitsFirst = 32

    public static let all: [FindingCounter] =
        permissions.enumerated().map { FindingCounter(kind: .violation, name: $1, index: $0) }
        + permissions.enumerated().map { FindingCounter(kind: .audit, name: $1, index: auditsFirst + $0) }
        + limits.enumerated().map { FindingCounter(kind: .limit, name: $1, index: limitsFirst + $0) }

    /// Nil when there is no such permission. A limit without a cell of its own is counted as `other`.
    public init?(_ kind: Finding.Kind, _ name: String) {
        let known = Self.all.first { $0.kind == kind && $0.name == name }
        guard let counter = known ?? (kind == .limit ? Self.all.first { $0.kind == .limit } : nil) else { return nil }
        self = counter
    }

    private init(kind: Finding.Kind, name: String, index: Int) {
        self.kind = kind
        self.name = name
        self.index = index
    }
}

extension RingMapping {
    /// How often so far.
    public func count(of counter: FindingCounter) -> UInt32 { load(Cell.findings + 4 * counter.index) }

    /// Any thread. Worker side.
    public func add(_ counter: FindingCounter) { sl_add_u32(baseAddress + Cell.findings + 4 * counter.index, 1) }
}
