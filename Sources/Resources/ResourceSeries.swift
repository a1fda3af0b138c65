// One walk over a snapshot gives series in an order that depends on what there is only. So who encodes them can do it once, and later writes the numbers over the old
// ones for as long as the series are the same.

internal import System
public import Telemetry

/// A number of a snapshot, and which series it belongs to.
public struct ResourceSeries: Sendable {
    /// Equal for the same instrument, attributes and process, disk, … and for no other.
    public struct Identity: Equatable, Sendable {
        private let word: UInt64

        init(_ instrument: ResourceInstrument, _ variant: UInt8, _ key: UInt32) {
            word = UInt64(key) << 16 | UInt64(variant) << 8 | UInt64(instrument.rawValue)
        }
    }

    public var identity: Identity
    public var value: Double
    /// Unix nanoseconds.
    public var startTime: UInt64
}

/// Who takes a walk's numbers.
protocol ResourceSink {
    /// - Parameters:
    ///   - variant: tells the series of one instrument and key apart.
    ///   - key: of a process, disk, …; 0: there is one only.
    mutating func put(
        _ instrument: ResourceInstrument, _ variant: UInt8, _ key: UInt32, _ value: Double, start: UInt64,
        _ attributes: @autoclosure () -> Attributes)
}

private struct SeriesSink: ResourceSink {
    var series: [ResourceSeries]

    @inline(__always)
    mutating func put(
        _ instrument: ResourceInstrument, _ variant: UInt8, _ key: UInt32, _ value: Double, start: UInt64,
        _ attributes: @autoclosure () -> Attributes
    ) {
        series.append(
            ResourceSeries(identity: ResourceSeries.Identity(instrument, variant, key), value: value, startTime: start))
    }
}

private struct PointSink: ResourceSink {
    var points: [MetricPoint] = []
    let time: UInt64

    mutating func put(
        _ instrument: ResourceInstrument, _ variant: UInt8, _ key: UInt32, _ value: Double, start: UInt64,
        _ attributes: @autoclosure () -> Attributes
    ) {
        points.append(
            MetricPoint(
                instrument: instrument.instrument, attributes: attributes(), startTime: min(start, time), time: time,
                value: value))
    }
}

extension ResourceSnapshot {
    /// Puts all numbers into an array, whose memory is used again.
    public func series(into series: inout [ResourceSeries]) {
        series.removeAll(keepingCapacity: true)
        var sink = SeriesSink(series: series)
        // One owner, or the first append would copy.
        series = []
        walk(&sink)
        series = sink.series
    }

    /// The same as points of metrics, in the same order.
    public func points() -> [MetricPoint] {
        var sink = PointSink(time: time)
        walk(&sink)
        return sink.points
    }

    private func walk<Sink: ResourceSink>(_ sink: inout Sink) {
        walkHost(&sink)
        walkDevices(&sink)
        for process in processes where process.isRead { walk(process, &sink) }
        if let container { walk(container, &sink) }
        walkCounts(&sink)
    }

    private func seconds(_ ticks: UInt64) -> Double { Double(ticks) / Double(ticksPerSecond) }

    // MARK: The machine

