/// What a workload may use: `--limit NAME=VALUE`. Nil: the default of whoever enforces it.
public struct WorkloadLimits: Hashable, Sendable {
    /// CPU time of one request, or of a whole run. Nanoseconds.
    public var cpu: UInt64?
    /// Time by the clock of one request, or of a whole run. Nanoseconds.
    public var wall: UInt64?
    /// V8's heap, of each isolate. Bytes.
    public var heap: Int?
    /// Child `Worker`s at once, in each process; at most `workersMax`.
    public var workers: Int?

    /// As many as half the places of the rings' table.
    public static let workersMax = 256

    // Of `serve`.

    /// Of the head of a request. Bytes.
    public var headers: Int?
    /// Of the body of a request. Bytes.
    public var body: Int?
    /// From the first byte of a head to its last. Nanoseconds.
    public var headerTimeout: UInt64?
    /// Of a connection between two requests. Nanoseconds.
    public var idle: UInt64?
    /// From the head to the last byte of the response. Nanoseconds; 0: none.
    public var requestTimeout: UInt64?
    /// Open at once, in each isolate.
    public var connections: Int?

    public init() {}

    private enum Name: String, CaseIterable {
        case cpu, wall, heap, workers, headers, body
        case headerTimeout = "header-timeout"
        case idle
        case requestTimeout = "request-timeout"
        case connections

        var example: String {
            switch self {
            case .cpu: "a time such as 500ms"
            case .wall: "a time such as 2s"
            case .heap: "a size such as 64MB"
            case .workers: "a whole number such as 16, at most \(workersMax)"
            case .headers: "a size such as 32KB"
            case .body: "a size such as 100MB"
            case .headerTimeout: "a time such as 10s"
            case .idle: "a time such as 60s"
            case .requestTimeout: "a time such as 30s, or none"
            case .connections: "a whole number such as 10000"
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
        case .workers: stored(Units.count(text).flatMap { $0 <= Self.workersMax ? $0 : nil }, \.workers)
        case .headers: stored(Units.bytes(text), \.headers)
        case .body: stored(Units.bytes(text), \.body)
        case .headerTimeout: stored(Units.nanoseconds(text), \.headerTimeout)
        case .idle: stored(Units.nanoseconds(text), \.idle)
        case .requestTimeout:
            stored(text == "none" || text == "0" ? 0 : Units.nanoseconds(text), \.requestTimeout)
        case .connections: stored(Units.count(text), \.connections)
        }
    }
}
