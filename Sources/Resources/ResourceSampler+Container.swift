internal import System

/// The files of the control group that this process is in.
struct ContainerWatch {
    let place: ControlGroupPlace
    /// `CPUs` and bytes it may use, of it and of the groups above it.
    var cpuLimits: [KernelReader.Held] = []
    var memoryLimits: [KernelReader.Held] = []
    var cpuPeriods: [KernelReader.Held] = []
    var cpuStat: KernelReader.Held?
    var cpuUsage: KernelReader.Held?
    var accountStat: KernelReader.Held?
    var memory: KernelReader.Held?
    var memoryPeak: KernelReader.Held?
    var memoryStat: KernelReader.Held?
    var memoryEvents: KernelReader.Held?
    var swap: KernelReader.Held?
    var processes: KernelReader.Held?
    var processLimit: KernelReader.Held?
    var io: KernelReader.Held?
    var ioOperations: KernelReader.Held?
    var pressures: [KernelReader.Held] = []
    var sampledAt: UInt64 = 0

    /// Groups looked at for limits: its own and those above it.
    static let levelsMax = 8

    /// Whether memory and CPU are told by files of version 2.
    let isMemoryUnified: Bool
    let isCPUUnified: Bool

    init(_ place: ControlGroupPlace) {
        self.place = place
        isMemoryUnified = place.memory == nil
        isCPUUnified = place.cpu == nil
        func held(_ folder: ControlGroupPlace.Folder?, _ name: String) -> KernelReader.Held? {
            folder.map { KernelReader.Held("\($0.path)/\(name)") }
        }
        func upwards(_ folder: ControlGroupPlace.Folder?, _ name: String) -> [KernelReader.Held] {
            folder.map { $0.upwards(countMax: Self.levelsMax).map { KernelReader.Held("\($0)/\(name)") } } ?? []
        }
        let unified = place.unified
        cpuStat = held(place.cpu ?? unified, "cpu.stat")
        if isCPUUnified {
            cpuLimits = upwards(unified, "cpu.max")
        } else {
            cpuLimits = upwards(place.cpu, "cpu.cfs_quota_us")
            cpuPeriods = upwards(place.cpu, "cpu.cfs_period_us")
        }
        cpuUsage = held(place.cpuAccount, "cpuacct.usage")
        accountStat = held(place.cpuAccount, "cpuacct.stat")
        if isMemoryUnified {
            memory = held(unified, "memory.current")
            memoryPeak = held(unified, "memory.peak")
            memoryStat = held(unified, "memory.stat")
            memoryEvents = held(unified, "memory.events")
            swap = held(unified, "memory.swap.current")
            memoryLimits = upwards(unified, "memory.max")
        } else {
            memory = held(place.memory, "memory.usage_in_bytes")
            memoryPeak = held(place.memory, "memory.max_usage_in_bytes")
            memoryStat = held(place.memory, "memory.stat")
            memoryEvents = held(place.memory, "memory.oom_control")
            memoryLimits = upwards(place.memory, "memory.limit_in_bytes")
        }
        processes = held(place.pids ?? unified, "pids.current")
        processLimit = held(place.pids ?? unified, "pids.max")
        if place.io == nil {
            io = held(unified, "io.stat")
        } else {
            io = held(place.io, "blkio.throttle.io_service_bytes_recursive")
            ioOperations = held(place.io, "blkio.throttle.io_serviced_recursive")
        }
        if let unified {
            pressures = PressureKind.allCases.map { KernelReader.Held("\(unified.path)/\($0.name).pressure") }
        }
    }

    mutating func close(_ reader: KernelReader) {
        for index in cpuLimits.indices { cpuLimits[index].close(reader) }
        for index in cpuPeriods.indices { cpuPeriods[index].close(reader) }
        for index in memoryLimits.indices { memoryLimits[index].close(reader) }
        for index in pressures.indices { pressures[index].close(reader) }
        cpuStat?.close(reader)
        cpuUsage?.close(reader)
        accountStat?.close(reader)
        memory?.close(reader)
        memoryPeak?.close(reader)
        memoryStat?.close(reader)
        memoryEvents?.close(reader)
        swap?.close(reader)
        processes?.close(reader)
        processLimit?.close(reader)
        io?.close(reader)
        ioOperations?.close(reader)
    }
}