    private func walkHost<Sink: ResourceSink>(_ sink: inout Sink) {
        let start = bootTime
        if let uptime { sink.put(.systemUptime, 0, 0, uptime, start: start, []) }
        if let cpu {
            func put(_ variant: UInt8, _ mode: AttributeValue, _ ticks: UInt64) {
                sink.put(.systemCPUTime, variant, 0, seconds(ticks), start: start, [Attribute("cpu.mode", mode)])
            }
            sink.put(.systemCPUCount, 0, 0, Double(cpus), start: start, [])
            put(0, "user", cpu.user)
            put(1, "nice", cpu.nice)
            put(2, "system", cpu.system)
            put(3, "idle", cpu.idle)
            put(4, "iowait", cpu.iowait)
            put(5, "interrupt", cpu.interrupt)
            put(6, "steal", cpu.steal)
        }
        if let ratios = cpuRatios {
            func put(_ variant: UInt8, _ mode: AttributeValue, _ ratio: Double) {
                sink.put(.systemCPUUtilization, variant, 0, ratio, start: start, [Attribute("cpu.mode", mode)])
            }
            put(0, "user", ratios.user)
            put(1, "nice", ratios.nice)
            put(2, "system", ratios.system)
            put(3, "idle", ratios.idle)
            put(4, "iowait", ratios.iowait)
            put(5, "interrupt", ratios.interrupt)
            put(6, "steal", ratios.steal)
        }
        if let load {
            sink.put(.load1, 0, 0, load.one, start: start, [])
            sink.put(.load5, 0, 0, load.five, start: start, [])
            sink.put(.load15, 0, 0, load.fifteen, start: start, [])
        }
        if let contextSwitches { sink.put(.contextSwitches, 0, 0, Double(contextSwitches), start: start, []) }
        if let processesCreated { sink.put(.processesCreated, 0, 0, Double(processesCreated), start: start, []) }
        walkMemory(&sink)
        walk(pressure, .pressureTime, .pressureAverage, start: start, &sink)
    }

    private func walkMemory<Sink: ResourceSink>(_ sink: inout Sink) {
        let start = bootTime
        if let memory {
            func put(_ variant: UInt8, _ state: AttributeValue, _ bytes: UInt64) {
                sink.put(
                    .memoryUsage, variant, 0, Double(bytes), start: start, [Attribute("system.memory.state", state)])
                sink.put(
                    .memoryUtilization, variant, 0, min(Double(bytes) / Double(memory.total), 1), start: start,
                    [Attribute("system.memory.state", state)])
            }
            put(0, "used", memory.used)
            put(1, "free", memory.free)
            put(2, "buffers", memory.buffers)
            put(3, "cached", memory.cachedAndReclaimable)
            sink.put(.memoryLimit, 0, 0, Double(memory.total), start: start, [])
            if let available = memory.available {
                sink.put(.memoryAvailable, 0, 0, Double(available), start: start, [])
            }
            sink.put(.memoryShared, 0, 0, Double(memory.shared), start: start, [])
            sink.put(
                .memorySlab, 0, 0, Double(memory.slabReclaimable), start: start,
                [Attribute("system.memory.linux.slab.state", "reclaimable")])
            sink.put(
                .memorySlab, 1, 0, Double(memory.slabUnreclaimable), start: start,
                [Attribute("system.memory.linux.slab.state", "unreclaimable")])
            if memory.swapTotal > 0 {
                sink.put(
                    .pagingUsage, 0, 0, Double(memory.swapUsed), start: start,
                    [Attribute("system.paging.state", "used")])
                sink.put(
                    .pagingUsage, 1, 0, Double(memory.swapFree), start: start,
                    [Attribute("system.paging.state", "free")])
            }
        }
        guard let paging else { return }
        walkFaults(.pagingFaults, paging.minorFaults, paging.majorFaults, 0, start, nil, &sink)
        if let swapsIn = paging.swapsIn {
            sink.put(
                .pagingOperations, 0, 0, Double(swapsIn), start: start, [Attribute("system.paging.direction", "in")])
        }
        if let swapsOut = paging.swapsOut {
            sink.put(
                .pagingOperations, 1, 0, Double(swapsOut), start: start, [Attribute("system.paging.direction", "out")])
        }
        if let kills = paging.kills { sink.put(.oomKills, 0, 0, Double(kills), start: start, []) }
    }

    private func walkFaults<Sink: ResourceSink>(
        _ instrument: ResourceInstrument, _ minor: UInt64, _ major: UInt64, _ key: UInt32, _ start: UInt64,
        _ process: ProcessFigures?,
        _ sink: inout Sink
    ) {
        sink.put(
            instrument, 0, key, Double(minor), start: start,
            [Attribute("system.paging.fault.type", "minor")] + (process?.attributes ?? []))
        sink.put(
            instrument, 1, key, Double(major), start: start,
            [Attribute("system.paging.fault.type", "major")] + (process?.attributes ?? []))
    }

