/// What a workload may use: `--limit NAME=VALUE`. Nil: the default of whoever enforces it.
public struct WorkloadLimits: Hashable, Sendable {
    /// CPU time of one request, or of a whole run. Nanoseconds.
    public var cpu: UInt64?
    /// Time by the clock of one request, or of a whole run. Nanoseconds.
    public var wall: UInt64?
    /// V8's heap. Bytes.
    public var heap: Int?
    /// A memory of WebAssembly. Bytes.
    public var wasmMemory: Int?
    /// Child `Worker`s at once, in each process.
    public var workers: Int?

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
        case cpu, wall, heap
        case wasmMemory = "wasm-memory"
        case workers, headers, body
        case headerTimeout = "header-timeout"
        case idle
        case requestTimeout = "request-timeout"
        case connections

        /// Whether only `serve` has it.
        var isOfServing: Bool {
            switch self {
            case .cpu, .wall, .heap, .wasmMemory, .workers: false
            case .headers, .body, .headerTimeout, .idle, .requestTimeout, .connections: true
            }
        }

        /// What it may be, in nanoseconds, bytes or pieces.
        var bounds: ClosedRange<UInt64> {
            switch self {
            case .cpu, .wall, .headerTimeout, .idle, .requestTimeout: 1_000_000...8_760 * 3_600_000_000_000
            // With less V8 does not start.
            case .heap: 4 << 20...1 << 40
            // A page, and what 32 bits can point to.
            case .wasmMemory: 64 << 10...4 << 30
            // As many as half the places of the rings' table.
            case .workers: 1...256
            case .headers: 1 << 10...16 << 20
            case .body: 1...1 << 40
            case .connections: 1...1_000_000
            }
        }

        /// The same for people.
        var expected: String {
            switch self {
            case .cpu: "a time such as 500ms, from 1ms to 8760h"
            case .wall: "a time such as 2s, from 1ms to 8760h"
            case .heap: "a size such as 64MB, from 4MB to 1024GB"
            case .wasmMemory: "a size such as 256MB, from 64KB to 4GB"
            case .workers: "a whole number such as 16, from 1 to 256"
            case .headers: "a size such as 32KB, from 1KB to 16MB"
            case .body: "a size such as 100MB, from 1B to 1024GB"
            case .headerTimeout: "a time such as 10s, from 1ms to 8760h"
            case .idle: "a time such as 60s, from 1ms to 8760h"
            case .requestTimeout: "a time such as 30s, from 1ms to 8760h, or none"
            case .connections: "a whole number such as 10000, from 1 to 1000000"
            }
        }
    }

    /// - Parameter isRun: of `run`, which serves nothing.
    static func parse(_ flags: [String], isRun: Bool = false, _ problems: inout Problems) -> WorkloadLimits {
        var limits = WorkloadLimits()
        let names = Name.allCases.filter { !isRun || !$0.isOfServing }.map(\.rawValue).joined(separator: ", ")
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).trimmed
            }
            guard parts.count == 2 else {
                problems.error("--limit \(flag)", "expected NAME=VALUE, as in cpu=500ms")
                continue
            }
            guard let name = Name(rawValue: parts[0]) else {
                problems.error("--limit \(flag)", "there is no limit \"\(parts[0])\"; there are \(names)")
                continue
            }
            if isRun, name.isOfServing {
                problems.error("--limit \(flag)", "\(parts[0]) is a limit of `serve`; those of `run` are \(names)")
                continue
            }
            if !limits.set(name, parts[1]) {
                problems.error("--limit \(flag)", "\"\(parts[1])\" is not \(name.expected)")
            }
        }
        return limits
    }

    /// False when the text is no value for this limit.
    private mutating func set(_ name: Name, _ text: String) -> Bool {
        if name == .requestTimeout, text == "none" || text == "0" {
            requestTimeout = 0
            return true
        }
        let value: UInt64? =
            switch name {
            case .cpu, .wall, .headerTimeout, .idle, .requestTimeout: Units.nanoseconds(text)
            case .heap, .wasmMemory, .headers, .body: Units.bytes(text).map(UInt64.init)
            case .connections, .workers: Units.count(text).map(UInt64.init)
            }
        guard let value, name.bounds.contains(value) else { return false }
        switch name {
        case .cpu: cpu = value
        case .wall: wall = value
        case .heap: heap = Int(value)
        case .wasmMemory: wasmMemory = Int(value)
        case .workers: workers = Int(value)
        case .headers: headers = Int(value)
        case .body: body = Int(value)
        case .headerTimeout: headerTimeout = value
        case .idle: idle = value
        case .requestTimeout: requestTimeout = value
        case .connections: connections = Int(value)
        }
        return true
    }
}
