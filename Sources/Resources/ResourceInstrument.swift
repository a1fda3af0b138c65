public import Telemetry

// Names and units of the semantic conventions 1.44 where there is one (<https://opentelemetry.io/docs/specs/semconv/system/>); load averages are named as the
// OpenTelemetry Collector's host metrics receiver does; the rest starts with `sidelight.`. docs/resources.md lists them.

/// What a series is of.
public enum ResourceInstrument: UInt8, CaseIterable, Sendable {
    case systemUptime, systemCPUCount, systemCPUTime, systemCPUUtilization, load1, load5, load15, contextSwitches,
        processesCreated
    case memoryUsage, memoryUtilization, memoryLimit, memoryAvailable, memoryShared, memorySlab, pagingUsage,
        pagingFaults, pagingOperations, oomKills
    case pressureTime, pressureAverage
    case networkIO, networkPackets, networkErrors, networkDropped
    case diskIO, diskOperations, diskMerged, diskOperationTime, diskIOTime
    case fileSystemUsage, fileSystemUtilization, fileSystemLimit, fileSystemNodes
    case processCPUTime, processCPUUtilization, processMemory, processVirtual, processPeak, processProportional,
        processSwap, processThreads
    case processDescriptors, processSwitches, processFaults, processDiskIO, processUptime, processRunDelay
    case containerCPUTime, containerCPUUsage, containerCPULimit, containerPeriods, containerThrottledPeriods,
        containerThrottledTime
    case containerMemory, containerAvailable, containerRSS, containerWorkingSet, containerMemoryLimit,
        containerMemoryPeak, containerSwap, containerFaults
    case containerMemoryEvents, containerProcesses, containerProcessLimit, containerDiskIO, containerDiskOperations
    case containerPressureTime, containerPressureAverage
    case samples, readFailures, leftOut, cutTexts, bursts, suppressedBursts

    private static let all: [MetricPoint.Instrument] = allCases.map { $0.made }

    /// Its name, unit and kind.
    public var instrument: MetricPoint.Instrument { Self.all[Int(rawValue)] }

