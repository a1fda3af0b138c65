// What a control group says of itself. Names of files: Documentation/admin-guide/cgroup-v2.rst; cgroup-v1/memory.rst, cpuacct.rst, blkio-controller.rst, pids.rst.

/// What the container uses that this process is in. What its kernel does not tell is nil.
public struct ContainerFigures: Equatable, Sendable {
    /// CPU time, nanoseconds.
    public var cpu: UInt64?
    public var cpuUser: UInt64?
    public var cpuSystem: UInt64?
    /// CPUs it may use at a time; nil: all.
    public var cpuLimit: Double?
    /// Periods in which it could be held back, those in which it was, and for how long: nanoseconds, over all CPUs.
    public var periods: UInt64?
    public var throttledPeriods: UInt64?
    public var throttled: UInt64?

    /// Bytes, page cache included.
    public var memory: UInt64?
    /// The least of its own limit and those above it; nil: none.
    public var memoryLimit: UInt64?
    public var memoryPeak: UInt64?
    /// Anonymous memory.
    public var anonymous: UInt64?
    public var inactiveFile: UInt64?
    public var swap: UInt64?
    public var minorFaults: UInt64?
    public var majorFaults: UInt64?
    public var events = MemoryEvents()

    public var processes: UInt64?
    public var processLimit: UInt64?

    public var readBytes: UInt64?
    public var writtenBytes: UInt64?
    public var readOperations: UInt64?
    public var writtenOperations: UInt64?

    public var pressure = Pressures()

    /// CPUs in use since the sample before.
    public var cpuUsage: Double?
    /// Part of the periods since the sample before in which it was held back, 0...1.
    public var throttledRatio: Double?

    /// How often something happened because of a limit.
    public struct MemoryEvents: Equatable, Sendable {
        public var low: UInt64?
        public var high: UInt64?
        public var max: UInt64?
        public var oom: UInt64?
        public var oomKill: UInt64?
    }

    public init() {}

    /// What cannot be had back at once: without the file pages that were not used for long.
    public var workingSet: UInt64? { memory.map { $0 > (inactiveFile ?? 0) ? $0 - (inactiveFile ?? 0) : 0 } }

    /// Part of the limit that is in use, 0...1.
    public var memoryRatio: Double? {
        guard let workingSet, let memoryLimit, memoryLimit > 0 else { return nil }
        return Swift.min(Double(workingSet) / Double(memoryLimit), 1)
    }

    // MARK: Files of version 2

    mutating func readCPUStat(_ bytes: UnsafeRawBufferPointer) {
        bytes.pairs { key, value in
            if key.isText("usage_usec") {
                cpu = .microseconds(value)
            } else if key.isText("user_usec") {
                cpuUser = .microseconds(value)
            } else if key.isText("system_usec") {
                cpuSystem = .microseconds(value)
            } else if key.isText("nr_periods") {
                periods = value
            } else if key.isText("nr_throttled") {
                throttledPeriods = value
            } else if key.isText("throttled_usec") {
                throttled = .microseconds(value)
            } else if key.isText("throttled_time") {
                // Version 1, nanoseconds.
                throttled = value
            }
        }
    }