extension ResourceSampler {
    /// How often it is looked whether the process was moved to another group.
    private static let lookNanoseconds: UInt64 = 30_000_000_000

    func sampleContainer(_ snapshot: inout ResourceSnapshot) {
        findContainer(&snapshot)
        guard container != nil else { return }
        let before = snapshot.container
        var figures = before ?? ContainerFigures()
        readCPU(&figures)
        readMemory(&figures)
        readRest(&figures)
        let elapsed = container!.sampledAt == 0 ? 0 : reader.now &- container!.sampledAt
        figures.compare(before, nanoseconds: elapsed)
        container!.sampledAt = reader.now
        snapshot.container = figures
    }

    private func findContainer(_ snapshot: inout ResourceSnapshot) {
        guard containerLookAt <= reader.now else { return }
        containerLookAt = reader.now &+ Self.lookNanoseconds
        guard let text = reader.readOnce("/proc/self/cgroup", .container) else { return }
        // The next text is read to the same place.
        let groups = Array(text)
        guard let mounts = reader.readOnce("/proc/self/mountinfo", .container) else { return }
        let place = groups.withUnsafeBytes { groups in
            ControlGroupPlace(groups: groups, mounts: mounts) { reader.files.exists($0) }
        }
        guard place != container?.place else { return }
        container?.close(reader)
        container = place.isEmpty ? nil : ContainerWatch(place)
        snapshot.container = nil
    }

    /// Nil where there is no such file, or it cannot be read.
    private func text(_ held: inout KernelReader.Held?) -> UnsafeRawBufferPointer? {
        held == nil ? nil : reader.read(&held!, .container)
    }

    private func readCPU(_ figures: inout ContainerFigures) {
        let isUnified = container!.isCPUUnified
        if let text = text(&container!.cpuStat) { figures.readCPUStat(text) }
        if let text = text(&container!.cpuUsage) { figures.cpu = text.number }
        if let text = text(&container!.accountStat) {
            figures.readAccountStat(text, tickNanoseconds: 1_000_000_000 / machine.ticksPerSecond)
        }
        var limit: Double?
        for index in container!.cpuLimits.indices {
            guard let text = reader.read(&container!.cpuLimits[index], .container) else { continue }
            let own: Double?
            if isUnified {
                own = ContainerFigures.cpuLimit(text)
            } else {
                // -1 is no limit.
                guard let quota = text.number, let text = reader.read(&container!.cpuPeriods[index], .container),
                    let period = text.number, period > 0
                else { continue }
                own = Double(quota) / Double(period)
            }
            if let own { limit = min(limit ?? own, own) }
        }
        figures.cpuLimit = limit
    }

    private func readMemory(_ figures: inout ContainerFigures) {
        let isUnified = container!.isMemoryUnified
        if let text = text(&container!.memory) { figures.memory = text.number }
        if let text = text(&container!.memoryPeak) { figures.memoryPeak = text.number }
        if let text = text(&container!.memoryStat) { figures.readMemoryStat(text, isUnified: isUnified) }
        if let text = text(&container!.memoryEvents) {
            if isUnified { figures.readMemoryEvents(text) } else { figures.readOOMControl(text) }
        }
        if let text = text(&container!.swap) { figures.swap = text.number }
        var limit: UInt64?
        for index in container!.memoryLimits.indices {
            guard let text = reader.read(&container!.memoryLimits[index], .container), let own = text.number else {
                continue
            }
            // In version 1 no limit is the largest number of pages.
            if own < 1 << 60 { limit = min(limit ?? own, own) }
        }
        figures.memoryLimit = limit
    }

    private func readRest(_ figures: inout ContainerFigures) {
        if let text = text(&container!.processes) { figures.processes = text.number }
        if let text = text(&container!.processLimit) { figures.processLimit = text.number }
        let isUnified = container!.place.io == nil
        if let text = text(&container!.io) {
            if isUnified { figures.readIOStat(text) } else { figures.readServiced(bytes: text) }
        }
        if let text = text(&container!.ioOperations) { figures.readServiced(operations: text) }
        for kind in PressureKind.allCases where container!.pressures.indices.contains(kind.rawValue) {
            guard let text = reader.read(&container!.pressures[kind.rawValue], .container) else { continue }
            figures.pressure[kind] = Pressure(text)
            if figures.pressure[kind] == nil { reader.malformed(.container) }
        }
    }
}