    private var made: MetricPoint.Instrument {
        func make(
            _ name: String, _ unit: String, _ type: InstrumentType, _ isInteger: Bool, _ text: String
        ) -> MetricPoint.Instrument {
            MetricPoint.Instrument(name: name, unit: unit, description: text, type: type, isInteger: isInteger)
        }
        func count(_ name: String, _ unit: String, _ text: String) -> MetricPoint.Instrument {
            make(name, unit, .counter, true, text)
        }
        func amount(_ name: String, _ unit: String, _ text: String) -> MetricPoint.Instrument {
            make(name, unit, .upDownCounter, true, text)
        }
        func time(_ name: String, _ text: String) -> MetricPoint.Instrument { make(name, "s", .counter, false, text) }
        func gauge(_ name: String, _ unit: String, _ text: String) -> MetricPoint.Instrument {
            make(name, unit, .gauge, false, text)
        }
        return switch self {
        case .systemUptime: gauge("system.uptime", "s", "The time the system has been running.")
        case .systemCPUCount: amount("system.cpu.logical.count", "{cpu}", "Logical processor cores.")
        case .systemCPUTime: time("system.cpu.time", "Seconds all logical CPUs spent on each mode.")
        case .systemCPUUtilization:
            gauge("system.cpu.utilization", "1", "Part of the time since the sample before, all CPUs together.")
        case .load1:
            gauge("system.cpu.load_average.1m", "{thread}", "Threads that run or want to, averaged over 1 minute.")
        case .load5:
            gauge("system.cpu.load_average.5m", "{thread}", "Threads that run or want to, averaged over 5 minutes.")
        case .load15:
            gauge("system.cpu.load_average.15m", "{thread}", "Threads that run or want to, averaged over 15 minutes.")
        case .contextSwitches:
            count("sidelight.system.context_switches", "{context_switch}", "Context switches of all CPUs.")
        case .processesCreated:
            count("system.process.created", "{process}", "Processes and threads created since the system was started.")
        case .memoryUsage: amount("system.memory.usage", "By", "Memory in use by state.")
        case .memoryUtilization: gauge("system.memory.utilization", "1", "Part of the memory in each state.")
        case .memoryLimit: amount("system.memory.limit", "By", "Total memory available in the system.")
        case .memoryAvailable:
            amount("system.memory.linux.available", "By", "Memory that new programs could have without swapping.")
        case .memoryShared: amount("system.memory.linux.shared", "By", "Shared memory, mostly of tmpfs.")
        case .memorySlab: amount("system.memory.linux.slab.usage", "By", "Memory the kernel uses for objects.")
        case .pagingUsage: amount("system.paging.usage", "By", "Swap by state.")
        case .pagingFaults: count("system.paging.faults", "{fault}", "Page faults.")
        case .pagingOperations: count("system.paging.operations", "{operation}", "Pages swapped in and out.")
        case .oomKills:
            count("sidelight.system.oom_kills", "{process}", "Processes the kernel killed for want of memory.")
        case .pressureTime: time("sidelight.system.pressure.time", "Time some or all tasks waited for a resource.")
        case .pressureAverage:
            gauge(
                "sidelight.system.pressure.average", "1",
                "Part of the last ten seconds some or all tasks waited for a resource.")
        case .networkIO: count("system.network.io", "By", "Bytes transmitted and received.")
        case .networkPackets: count("system.network.packet.count", "{packet}", "Packets transferred.")
        case .networkErrors: count("system.network.errors", "{error}", "Network errors.")
        case .networkDropped:
            count("system.network.packet.dropped", "{packet}", "Packets dropped though there was no error.")
        case .diskIO: count("system.disk.io", "By", "Disk bytes transferred.")
        case .diskOperations: count("system.disk.operations", "{operation}", "Disk operations.")
        case .diskMerged: count("system.disk.merged", "{operation}", "Operations merged into others.")
        case .diskOperationTime: time("system.disk.operation_time", "Sum of the time each operation took.")
        case .diskIOTime: time("system.disk.io_time", "Time the disk was active.")
        case .fileSystemUsage: amount("system.filesystem.usage", "By", "Room of a file system by state.")
        case .fileSystemUtilization:
            gauge("system.filesystem.utilization", "1", "Part of a file system that is in use.")
        case .fileSystemLimit: amount("system.filesystem.limit", "By", "Size of a file system.")
        case .fileSystemNodes:
            amount("sidelight.system.filesystem.inodes", "{inode}", "Inodes of a file system by state.")
        case .processCPUTime: time("process.cpu.time", "CPU seconds by mode.")
        case .processCPUUtilization:
            gauge(
                "process.cpu.utilization", "1",
                "CPU time since the sample before, divided by elapsed time and number of CPUs.")
        case .processMemory: amount("process.memory.usage", "By", "Physical memory in use.")
        case .processVirtual: amount("process.memory.virtual", "By", "Virtual memory.")
        case .processPeak: amount("sidelight.process.memory.peak", "By", "Most physical memory that was ever in use.")
        case .processProportional:
            amount(
                "sidelight.process.memory.proportional", "By",
                "Physical memory, pages shared by n processes counted 1/n.")
        case .processSwap: amount("sidelight.process.memory.swap", "By", "Memory that is swapped out.")
        case .processThreads: amount("process.thread.count", "{thread}", "Threads.")
        case .processDescriptors:
            amount("process.unix.file_descriptor.count", "{file_descriptor}", "File descriptors in use.")
        case .processSwitches:
            count("process.context_switches", "{context_switch}", "How often its threads were switched.")
        case .processFaults: count("process.paging.faults", "{fault}", "Page faults.")
        case .processDiskIO: count("process.disk.io", "By", "Bytes from and to the storage layer.")
        case .processUptime: gauge("process.uptime", "s", "The time the process has been running.")
        case .processRunDelay: time("sidelight.process.run_delay", "Time its threads were ready and waited for a CPU.")
        case .containerCPUTime: time("container.cpu.time", "CPU time consumed by mode.")
        case .containerCPUUsage: gauge("container.cpu.usage", "{cpu}", "CPUs in use since the sample before.")
        case .containerCPULimit: gauge("sidelight.container.cpu.limit", "{cpu}", "CPUs it may use.")
        case .containerPeriods:
            count("sidelight.container.cpu.periods", "{period}", "Periods in which it could be held back.")
        case .containerThrottledPeriods:
            count("sidelight.container.cpu.throttled_periods", "{period}", "Periods in which it was held back.")
        case .containerThrottledTime: time("sidelight.container.cpu.throttled_time", "Time its tasks were held back.")
        case .containerMemory: amount("container.memory.usage", "By", "Memory, page cache included.")
        case .containerAvailable: amount("container.memory.available", "By", "Limit less working set.")
        case .containerRSS: amount("container.memory.rss", "By", "Anonymous memory.")
        case .containerWorkingSet:
            amount("container.memory.working_set", "By", "Memory less file pages not used for long.")
        case .containerMemoryLimit: amount("sidelight.container.memory.limit", "By", "Most memory it may use.")
        case .containerMemoryPeak: amount("sidelight.container.memory.peak", "By", "Most memory it ever used.")
        case .containerSwap: amount("sidelight.container.memory.swap", "By", "Memory that is swapped out.")
        case .containerFaults: count("container.paging.faults", "{fault}", "Page faults.")
        case .containerMemoryEvents:
            count("sidelight.container.memory.events", "{event}", "What happened because of a limit.")
        case .containerProcesses: amount("sidelight.container.pids.count", "{thread}", "Processes and threads.")
        case .containerProcessLimit:
            amount("sidelight.container.pids.limit", "{thread}", "Processes and threads there may be.")
        case .containerDiskIO: count("container.disk.io", "By", "Disk bytes.")
        case .containerDiskOperations: count("sidelight.container.disk.operations", "{operation}", "Disk operations.")
        case .containerPressureTime:
            time("sidelight.container.pressure.time", "Time some or all tasks of the container waited for a resource.")
        case .containerPressureAverage:
            gauge(
                "sidelight.container.pressure.average", "1",
                "Part of the last ten seconds some or all tasks of the container waited for a resource.")
        case .samples: count("sidelight.resource.samples", "{sample}", "Samples taken.")
        case .readFailures:
            count("sidelight.resource.read_failures", "{read}", "Files that could not be read, or had no sense.")
        case .leftOut: amount("sidelight.resource.left_out", "{thing}", "What there is more than is watched.")
        case .cutTexts: count("sidelight.resource.cut_texts", "{text}", "Texts longer than what is read of one.")
        case .bursts: count("sidelight.resource.bursts", "{burst}", "Bursts of samples, by what began them.")
        case .suppressedBursts:
            count("sidelight.resource.bursts_suppressed", "{burst}", "Spikes too soon after a burst.")
        }
    }
}