    private func walk<Sink: ResourceSink>(
        _ pressures: Pressures, _ time: ResourceInstrument, _ average: ResourceInstrument, start: UInt64,
        _ sink: inout Sink
    ) {
        for kind in PressureKind.allCases {
            guard let pressure = pressures[kind] else { continue }
            func put(_ line: Pressure.Line, _ name: AttributeValue, _ variant: UInt8) {
                let variant = UInt8(kind.rawValue) << 1 | variant
                sink.put(
                    time, variant, 0, Double(line.total) / 1e6, start: start,
                    [
                        Attribute("sidelight.pressure.resource", .string(kind.name)),
                        Attribute("sidelight.pressure.kind", name),
                    ])
                sink.put(
                    average, variant, 0, line.average, start: start,
                    [
                        Attribute("sidelight.pressure.resource", .string(kind.name)),
                        Attribute("sidelight.pressure.kind", name),
                    ])
            }
            put(pressure.some, "some", 0)
            if let full = pressure.full { put(full, "full", 1) }
        }
    }

    // MARK: Devices

    private func walkDevices<Sink: ResourceSink>(_ sink: inout Sink) {
        for interface in networks {
            func put(_ variant: UInt8, _ way: AttributeValue, _ counts: NetworkCounts.Direction) {
                func put(_ instrument: ResourceInstrument, _ value: UInt64) {
                    sink.put(
                        instrument, variant, interface.key, Double(value), start: interface.startTime,
                        [
                            Attribute("network.interface.name", .string(interface.name)),
                            Attribute("network.io.direction", way),
                        ])
                }
                put(.networkIO, counts.bytes)
                // Here the conventions name the interface as a device.
                sink.put(
                    .networkPackets, variant, interface.key, Double(counts.packets), start: interface.startTime,
                    [Attribute("system.device", .string(interface.name)), Attribute("network.io.direction", way)])
                put(.networkErrors, counts.errors)
                put(.networkDropped, counts.dropped)
            }
            put(0, "receive", interface.counts.received)
            put(1, "transmit", interface.counts.sent)
        }
        for disk in disks {
            func put(_ variant: UInt8, _ way: AttributeValue, _ counts: DiskCounts.Direction) {
                func put(_ instrument: ResourceInstrument, _ value: Double) {
                    sink.put(
                        instrument, variant, disk.key, value, start: disk.startTime,
                        [Attribute("system.device", .string(disk.name)), Attribute("disk.io.direction", way)])
                }
                put(.diskIO, Double(counts.bytes))
                put(.diskOperations, Double(counts.operations))
                put(.diskMerged, Double(counts.merged))
                put(.diskOperationTime, Double(counts.milliseconds) / 1e3)
            }
            put(0, "read", disk.counts.read)
            put(1, "write", disk.counts.written)
            sink.put(
                .diskIOTime, 0, disk.key, Double(disk.counts.busyMilliseconds) / 1e3, start: disk.startTime,
                [Attribute("system.device", .string(disk.name))])
        }
        for fileSystem in fileSystems { walk(fileSystem, &sink) }
    }

    private func walk<Sink: ResourceSink>(_ fileSystem: MountedFileSystem, _ sink: inout Sink) {
        guard let space = fileSystem.space else { return }
        func put(_ instrument: ResourceInstrument, _ variant: UInt8, _ state: AttributeValue?, _ value: Double) {
            sink.put(instrument, variant, fileSystem.key, value, start: startTime, fileSystem.attributes(state))
        }
        put(.fileSystemUsage, 0, "used", Double(fileSystem.used))
        put(.fileSystemUsage, 1, "free", Double(space.available))
        put(.fileSystemUsage, 2, "reserved", Double(fileSystem.reserved))
        put(.fileSystemUtilization, 0, "used", Double(fileSystem.used) / Double(space.total))
        put(.fileSystemLimit, 0, nil, Double(space.total))
        guard space.nodes > 0 else { return }
        put(.fileSystemNodes, 0, "used", Double(space.nodes > space.nodesFree ? space.nodes - space.nodesFree : 0))
        put(.fileSystemNodes, 1, "free", Double(space.nodesFree))
    }

