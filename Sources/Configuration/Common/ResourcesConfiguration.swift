/// What is sampled of the machine, the processes and the container, and how often. docs/resources.md.
public struct ResourcesConfiguration: Hashable, Sendable {
    /// What is sampled together. The names are those of the keys, and of `ResourceGroup` in the sampler.
    public enum Group: String, Sendable, CaseIterable {
        case cpu, memory, pressure, processes, threads, pss, container, network, disk, filesystems
    }

    /// When a burst begins, percent.
    public struct Burst: Hashable, Sendable {
        public var isEnabled = true
        public var cpu = 90
        /// Of one CPU.
        public var processCPU = 95
        public var throttling = 25
        public var pressureCPU = 60
        public var pressureMemory = 10
        public var pressureIO = 50
        public var memory = 90
        /// Whether a turn of an event loop that is too long begins one.
        public var isOfStalls = true
        /// Nanoseconds.
        public var lengthNanoseconds: UInt64 = 10_000_000_000
        /// Between two samples of a burst.
        public var intervalNanoseconds: UInt64 = 100_000_000
        /// From the beginning of one burst to that of the next, at least.
        public var pauseNanoseconds: UInt64 = 60_000_000_000

        public init() {}
    }

    public var isEnabled = true
    /// Nanoseconds; nil: it is not sampled.
    private var intervals: [Group: UInt64] = [
        .cpu: 1_000_000_000, .memory: 1_000_000_000, .pressure: 1_000_000_000, .processes: 1_000_000_000,
        .threads: 5_000_000_000, .pss: 60_000_000_000, .container: 1_000_000_000, .network: 5_000_000_000,
        .disk: 5_000_000_000, .filesystems: 30_000_000_000,
    ]
    public var burst = Burst()
    /// How often exporters get the figures, nanoseconds.
    public var exportNanoseconds: UInt64 = 60_000_000_000

    public init() {}

    public subscript(group: Group) -> UInt64? {
        get { intervals[group] }
        set { intervals[group] = newValue }
    }
}
