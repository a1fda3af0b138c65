public import System

/// What was sampled last. Names and places are allocated when something new turns up, and figures written over where they are.
public struct ResourceSnapshot: Sendable {
    /// Unix nanoseconds of the latest sample.
    public var time: UInt64 = 0
    /// Unix nanoseconds.
    public var bootTime: UInt64 = 0
    /// When this sampler began, Unix nanoseconds.
    public var startTime: UInt64 = 0
    public var ticksPerSecond: UInt64 = 100

    /// Seconds the machine has been up.
    public var uptime: Double?
    /// Logical ones.
    public var cpus = 0
    public var cpu: CPUTimes?
    /// Since the sample before.
    public var cpuRatios: CPURatios?
    public var load: LoadAverages?
    public var contextSwitches: UInt64?
    public var processesCreated: UInt64?
    public var memory: HostMemory?
    public var paging: HostPaging?
    public var pressure = Pressures()
    public var networks: [NetworkInterface] = []
    public var disks: [Disk] = []
    public var fileSystems: [MountedFileSystem] = []
    public var processes: [ProcessFigures] = []
    public var container: ContainerFigures?
    public var counts = ResourceCounts()
    public var bursts = BurstCounts()

    public init() {}
}

/// Parts of the time since the sample before, all CPUs together: 0...1.
public struct CPURatios: Equatable, Sendable {
    public var user: Double
    public var nice: Double
    public var system: Double
    public var idle: Double
    public var iowait: Double
    public var interrupt: Double
    public var steal: Double

    /// Nil where nothing has passed.
    init?(from before: CPUTimes, to now: CPUTimes) {
        func part(_ path: KeyPath<CPUTimes, UInt64>) -> Double {
            let (from, to) = (before[keyPath: path], now[keyPath: path])
            return to > from ? Double(to - from) : 0
        }
        let parts = (
            part(\.user), part(\.nice), part(\.system), part(\.idle), part(\.iowait), part(\.interrupt), part(\.steal)
        )
        let sum = parts.0 + parts.1 + parts.2 + parts.3 + parts.4 + parts.5 + parts.6
        guard sum > 0 else { return nil }
        (user, nice, system, idle) = (parts.0 / sum, parts.1 / sum, parts.2 / sum, parts.3 / sum)
        (iowait, interrupt, steal) = (parts.4 / sum, parts.5 / sum, parts.6 / sum)
    }

    public var busy: Double { user + nice + system + interrupt + steal }
}

/// A network interface.
public struct NetworkInterface: Sendable {
    /// No other thing that was ever sampled has it.
    public let key: UInt32
    public let name: String
    let nameBytes: [UInt8]
    /// Since when it counts, Unix nanoseconds.
    public var startTime: UInt64
    public var counts = NetworkCounts()
    var isSeen = true
}

/// A whole disk.
public struct Disk: Sendable {
    public let key: UInt32
    public let name: String
    let nameBytes: [UInt8]
    public var startTime: UInt64
    public var counts = DiskCounts()
    var isSeen = true
}

/// A file system of this machine.
public struct MountedFileSystem: Sendable {
    public let key: UInt32
    public let device: String
    public let mountPoint: String
    public let type: String
    public let isReadOnly: Bool
    let deviceBytes: [UInt8]
    let mountPointBytes: [UInt8]
    public var space: FileSystemSpace?
    var isSeen = true

    public var used: UInt64 { space.map { $0.total > $0.free ? $0.total - $0.free : 0 } ?? 0 }
    /// Kept for the superuser.
    public var reserved: UInt64 { space.map { $0.free > $0.available ? $0.free - $0.available : 0 } ?? 0 }
}

/// What a process is to the agent.
public enum ProcessRole: UInt8, Sendable, CaseIterable {
    case agent, worker, child

    public var name: String {
        switch self {
        case .agent: "agent"
        case .worker: "worker"
        case .child: "child"
        }
    }
}

/// A process that is watched whoever started it.
public struct ProcessRoot: Equatable, Sendable {
    public var pid: Int32
    public var role: ProcessRole
    /// Of a worker: its place among them.
    public var place: Int32

    public init(pid: Int32, role: ProcessRole, place: Int32 = -1) {
        self.pid = pid
        self.role = role
        self.place = place
    }
}

/// A process of the agent's tree.
public struct ProcessFigures: Sendable {
    /// Another one once its name or role is another.
    public internal(set) var key: UInt32
    public let pid: Int32
    public internal(set) var role: ProcessRole
    public internal(set) var place: Int32
    public internal(set) var parent: Int32 = 0
    public internal(set) var name = ProcessName()
    /// The program's whole name, where the kernel keeps its beginning alone.
    var longName: String?
    /// Unix nanoseconds.
    public internal(set) var startTime: UInt64 = 0
    public internal(set) var userTicks: UInt64 = 0
    public internal(set) var systemTicks: UInt64 = 0
    public internal(set) var minorFaults: UInt64 = 0
    public internal(set) var majorFaults: UInt64 = 0
    public internal(set) var threads: UInt64 = 0
    public internal(set) var virtualBytes: UInt64 = 0
    public internal(set) var residentBytes: UInt64 = 0
    public internal(set) var residentPeak: UInt64?
    public internal(set) var swapBytes: UInt64?
    public internal(set) var proportionalBytes: UInt64?
    public internal(set) var descriptors: UInt64?
    public internal(set) var readBytes: UInt64?
    public internal(set) var writtenBytes: UInt64?
    /// How often its threads gave up the CPU, and lost it.
    public internal(set) var voluntarySwitches: UInt64?
    public internal(set) var involuntarySwitches: UInt64?
    /// Time its threads were ready and waited for a CPU, nanoseconds.
    public internal(set) var runDelay: UInt64?
    /// CPUs in use since the sample before; nil before the second.
    public internal(set) var cpuUsage: Double?
    /// The same of waiting: 1 is one thread that waited all the time.
    public internal(set) var delayUsage: Double?
    /// The first sample is complete.
    var isRead = false

    public var executableName: String { longName ?? name.text }

    init(key: UInt32, _ root: ProcessRoot) {
        self.key = key
        pid = root.pid
        role = root.role
        place = root.place
    }
}

/// Bursts that there were.
public struct BurstCounts: Equatable, Sendable {
    public internal(set) var started = [UInt64](repeating: 0, count: SpikeReason.allCases.count)
    /// Spikes for which there was no burst, since the last was too near.
    public internal(set) var suppressed: UInt64 = 0

    public init() {}

    public mutating func count(_ action: SpikeDetector.Action) {
        switch action {
        case .begin(let reason): started[reason.rawValue] += 1
        case .suppressed: suppressed += 1
        case .none, .frame, .end: break
        }
    }
}
