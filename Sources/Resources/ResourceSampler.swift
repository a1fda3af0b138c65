// Samples the machine, the agent's processes and its container into a snapshot. Every file is opened once and read again from then on; texts are parsed in the one
// buffer they were read to. A sample allocates nothing unless something is there that was not before: a process, a disk, a mount.

public import System

/// Reads what its caller asks for. One thread.
public final class ResourceSampler {
    /// What does not change while the machine runs.
    public struct Machine: Sendable {
        public var pageBytes: UInt64
        public var ticksPerSecond: UInt64

        public init(pageBytes: UInt64, ticksPerSecond: UInt64) {
            self.pageBytes = pageBytes
            self.ticksPerSecond = max(ticksPerSecond, 1)
        }
    }

    public static let processesMax = 32
    /// Of all processes together.
    public static let threadsMax = 256
    public static let interfacesMax = 64
    public static let disksMax = 64
    public static let filesystemsMax = 64
    /// A process with more memory is not asked for its proportional size, which would hold up the caller and it: next to its own pages those it shares count for little.
    public static let proportionalBytesMax: UInt64 = 256 << 20

    let reader: KernelReader
    let machine: Machine
    private var lastKey: UInt32 = 0

    // Of the machine.
    private var stat = KernelReader.Held("/proc/stat")
    private var load = KernelReader.Held("/proc/loadavg")
    private var uptime = KernelReader.Held("/proc/uptime")
    private var meminfo = KernelReader.Held("/proc/meminfo")
    private var vmstat = KernelReader.Held("/proc/vmstat")
    private var pressures = PressureKind.allCases.map { KernelReader.Held("/proc/pressure/\($0.name)") }
    private var pressureAt: UInt64 = 0

    // Of devices.
    var netDev = KernelReader.Held("/proc/self/net/dev")
    var diskstats = KernelReader.Held("/proc/diskstats")
    var mountinfo = KernelReader.Held("/proc/self/mountinfo")
    /// Names in diskstats that are no whole disks.
    var partitions: [[UInt8]] = []
    var hasSampledNetwork = false
    var hasSampledDisks = false

    // Of processes.
    var roots: [ProcessRoot] = []
    var watches: [ProcessWatch] = []
    var areRootsNew = false
    var processesAt: UInt64 = 0
    /// Whose proportional size is to be read: index from the end.
    var proportionalLeft = 0

    // Of the container.
    var container: ContainerWatch?
    var containerLookAt: UInt64 = 0

    public init(_ files: any KernelFiles, _ machine: Machine) {
        reader = KernelReader(files)
        self.machine = machine
    }

    /// Gives back all files.
    public func close() {
        stat.close(reader)
        load.close(reader)
        uptime.close(reader)
        meminfo.close(reader)
        vmstat.close(reader)
        for index in pressures.indices { pressures[index].close(reader) }
        netDev.close(reader)
        diskstats.close(reader)
        mountinfo.close(reader)
        for index in watches.indices { watches[index].close(reader) }
        watches = []
        container?.close(reader)
        container = nil
    }

    /// Processes that are watched with their descendants, from the next sample of processes on.
    public func watch(_ roots: [ProcessRoot]) {
        guard roots != self.roots else { return }
        self.roots = roots
        areRootsNew = true
    }

    /// Samples some groups.
    /// - Parameters:
    ///   - now: CLOCK_MONOTONIC, nanoseconds.
    ///   - time: Unix nanoseconds.
    public func sample(_ groups: ResourceGroups, into snapshot: inout ResourceSnapshot, now: UInt64, time: UInt64) {
        reader.now = now
        if snapshot.startTime == 0 { snapshot.startTime = time }
        snapshot.time = max(time, snapshot.startTime)
        snapshot.ticksPerSecond = machine.ticksPerSecond
        for group in ResourceGroup.allCases where groups.contains(group) {
            reader.counts.samples[group.rawValue] += 1
        }
        if groups.contains(.cpu) || snapshot.bootTime == 0 { sampleCPU(&snapshot) }
        if groups.contains(.memory) { sampleMemory(&snapshot) }
        if groups.contains(.pressure) { samplePressure(&snapshot) }
        if groups.contains(.processes) || groups.contains(.threads) {
            sampleProcesses(&snapshot, withThreads: groups.contains(.threads) || areRootsNew)
        }
        if groups.contains(.pss), proportionalLeft == 0 { proportionalLeft = watches.count }
        if proportionalLeft > 0 { sampleProportionalSize(&snapshot) }
        if groups.contains(.container) { sampleContainer(&snapshot) }
        if groups.contains(.network) { sampleNetwork(&snapshot) }
        if groups.contains(.disk) { sampleDisks(&snapshot) }
        if groups.contains(.filesystems) { sampleFileSystems(&snapshot) }
        snapshot.counts = reader.counts
    }

    /// A number that nothing else has had.
    func nextKey() -> UInt32 {
        lastKey &+= 1
        return lastKey
    }

    // MARK: The machine

    private func sampleCPU(_ snapshot: inout ResourceSnapshot) {
        if let text = reader.read(&stat, .cpu) {
            if let read = HostStat(text) {
                var times = read.times
                if let before = snapshot.cpu {
                    times.grow(to: before)
                    if let ratios = CPURatios(from: before, to: times) { snapshot.cpuRatios = ratios }
                }
                snapshot.cpu = times
                snapshot.cpus = read.cpus
                snapshot.contextSwitches = read.contextSwitches
                snapshot.processesCreated = read.processesCreated
                // Later it would move with every correction of the clock.
                if snapshot.bootTime == 0, let seconds = read.bootTime, seconds < 1 << 33 {
                    snapshot.bootTime = min(seconds * 1_000_000_000, snapshot.startTime)
                }
            } else {
                reader.malformed(.cpu)
            }
        }
        if let text = reader.read(&load, .cpu) {
            snapshot.load = LoadAverages(text)
            if snapshot.load == nil { reader.malformed(.cpu) }
        }
        if let text = reader.read(&uptime, .cpu) {
            var uptime = KernelText(text)
            snapshot.uptime = uptime.decimal()
            if snapshot.uptime == nil { reader.malformed(.cpu) }
        }
    }

    private func sampleMemory(_ snapshot: inout ResourceSnapshot) {
        if let text = reader.read(&meminfo, .memory) {
            snapshot.memory = HostMemory(text)
            if snapshot.memory == nil { reader.malformed(.memory) }
        }
        if let text = reader.read(&vmstat, .memory) {
            snapshot.paging = HostPaging(text)
            if snapshot.paging == nil { reader.malformed(.memory) }
        }
    }

    private func samplePressure(_ snapshot: inout ResourceSnapshot) {
        let elapsed = pressureAt == 0 ? 0 : reader.now &- pressureAt
        for kind in PressureKind.allCases {
            guard let text = reader.read(&pressures[kind.rawValue], .pressure) else { continue }
            guard var pressure = Pressure(text) else {
                reader.malformed(.pressure)
                continue
            }
            // All CPUs of a machine at once do not wait for a CPU: the kernel gives the line for its form only.
            if kind == .cpu { pressure.full = nil }
            pressure.compare(snapshot.pressure[kind], nanoseconds: elapsed)
            snapshot.pressure[kind] = pressure
        }
        pressureAt = reader.now
    }
}