    /// `MAX PERIOD`, microseconds; `max` is no limit.
    static func cpuLimit(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var text = KernelText(bytes)
        guard let quota = text.number(), let period = text.number(), period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// memory.stat of either version. In version 1 what is below this group is counted in `total_`.
    mutating func readMemoryStat(_ bytes: UnsafeRawBufferPointer, isUnified: Bool) {
        var (faults, major): (UInt64?, UInt64?) = (nil, nil)
        bytes.pairs { key, value in
            if isUnified {
                if key.isText("anon") {
                    anonymous = value
                } else if key.isText("inactive_file") {
                    inactiveFile = value
                } else if key.isText("pgfault") {
                    faults = value
                } else if key.isText("pgmajfault") {
                    major = value
                }
            } else if key.isText("total_rss") {
                anonymous = value
            } else if key.isText("total_inactive_file") {
                inactiveFile = value
            } else if key.isText("total_swap") {
                swap = value
            } else if key.isText("total_pgfault") {
                faults = value
            } else if key.isText("total_pgmajfault") {
                major = value
            }
        }
        guard let faults, let major else { return }
        majorFaults = Swift.max(major, majorFaults ?? 0)
        minorFaults = Swift.max(faults > major ? faults - major : 0, minorFaults ?? 0)
    }

    mutating func readMemoryEvents(_ bytes: UnsafeRawBufferPointer) {
        bytes.pairs { key, value in
            if key.isText("low") {
                events.low = value
            } else if key.isText("high") {
                events.high = value
            } else if key.isText("max") {
                events.max = value
            } else if key.isText("oom") {
                events.oom = value
            } else if key.isText("oom_kill") {
                events.oomKill = value
            }
        }
    }

    /// Lines `MAJOR:MINOR rbytes=… wbytes=… rios=… wios=…`, summed.
    mutating func readIOStat(_ bytes: UnsafeRawBufferPointer) {
        var (read, written, reads, writes): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var text = KernelText(bytes)
        while let line = text.line() {
            var rest = KernelText(line)
            _ = rest.word()
            while true {
                let pair = rest.word()
                if pair.isEmpty { break }
                var value = KernelText(pair)
                guard let key = value.text(upTo: UInt8(ascii: "=")), let number = value.number() else { continue }
                if key.isText("rbytes") {
                    read = read.saturatingSum(number)
                } else if key.isText("wbytes") {
                    written = written.saturatingSum(number)
                } else if key.isText("rios") {
                    reads = reads.saturatingSum(number)
                } else if key.isText("wios") {
                    writes = writes.saturatingSum(number)
                }
            }
        }
        takeIO(read, written, reads, writes)
    }

    private mutating func takeIO(_ read: UInt64, _ written: UInt64, _ reads: UInt64, _ writes: UInt64) {
        // A device that was taken away takes its counts with it.
        readBytes = Swift.max(read, readBytes ?? 0)
        writtenBytes = Swift.max(written, writtenBytes ?? 0)
        readOperations = Swift.max(reads, readOperations ?? 0)
        writtenOperations = Swift.max(writes, writtenOperations ?? 0)
    }

    // MARK: Files of version 1

    /// cpuacct.stat, ticks.
    mutating func readAccountStat(_ bytes: UnsafeRawBufferPointer, tickNanoseconds: UInt64) {
        bytes.pairs { key, value in
            let (time, isTooLarge) = value.multipliedReportingOverflow(by: tickNanoseconds)
            guard !isTooLarge else { return }
            if key.isText("user") {
                cpuUser = time
            } else if key.isText("system") {
                cpuSystem = time
            }
        }
    }

    /// memory.oom_control.
    mutating func readOOMControl(_ bytes: UnsafeRawBufferPointer) {
        bytes.pairs { key, value in if key.isText("oom_kill") { events.oomKill = value } }
    }

    /// blkio.throttle.io_service_bytes_recursive: lines `MAJOR:MINOR Read|Write|… COUNT`, summed.
    static func serviced(_ bytes: UnsafeRawBufferPointer) -> (read: UInt64, written: UInt64) {
        var sums: (read: UInt64, written: UInt64) = (0, 0)
        var text = KernelText(bytes)
        while let line = text.line() {
            var rest = KernelText(line)
            _ = rest.word()
            let operation = rest.word()
            guard let count = rest.number() else { continue }
            if operation.isText("Read") {
                sums.read = sums.read.saturatingSum(count)
            } else if operation.isText("Write") {
                sums.written = sums.written.saturatingSum(count)
            }
        }
        return sums
    }

    mutating func readServiced(bytes: UnsafeRawBufferPointer) {
        let sums = Self.serviced(bytes)
        readBytes = Swift.max(sums.read, readBytes ?? 0)
        writtenBytes = Swift.max(sums.written, writtenBytes ?? 0)
    }

    mutating func readServiced(operations: UnsafeRawBufferPointer) {
        let sums = Self.serviced(operations)
        readOperations = Swift.max(sums.read, readOperations ?? 0)
        writtenOperations = Swift.max(sums.written, writtenOperations ?? 0)
    }

    // MARK: Rates

    /// Fills in what is told of the time since the sample before.
    mutating func compare(_ before: ContainerFigures?, nanoseconds: UInt64) {
        guard let before, nanoseconds > 0 else { return }
        if let earlier = before.cpu, let now = cpu {
            cpu = Swift.max(now, earlier)
            cpuUsage = Double(cpu! - earlier) / Double(nanoseconds)
        }
        if let earlier = before.periods, let now = periods, let held = throttledPeriods,
            let heldEarlier = before.throttledPeriods
        {
            let all = now > earlier ? now - earlier : 0
            throttledRatio = all > 0 && held > heldEarlier ? Swift.min(Double(held - heldEarlier) / Double(all), 1) : 0
        }
        for kind in PressureKind.allCases {
            pressure[kind]?.compare(before.pressure[kind], nanoseconds: nanoseconds)
        }
    }
}

extension Optional<UInt64> {
    /// Microseconds as nanoseconds.
    fileprivate static func microseconds(_ value: UInt64) -> UInt64? {
        let (nanoseconds, isTooLarge) = value.multipliedReportingOverflow(by: 1_000)
        return isTooLarge ? nil : nanoseconds
    }
}
