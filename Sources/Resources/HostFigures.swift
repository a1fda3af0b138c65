// What /proc says of the machine: proc(5), Documentation/filesystems/proc.rst, Documentation/accounting/psi.rst.

/// Time of all CPUs by what it was spent with, in ticks. What guests used is in `user` and `nice`, as the kernel counts it.
public struct CPUTimes: Equatable, Sendable {
    public var user: UInt64 = 0
    public var nice: UInt64 = 0
    public var system: UInt64 = 0
    public var idle: UInt64 = 0
    public var iowait: UInt64 = 0
    public var interrupt: UInt64 = 0
    public var steal: UInt64 = 0

    public init() {}

    public var total: UInt64 { busy &+ idle &+ iowait }
    public var busy: UInt64 { user &+ nice &+ system &+ interrupt &+ steal }

    /// Takes over what is larger: idle times may go back by what was guessed before (proc(5)), and a counter must not.
    mutating func grow(to other: CPUTimes) {
        user = max(user, other.user)
        nice = max(nice, other.nice)
        system = max(system, other.system)
        idle = max(idle, other.idle)
        iowait = max(iowait, other.iowait)
        interrupt = max(interrupt, other.interrupt)
        steal = max(steal, other.steal)
    }
}

/// /proc/stat.
struct HostStat {
    var times = CPUTimes()
    var cpus = 0
    var contextSwitches: UInt64?
    /// Unix seconds.
    var bootTime: UInt64?
    var processesCreated: UInt64?

    /// Nil when there is no line of all CPUs.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var text = KernelText(bytes)
        var hasTimes = false
        while let line = text.line() {
            var rest = KernelText(line)
            let key = rest.word()
            if key.isText("cpu") {
                guard let user = rest.number(), let nice = rest.number(), let system = rest.number(),
                    let idle = rest.number()
                else {
                    return nil
                }
                (times.user, times.nice, times.system, times.idle) = (user, nice, system, idle)
                times.iowait = rest.number() ?? 0
                times.interrupt = (rest.number() ?? 0) &+ (rest.number() ?? 0)
                times.steal = rest.number() ?? 0
                hasTimes = true
            } else if key.hasPrefix("cpu") {
                cpus += 1
            } else if key.isText("ctxt") {
                contextSwitches = rest.number()
            } else if key.isText("btime") {
                bootTime = rest.number()
            } else if key.isText("processes") {
                processesCreated = rest.number()
            }
        }
        guard hasTimes else { return nil }
    }
}

/// /proc/loadavg: threads that run or want to, averaged over 1, 5 and 15 minutes.
public struct LoadAverages: Equatable, Sendable {
    public var one: Double
    public var five: Double
    public var fifteen: Double

    init?(_ bytes: UnsafeRawBufferPointer) {
        var text = KernelText(bytes)
        guard let one = text.decimal(), let five = text.decimal(), let fifteen = text.decimal() else { return nil }
        (self.one, self.five, self.fifteen) = (one, five, fifteen)
    }
}

/// /proc/meminfo, bytes.
public struct HostMemory: Equatable, Sendable {
    public var total: UInt64 = 0
    public var free: UInt64 = 0
    public var available: UInt64?
    public var buffers: UInt64 = 0
    /// Page cache, shared memory included.
    public var cached: UInt64 = 0
    public var shared: UInt64 = 0
    public var slabReclaimable: UInt64 = 0
    public var slabUnreclaimable: UInt64 = 0
    public var swapTotal: UInt64 = 0
    public var swapFree: UInt64 = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        var (hasTotal, hasFree) = (false, false)
        bytes.pairs { key, kibibytes in
            guard let value = UInt64?.kibibytes(kibibytes) else { return }
            if key.isText("MemTotal") {
                (total, hasTotal) = (value, true)
            } else if key.isText("MemFree") {
                (free, hasFree) = (value, true)
            } else if key.isText("MemAvailable") {
                available = value
            } else if key.isText("Buffers") {
                buffers = value
            } else if key.isText("Cached") {
                cached = value
            } else if key.isText("Shmem") {
                shared = value
            } else if key.isText("SReclaimable") {
                slabReclaimable = value
            } else if key.isText("SUnreclaim") {
                slabUnreclaimable = value
            } else if key.isText("SwapTotal") {
                swapTotal = value
            } else if key.isText("SwapFree") {
                swapFree = value
            }
        }
        guard hasTotal, hasFree, total > 0 else { return nil }
    }

    /// What is neither free nor given back when somebody wants it: as free(1) counts, slabs that can be reclaimed with the cache.
    public var used: UInt64 {
        let rest = free.saturatingSum(buffers).saturatingSum(cached).saturatingSum(slabReclaimable)
        return total > rest ? total - rest : 0
    }

    public var cachedAndReclaimable: UInt64 { cached.saturatingSum(slabReclaimable) }
    public var swapUsed: UInt64 { swapTotal > swapFree ? swapTotal - swapFree : 0 }
}