    // MARK: Processes

    private func walk<Sink: ResourceSink>(_ process: ProcessFigures, _ sink: inout Sink) {
        func put(
            _ instrument: ResourceInstrument, _ variant: UInt8, _ value: Double,
            _ own: @autoclosure () -> Attributes = []
        ) {
            sink.put(instrument, variant, process.key, value, start: process.startTime, own() + process.attributes)
        }
        put(.processCPUTime, 0, seconds(process.userTicks), [Attribute("cpu.mode", "user")])
        put(.processCPUTime, 1, seconds(process.systemTicks), [Attribute("cpu.mode", "system")])
        if let usage = process.cpuUsage { put(.processCPUUtilization, 0, usage / Double(max(cpus, 1))) }
        put(.processMemory, 0, Double(process.residentBytes))
        put(.processVirtual, 0, Double(process.virtualBytes))
        if let peak = process.residentPeak { put(.processPeak, 0, Double(peak)) }
        if let proportional = process.proportionalBytes { put(.processProportional, 0, Double(proportional)) }
        if let swap = process.swapBytes { put(.processSwap, 0, Double(swap)) }
        put(.processThreads, 0, Double(process.threads))
        if let descriptors = process.descriptors { put(.processDescriptors, 0, Double(descriptors)) }
        if let voluntary = process.voluntarySwitches, let involuntary = process.involuntarySwitches {
            put(.processSwitches, 0, Double(voluntary), [Attribute("process.context_switch.type", "voluntary")])
            put(.processSwitches, 1, Double(involuntary), [Attribute("process.context_switch.type", "involuntary")])
        }
        walkFaults(
            .processFaults, process.minorFaults, process.majorFaults, process.key, process.startTime, process, &sink)
        if let read = process.readBytes {
            put(.processDiskIO, 0, Double(read), [Attribute("disk.io.direction", "read")])
        }
        if let written = process.writtenBytes {
            put(.processDiskIO, 1, Double(written), [Attribute("disk.io.direction", "write")])
        }
        put(.processUptime, 0, time > process.startTime ? Double(time - process.startTime) / 1e9 : 0)
        if let delay = process.runDelay { put(.processRunDelay, 0, Double(delay) / 1e9) }
    }

    // MARK: The container

    private func walk<Sink: ResourceSink>(_ container: ContainerFigures, _ sink: inout Sink) {
        func put(
            _ instrument: ResourceInstrument, _ variant: UInt8, _ value: Double?,
            _ own: @autoclosure () -> Attributes = []
        ) {
            if let value { sink.put(instrument, variant, 0, value, start: startTime, own()) }
        }
        func put(
            _ instrument: ResourceInstrument, _ variant: UInt8, _ value: UInt64?,
            _ own: @autoclosure () -> Attributes = []
        ) {
            if let value { sink.put(instrument, variant, 0, Double(value), start: startTime, own()) }
        }
        if let user = container.cpuUser, let system = container.cpuSystem {
            put(.containerCPUTime, 0, Double(user) / 1e9, [Attribute("cpu.mode", "user")])
            put(.containerCPUTime, 1, Double(system) / 1e9, [Attribute("cpu.mode", "system")])
        } else {
            put(.containerCPUTime, 2, container.cpu.map { Double($0) / 1e9 })
        }
        put(.containerCPUUsage, 0, container.cpuUsage)
        put(.containerCPULimit, 0, container.cpuLimit)
        put(.containerPeriods, 0, container.periods)
        put(.containerThrottledPeriods, 0, container.throttledPeriods)
        put(.containerThrottledTime, 0, container.throttled.map { Double($0) / 1e9 })
        put(.containerMemory, 0, container.memory)
        if let limit = container.memoryLimit {
            put(.containerMemoryLimit, 0, limit)
            put(.containerAvailable, 0, container.workingSet.map { limit > $0 ? limit - $0 : 0 })
        }
        put(.containerRSS, 0, container.anonymous)
        put(.containerWorkingSet, 0, container.workingSet)
        put(.containerMemoryPeak, 0, container.memoryPeak)
        put(.containerSwap, 0, container.swap)
        if let minor = container.minorFaults, let major = container.majorFaults {
            walkFaults(.containerFaults, minor, major, 0, startTime, nil, &sink)
        }
        let event = "sidelight.container.memory.event"
        put(.containerMemoryEvents, 0, container.events.low, [Attribute(event, "low")])
        put(.containerMemoryEvents, 1, container.events.high, [Attribute(event, "high")])
        put(.containerMemoryEvents, 2, container.events.max, [Attribute(event, "max")])
        put(.containerMemoryEvents, 3, container.events.oom, [Attribute(event, "oom")])
        put(.containerMemoryEvents, 4, container.events.oomKill, [Attribute(event, "oom_kill")])
        put(.containerProcesses, 0, container.processes)
        put(.containerProcessLimit, 0, container.processLimit)
        put(.containerDiskIO, 0, container.readBytes, [Attribute("disk.io.direction", "read")])
        put(.containerDiskIO, 1, container.writtenBytes, [Attribute("disk.io.direction", "write")])
        put(.containerDiskOperations, 0, container.readOperations, [Attribute("disk.io.direction", "read")])
        put(.containerDiskOperations, 1, container.writtenOperations, [Attribute("disk.io.direction", "write")])
        walk(container.pressure, .containerPressureTime, .containerPressureAverage, start: startTime, &sink)
    }

