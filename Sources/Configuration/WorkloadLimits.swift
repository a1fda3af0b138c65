/// What a workload may use: `--limit NAME=VALUE`, or `limits:` of a policy. docs/limits.md. Nil: the default of whoever enforces it.
public struct WorkloadLimits: Hashable, Sendable {
    /// In nanoseconds, bytes or pieces, as `Name.unit` says.
    private var values: [Name: UInt64] = [:]
    /// CPU time of an isolate's thread in any stretch of so long.
    public var cpuWindow: CPUWindow?

    public init() {}

    public subscript(_ name: Name) -> UInt64? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// CPU time of one request, or of a whole run. Nanoseconds.
    public var cpu: UInt64? {
        get { self[.cpu] }
        set { self[.cpu] = newValue }
    }
    /// Time by the clock of one request, or of a whole run. Nanoseconds.
    public var wall: UInt64? {
        get { self[.wall] }
        set { self[.wall] = newValue }
    }
    /// V8's heap. Bytes.
    public var heap: Int? {
        get { self[.heap].map { Int($0) } }
        set { self[.heap] = newValue.map { UInt64($0) } }
    }
    /// A memory of WebAssembly. Bytes.
    public var wasmMemory: Int? {
        get { self[.wasmMemory].map { Int($0) } }
        set { self[.wasmMemory] = newValue.map { UInt64($0) } }
    }
    /// Child `Worker`s at once, in each process.
    public var workers: Int? {
        get { self[.workers].map { Int($0) } }
        set { self[.workers] = newValue.map { UInt64($0) } }
    }

    // Of `serve`.

    /// Of the head of a request. Bytes.
    public var headers: Int? { self[.headers].map { Int($0) } }
    /// Of the body of a request. Bytes.
    public var body: Int? { self[.body].map { Int($0) } }
    /// From the first byte of a head to its last. Nanoseconds.
    public var headerTimeout: UInt64? { self[.headerTimeout] }
    /// Of a connection between two requests. Nanoseconds.
    public var idle: UInt64? { self[.idle] }
    /// From the head to the last byte of the response. Nanoseconds; 0: none.
    public var requestTimeout: UInt64? { self[.requestTimeout] }
    /// Open at once, in each isolate.
    public var connections: Int? { self[.connections].map { Int($0) } }

    /// Takes what `other` says, and keeps the rest.
    public mutating func merge(_ other: WorkloadLimits) {
        values.merge(other.values) { $1 }
        cpuWindow = other.cpuWindow ?? cpuWindow
    }

    /// - Parameter isRun: of `run`, which serves nothing.
    static func parse(_ flags: [String], isRun: Bool = false, _ problems: inout Problems) -> WorkloadLimits {
        var limits = WorkloadLimits()
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).trimmed
            }
            guard parts.count == 2 else {
                problems.error("--limit \(flag)", "expected NAME=VALUE, as in cpu=500ms")
                continue
            }
            if let problem = limits.set(parts[0], parts[1], isRun: isRun) {
                problems.error("--limit \(flag)", problem)
            }
        }
        return limits
    }

    /// Sets one by its name and value as texts. What is wrong with them, if anything is.
    /// - Parameter isRun: of `run`, which serves nothing.
    mutating func set(_ name: String, _ text: String, isRun: Bool = false) -> String? {
        if name == CPUWindow.name {
            guard let window = CPUWindow(text) else { return "\"\(text)\" is not \(CPUWindow.expected)" }
            cpuWindow = window
            return nil
        }
        func names() -> String {
            let all = Name.allCases.filter { !isRun || !$0.isOfServing }.map(\.rawValue)
            return (all + [CPUWindow.name]).joined(separator: ", ")
        }
        guard let known = Name(rawValue: name) else { return "there is no limit \"\(name)\"; there are \(names())" }
        if isRun, known.isOfServing { return "\(name) is a limit of `serve`; those of `run` are \(names())" }
        guard let value = known.value(text) else { return "\"\(text)\" is not \(known.expected)" }
        values[known] = value
        return nil
    }
}

/// A share of a processor over a stretch of time: `50%/10s`.
public struct CPUWindow: Hashable, Sendable {
    /// Of one processor.
    public var percent: Int
    public var nanoseconds: UInt64

    public static let name = "cpu-window"
    static let expected = "a share and a time such as 50%/10s, from 1% to 100% and from 100ms to 1h"

    public init(percent: Int, nanoseconds: UInt64) {
        self.percent = percent
        self.nanoseconds = nanoseconds
    }

    /// As in `--limit`.
    public var text: String { "\(percent)%/\(Units.time(nanoseconds))" }

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].last == "%", let percent = Units.count(String(parts[0].dropLast())),
            (1...100).contains(percent), let time = Units.nanoseconds(String(parts[1])),
            (100_000_000...3_600_000_000_000).contains(time)
        else { return nil }
        self.init(percent: Int(percent), nanoseconds: time)
    }
}
