// When something is worth looking at closely. A level that rises to its limit begins a burst; one that stays there begins no other: it has to come down first, and stay
// down for a while. Between two bursts there is a pause, so that a machine in trouble is not given more to do.

/// What began a burst.
public enum SpikeReason: Int, CaseIterable, Sendable {
    /// All CPUs of the machine.
    case cpu
    /// One process of the agent's tree, of one CPU.
    case processCPU
    /// The container was held back.
    case throttling
    case pressureCPU
    case pressureMemory
    case pressureIO
    /// Of the container's limit, or of the machine's memory.
    case memory
    /// A turn of a worker's event loop was too long.
    case eventLoop

    public var name: String {
        switch self {
        case .cpu: "cpu"
        case .processCPU: "process_cpu"
        case .throttling: "throttling"
        case .pressureCPU: "pressure_cpu"
        case .pressureMemory: "pressure_memory"
        case .pressureIO: "pressure_io"
        case .memory: "memory"
        case .eventLoop: "event_loop"
        }
    }
}

/// A number for each reason, in their order. What is not known is NaN, which is never too much.
public struct SpikeLevels: Sendable {
    private var values = SIMD8<Double>(repeating: .nan)

    public init() {}

    public subscript(reason: SpikeReason) -> Double {
        get { values[reason.rawValue] }
        set { values[reason.rawValue] = newValue }
    }

    /// - Parameter stalls: turns of event loops that were too long since the levels before.
    public init(_ snapshot: ResourceSnapshot, stalls: UInt64) {
        if let ratios = snapshot.cpuRatios { self[.cpu] = ratios.busy }
        for process in snapshot.processes where process.role != .agent {
            if let usage = process.cpuUsage {
                self[.processCPU] = self[.processCPU].isNaN ? usage : max(self[.processCPU], usage)
            }
        }
        if let ratio = snapshot.container?.throttledRatio { self[.throttling] = ratio }
        if let pressure = snapshot.pressure.cpu { self[.pressureCPU] = pressure.some.ratio }
        if let pressure = snapshot.pressure.memory { self[.pressureMemory] = pressure.some.ratio }
        if let pressure = snapshot.pressure.io { self[.pressureIO] = pressure.some.ratio }
        if let ratio = snapshot.container?.memoryRatio {
            self[.memory] = ratio
        } else if let memory = snapshot.memory, let available = memory.available {
            self[.memory] = 1 - min(Double(available) / Double(memory.total), 1)
        }
        self[.eventLoop] = Double(stalls)
    }
}

public struct SpikeDetector: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Parts, 0...1; of the event loop, turns.
        public var limits: SpikeLevels
        public var lengthNanoseconds: UInt64 = 10_000_000_000
        /// From the beginning of one burst to that of the next, at least.
        public var pauseNanoseconds: UInt64 = 60_000_000_000

        public init() {
            limits = SpikeLevels()
            limits[.cpu] = 0.9
            limits[.processCPU] = 0.95
            limits[.throttling] = 0.25
            limits[.pressureCPU] = 0.6
            limits[.pressureMemory] = 0.1
            limits[.pressureIO] = 0.5
            limits[.memory] = 0.9
            limits[.eventLoop] = 1
        }

        public static func == (left: Self, right: Self) -> Bool {
            left.lengthNanoseconds == right.lengthNanoseconds && left.pauseNanoseconds == right.pauseNanoseconds
                && SpikeReason.allCases.allSatisfy { left.limits[$0] == right.limits[$0] }
        }
    }

    public enum Action: Equatable, Sendable {
        case none
        case begin(SpikeReason)
        /// There would have been a burst, but there was one not long ago.
        case suppressed
        /// A burst goes on.
        case frame
        case end
    }

    private enum State {
        case calm
        case bursting(until: UInt64)
    }

    /// A level is down when it is below this part of its limit.
    public static let downRatio = 0.8
    /// And a new rise counts after it was down for so long.
    public static let downNanoseconds: UInt64 = 5_000_000_000

    public let settings: Settings
    private var state = State.calm
    private var nextAt: UInt64 = 0
    private var isArmed = [Bool](repeating: false, count: SpikeReason.allCases.count)
    /// Since when each is down; `max`: it is not.
    private var downSince = [UInt64](repeating: .max, count: SpikeReason.allCases.count)

    public init(_ settings: Settings) { self.settings = settings }

    public var isBursting: Bool {
        if case .bursting = state { true } else { false }
    }

    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    public mutating func take(_ levels: SpikeLevels, now: UInt64) -> Action {
        var risen: SpikeReason?
        for reason in SpikeReason.allCases {
            let (level, limit, index) = (levels[reason], settings.limits[reason], reason.rawValue)
            if level >= limit {
                if isArmed[index], risen == nil { risen = reason }
                isArmed[index] = false
                downSince[index] = .max
            } else if level < limit * Self.downRatio {
                if downSince[index] == .max { downSince[index] = now }
                // What was never up since the start need not wait.
                if now &- downSince[index] >= Self.downNanoseconds || nextAt == 0 { isArmed[index] = true }
            } else {
                downSince[index] = .max
            }
        }
        switch state {
        case .bursting(let until):
            guard now >= until else { return .frame }
            state = .calm
            return .end
        case .calm:
            guard let risen else { return .none }
            guard now >= nextAt else { return .suppressed }
            nextAt = now &+ max(settings.pauseNanoseconds, settings.lengthNanoseconds)
            state = .bursting(until: now &+ settings.lengthNanoseconds)
            return .begin(risen)
        }
    }
}