    // MARK: The sampler itself

    private func walkCounts<Sink: ResourceSink>(_ sink: inout Sink) {
        for group in ResourceGroup.allCases where counts.samples[group.rawValue] > 0 {
            sink.put(
                .samples, UInt8(group.rawValue), 0, Double(counts.samples[group.rawValue]), start: startTime,
                [Attribute("sidelight.resource.group", .string(group.name))])
        }
        for group in ResourceGroup.allCases {
            for (index, reason) in KernelFileFailure.allCases.enumerated() where counts[group, reason] > 0 {
                sink.put(
                    .readFailures, UInt8(group.rawValue << 3 | index), 0, Double(counts[group, reason]),
                    start: startTime,
                    [
                        Attribute("sidelight.resource.group", .string(group.name)),
                        Attribute("error.type", .string(reason.rawValue)),
                    ])
            }
        }
        for bound in ResourceBound.allCases where counts.leftOut[bound.rawValue] > 0 {
            sink.put(
                .leftOut, UInt8(bound.rawValue), 0, Double(counts.leftOut[bound.rawValue]), start: startTime,
                [Attribute("sidelight.resource.kind", .string(bound.name))])
        }
        if counts.cutTexts > 0 { sink.put(.cutTexts, 0, 0, Double(counts.cutTexts), start: startTime, []) }
        for reason in SpikeReason.allCases where bursts.started[reason.rawValue] > 0 {
            sink.put(
                .bursts, UInt8(reason.rawValue), 0, Double(bursts.started[reason.rawValue]), start: startTime,
                [Attribute("sidelight.resource.burst.reason", .string(reason.name))])
        }
        if bursts.suppressed > 0 { sink.put(.suppressedBursts, 0, 0, Double(bursts.suppressed), start: startTime, []) }
    }
}

extension ProcessFigures {
    /// Which process it is.
    public var attributes: Attributes {
        var attributes = [
            Attribute("process.pid", .int(Int64(pid))), Attribute("process.executable.name", .string(executableName)),
            Attribute("sidelight.process.role", .string(role.name)),
        ]
        if place >= 0 { attributes.append(Attribute("sidelight.isolate", .int(Int64(place)))) }
        return attributes
    }
}

extension MountedFileSystem {
    fileprivate func attributes(_ state: AttributeValue?) -> Attributes {
        var attributes = [
            Attribute("system.device", .string(device)), Attribute("system.filesystem.mountpoint", .string(mountPoint)),
            Attribute("system.filesystem.type", .string(type)),
            Attribute("system.filesystem.mode", isReadOnly ? "ro" : "rw"),
        ]
        if let state { attributes.append(Attribute("system.filesystem.state", state)) }
        return attributes
    }
}
