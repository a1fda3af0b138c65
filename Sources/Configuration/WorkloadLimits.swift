/// What a workload may use: `--limit NAME=VALUE`. Nil: the default of whoever enforces it.
public struct WorkloadLimits: Hashable, Sendable {
    /// CPU time of one request, or of a whole run. Nanoseconds.
    public var cpu: UInt64?
    /// Time by the clock of one request, or of a whole run. Nanoseconds.
    public var wall: UInt64?
    /// V8's heap. Bytes.
    public var heap: Int?

    public init() {}

    private enum Name: String, CaseIterable {
        case cpu, wall, heap

        var example: String {
            switch self {
            case .cpu: "a time such as 500ms"
            case .wall: "a time such as 2s"
            case .heap: "a size such as 64MB"
            }
        }
    }

    static func parse(_ flags: [String], _ problems: inout Problems) -> WorkloadLimits {
        var limits = WorkloadLimits()
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).trimmed
            }
            guard parts.count == 2 else {
                problems.error("--limit \(flag)", "expected NAME=VALUE, as in cpu=500ms")
                continue
            }
            guard let name = Name(rawValue: parts[0]) else {
                let names = Name.allCases.map(\.rawValue).joined(separator: ", ")
                problems.error("--limit \(flag)", "there is no limit \"\(parts[0])\"; there are \(names)")
                continue
            }
            if !limits.set(name, parts[1]) {
                problems.error("--limit \(flag)", "\"\(parts[1])\" is not \(name.example)")
            }
        }
        return limits
    }

    /// False when the text is no value for this limit.
    private mutating func set(_ name: Name, _ text: String) -> Bool {
        func stored<Value>(_ value: Value?, _ path: WritableKeyPath<WorkloadLimits, Value?>) -> Bool {
            if let value { self[keyPath: path] = value }
            return value != nil
        }
        return switch name {
        case .cpu: stored(Units.nanoseconds(text), \.cpu)
        case .wall: stored(Units.nanoseconds(text), \.wall)
        case .heap: stored(Units.bytes(text), \.heap)
        }
    }
}