/// /proc/vmstat: what counts since the machine was started. Pages and faults.
public struct HostPaging: Equatable, Sendable {
    public var faults: UInt64 = 0
    public var majorFaults: UInt64 = 0
    public var swapsIn: UInt64?
    public var swapsOut: UInt64?
    /// Processes killed for want of memory.
    public var kills: UInt64?

    init?(_ bytes: UnsafeRawBufferPointer) {
        var hasFaults = false
        bytes.pairs { key, value in
            if key.isText("pgfault") {
                (faults, hasFaults) = (value, true)
            } else if key.isText("pgmajfault") {
                majorFaults = value
            } else if key.isText("pswpin") {
                swapsIn = value
            } else if key.isText("pswpout") {
                swapsOut = value
            } else if key.isText("oom_kill") {
                kills = value
            }
        }
        guard hasFaults else { return nil }
    }

    public var minorFaults: UInt64 { faults > majorFaults ? faults - majorFaults : 0 }
}

/// Pressure of one resource. Documentation/accounting/psi.rst.
public struct Pressure: Equatable, Sendable {
    public struct Line: Equatable, Sendable {
        /// Parts of the last ten seconds, 0...1.
        public var average: Double = 0
        /// Time that was lost, microseconds.
        public var total: UInt64 = 0
        /// Part of the time since the sample before, 0...1.
        public var ratio: Double = 0
    }

    /// Some task waited.
    public var some = Line()
    /// All that were not idle waited; nil where the kernel does not say, or says it of the CPUs of the machine, where it has no meaning.
    public var full: Line?

    init?(_ bytes: UnsafeRawBufferPointer) {
        var text = KernelText(bytes)
        var hasSome = false
        while let line = text.line() {
            var rest = KernelText(line)
            let kind = rest.word()
            guard kind.isText("some") || kind.isText("full"), let figures = Self.line(&rest) else { continue }
            if kind.isText("some") {
                (some, hasSome) = (figures, true)
            } else {
                full = figures
            }
        }
        guard hasSome else { return nil }
    }

    private static func line(_ text: inout KernelText) -> Line? {
        var line = Line()
        var hasTotal = false
        while true {
            let pair = text.word()
            if pair.isEmpty { break }
            var value = KernelText(pair)
            guard let key = value.text(upTo: UInt8(ascii: "=")) else { return nil }
            if key.isText("avg10") {
                line.average = min((value.decimal() ?? 0) / 100, 1)
            } else if key.isText("total"), let total = value.number() {
                (line.total, hasTotal) = (total, true)
            }
        }
        return hasTotal ? line : nil
    }

    /// Fills in the ratios from what was read before, so many nanoseconds ago.
    mutating func compare(_ before: Pressure?, nanoseconds: UInt64) {
        guard let before, nanoseconds >= 1_000 else { return }
        some.compare(before.some, microseconds: nanoseconds / 1_000)
        if let earlier = before.full { full?.compare(earlier, microseconds: nanoseconds / 1_000) }
    }
}

extension Pressure.Line {
    fileprivate mutating func compare(_ before: Self, microseconds: UInt64) {
        total = max(total, before.total)
        ratio = min(Double(total - before.total) / Double(microseconds), 1)
    }
}

/// The three resources whose pressure is told.
public enum PressureKind: Int, CaseIterable, Sendable {
    case cpu, memory, io

    public var name: String {
        switch self {
        case .cpu: "cpu"
        case .memory: "memory"
        case .io: "io"
        }
    }
}

/// Pressure of each resource; nil where the kernel does not tell it.
public struct Pressures: Equatable, Sendable {
    public var cpu: Pressure?
    public var memory: Pressure?
    public var io: Pressure?

    public subscript(kind: PressureKind) -> Pressure? {
        get {
            switch kind {
            case .cpu: cpu
            case .memory: memory
            case .io: io
            }
        }
        set {
            switch kind {
            case .cpu: cpu = newValue
            case .memory: memory = newValue
            case .io: io = newValue
            }
        }
    }
}

extension UInt64 {
    func saturatingSum(_ other: UInt64) -> UInt64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }
}
