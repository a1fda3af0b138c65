internal import Resources
internal import Wire

/// What `/api/v1/resources` answers. docs/resources.md describes it. Pure.
enum ResourceJSON {
    static func bytes(_ snapshot: ResourceSnapshot) -> [UInt8] {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.name("timeUnixNano")
            json.quotedInteger(snapshot.time)
            json.name("host")
            json.object { json in writeHost(snapshot, &json) }
            json.name("processes")
            json.array { json in for process in snapshot.processes { write(process, snapshot, &json) } }
            json.name("container")
            if let container = snapshot.container { write(container, &json) } else { json.null() }
            json.name("networks")
            json.array { json in for interface in snapshot.networks { write(interface, &json) } }
            json.name("disks")
            json.array { json in for disk in snapshot.disks { write(disk, &json) } }
            json.name("fileSystems")
            json.array { json in for fileSystem in snapshot.fileSystems { write(fileSystem, &json) } }
        }
        return json.bytes
    }

    // MARK: The machine

    private static func writeHost(_ snapshot: ResourceSnapshot, _ json: inout JSONWriter) {
        json.number("uptimeSeconds", snapshot.uptime)
        json.put("cpus", snapshot.cpus)
        json.name("cpu")
        // Shares of all CPUs' time since the sample before.
        if let ratios = snapshot.cpuRatios {
            json.object { json in
                json.number("busy", ratios.busy)
                json.number("user", ratios.user + ratios.nice)
                json.number("system", ratios.system + ratios.interrupt)
                json.number("iowait", ratios.iowait)
                json.number("steal", ratios.steal)
            }
        } else {
            json.null()
        }
        json.name("load")
        if let load = snapshot.load {
            json.array { json in for value in [load.one, load.five, load.fifteen] { json.double(value) } }
        } else {
            json.null()
        }
        json.name("memory")
        if let memory = snapshot.memory {
            json.object { json in
                json.put("total", memory.total)
                json.put("used", memory.used)
                json.put("available", memory.available)
                json.put("swapTotal", memory.swapTotal)
                json.put("swapUsed", memory.swapUsed)
            }
        } else {
            json.null()
        }
        json.name("pressure")
        write(snapshot.pressure, &json)
    }

    private static func write(_ pressures: Pressures, _ json: inout JSONWriter) {
        json.object { json in
            for kind in PressureKind.allCases {
                guard let pressure = pressures[kind] else { continue }
                json.name(kind.name)
                json.object { json in
                    json.number("some10", pressure.some.average)
                    json.number("someSeconds", Double(pressure.some.total) / 1e6)
                    if let full = pressure.full {
                        json.number("full10", full.average)
                        json.number("fullSeconds", Double(full.total) / 1e6)
                    }
                }
            }
        }
    }

    // MARK: Processes and the container

    private static func write(_ process: ProcessFigures, _ snapshot: ResourceSnapshot, _ json: inout JSONWriter) {
        func seconds(_ ticks: UInt64) -> Double { Double(ticks) / Double(snapshot.ticksPerSecond) }
        json.object { json in
            json.put("pid", process.pid)
            json.put("parent", process.parent)
            json.field("name", process.executableName)
            json.field("role", process.role.name)
            json.put("place", process.place >= 0 ? process.place : nil)
            json.name("startTimeUnixNano")
            json.quotedInteger(process.startTime)
            json.number("userSeconds", seconds(process.userTicks))
            json.number("systemSeconds", seconds(process.systemTicks))
            // CPUs in use since the sample before.
            json.number("cpu", process.cpuUsage)
            json.number("waitingSeconds", process.runDelay.map { Double($0) / 1e9 })
            json.put("resident", process.residentBytes)
            json.put("residentPeak", process.residentPeak)
            json.put("proportional", process.proportionalBytes)
            json.put("swap", process.swapBytes)
            json.put("virtual", process.virtualBytes)
            json.put("threads", process.threads)
            json.put("descriptors", process.descriptors)
            json.put("voluntarySwitches", process.voluntarySwitches)
            json.put("involuntarySwitches", process.involuntarySwitches)
            json.put("minorFaults", process.minorFaults)
            json.put("majorFaults", process.majorFaults)
            json.put("readBytes", process.readBytes)
            json.put("writtenBytes", process.writtenBytes)
        }
    }

    private static func write(_ container: ContainerFigures, _ json: inout JSONWriter) {
        json.object { json in
            json.number("cpuSeconds", container.cpu.map { Double($0) / 1e9 })
            json.number("cpu", container.cpuUsage)
            json.number("cpuLimit", container.cpuLimit)
            json.put("throttledPeriods", container.throttledPeriods)
            json.number("throttledSeconds", container.throttled.map { Double($0) / 1e9 })
            json.put("memory", container.memory)
            json.put("workingSet", container.workingSet)
            json.put("memoryLimit", container.memoryLimit)
            json.put("oomKills", container.events.oomKill)
            json.put("processes", container.processes)
            json.put("processLimit", container.processLimit)
            json.put("readBytes", container.readBytes)
            json.put("writtenBytes", container.writtenBytes)
            json.name("pressure")
            write(container.pressure, &json)
        }
    }

    // MARK: Devices

    private static func write(_ interface: NetworkInterface, _ json: inout JSONWriter) {
        json.object { json in
            json.field("name", interface.name)
            json.put("receivedBytes", interface.counts.received.bytes)
            json.put("sentBytes", interface.counts.sent.bytes)
            json.put("receivedPackets", interface.counts.received.packets)
            json.put("sentPackets", interface.counts.sent.packets)
            json.put("errors", interface.counts.received.errors &+ interface.counts.sent.errors)
            json.put("dropped", interface.counts.received.dropped &+ interface.counts.sent.dropped)
        }
    }

    private static func write(_ disk: Disk, _ json: inout JSONWriter) {
        json.object { json in
            json.field("name", disk.name)
            json.put("readBytes", disk.counts.read.bytes)
            json.put("writtenBytes", disk.counts.written.bytes)
            json.put("reads", disk.counts.read.operations)
            json.put("writes", disk.counts.written.operations)
            json.number("busySeconds", Double(disk.counts.busyMilliseconds) / 1e3)
        }
    }

    private static func write(_ fileSystem: MountedFileSystem, _ json: inout JSONWriter) {
        guard let space = fileSystem.space else { return }
        json.object { json in
            json.field("mountPoint", fileSystem.mountPoint)
            json.field("device", fileSystem.device)
            json.field("type", fileSystem.type)
            json.put("readOnly", fileSystem.isReadOnly)
            json.put("total", space.total)
            json.put("used", fileSystem.used)
            json.put("available", space.available)
        }
    }
}

extension JSONWriter {
    /// To six places; null for what is not known.
    fileprivate mutating func number(_ name: String, _ value: Double?) {
        self.name(name)
        if let value, value.isFinite { double((value * 1e6).rounded() / 1e6) } else { null() }
    }
}
