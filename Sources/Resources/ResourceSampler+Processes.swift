internal import System

// `watches` and `snapshot.processes` are of the same processes in the same order.

extension ResourceSampler {
    /// - Parameter withThreads: looks for new threads and children too.
    func sampleProcesses(_ snapshot: inout ResourceSnapshot, withThreads: Bool) {
        if withThreads { findProcesses(&snapshot) }
        var hasEnded = false
        let (bootTime, time) = (snapshot.bootTime, snapshot.time)
        for index in watches.indices {
            let isThere = sampleProcess(
                index, &snapshot.processes[index], bootTime: bootTime, time: time, withThreads: withThreads)
            guard !isThere else { continue }
            watches[index].isSeen = false
            hasEnded = true
        }
        if hasEnded { dropUnseen(&snapshot) }
        processesAt = reader.now
    }

    /// False: it is gone.
    private func sampleProcess(
        _ index: Int, _ figures: inout ProcessFigures, bootTime: UInt64, time: UInt64, withThreads: Bool
    ) -> Bool {
        guard let text = reader.read(&watches[index].stat, .processes) else {
            return watches[index].stat.failure != .absent
        }
        let nameBefore = figures.name
        guard let stat = ProcessStat(text, name: &figures.name) else {
            reader.malformed(.processes)
            return true
        }
        // Nobody has asked for its exit code yet; it uses nothing more.
        if stat.isZombie { return false }
        if figures.isRead, figures.name != nameBefore { figures.key = nextKey() }
        if !figures.isRead || figures.name != nameBefore { figures.longName = longName(index, figures.name) }
        let elapsed = Double(reader.now &- processesAt) / 1e9
        let ticks = figures.userTicks &+ figures.systemTicks
        figures.parent = stat.parent
        figures.minorFaults = max(figures.minorFaults, stat.minorFaults)
        figures.majorFaults = max(figures.majorFaults, stat.majorFaults)
        figures.userTicks = max(figures.userTicks, stat.userTicks)
        figures.systemTicks = max(figures.systemTicks, stat.systemTicks)
        figures.threads = stat.threads
        figures.virtualBytes = stat.virtualBytes
        let (resident, isTooLarge) = stat.residentPages.multipliedReportingOverflow(by: machine.pageBytes)
        figures.residentBytes = isTooLarge ? 0 : resident
        if !figures.isRead {
            let since = Double(stat.startTicks) / Double(machine.ticksPerSecond) * 1e9
            figures.startTime = since < 1e18 ? min(bootTime &+ UInt64(since), time) : time
        }
        if let text = reader.read(&watches[index].io, .processes) {
            if let io = ProcessIO(text) {
                figures.readBytes = max(figures.readBytes ?? 0, io.read)
                figures.writtenBytes = max(figures.writtenBytes ?? 0, io.written)
            } else {
                reader.malformed(.processes)
            }
        }
        let delayBefore = figures.runDelay
        let ranBefore = watches[index].ran
        let schedules = watches[index].readSchedules(reader)
        if let schedules {
            figures.runDelay = max(figures.runDelay ?? 0, schedules.waited)
            watches[index].ran = schedules.ran
        }
        if figures.isRead, elapsed > 0 {
            let now = figures.userTicks &+ figures.systemTicks
            // Ticks are of 10 ms; the scheduler knows it to the nanosecond, where all threads are watched.
            if let schedules, schedules.ran >= ranBefore, !withThreads,
                UInt64(watches[index].threads.count) == stat.threads
            {
                figures.cpuUsage = Double(schedules.ran - ranBefore) / 1e9 / elapsed
            } else {
                figures.cpuUsage = Double(now >= ticks ? now - ticks : 0) / Double(machine.ticksPerSecond) / elapsed
            }
            if let delayBefore, let delay = figures.runDelay {
                figures.delayUsage = Double(delay - delayBefore) / 1e9 / elapsed
            }
        }
        if withThreads { sampleThreads(index, &figures) }
        figures.isRead = true
        return true
    }

    /// Of a program whose name is longer than what the kernel keeps. One that has named itself otherwise has that name.
    private func longName(_ index: Int, _ name: ProcessName) -> String? {
        guard name.isFull, let path = try? reader.files.target(of: watches[index].executablePath) else { return nil }
        let deleted = " (deleted)"
        let whole = path.hasSuffix(deleted) ? path.dropLast(deleted.count) : path[...]
        guard let last = whole.split(separator: "/").last, last.hasPrefix(name.text) else { return nil }
        return String(last)
    }

    private func sampleThreads(_ index: Int, _ figures: inout ProcessFigures) {
        if let text = reader.readOnce(watches[index].statusPath, .threads) {
            let status = ProcessStatus(text)
            figures.residentPeak = status.residentPeak
            figures.swapBytes = status.swap
        }
        if let switches = watches[index].readSwitches(reader) {
            figures.voluntarySwitches = max(figures.voluntarySwitches ?? 0, switches.voluntary)
            figures.involuntarySwitches = max(figures.involuntarySwitches ?? 0, switches.involuntary)
        }
        do throws(KernelFileFailure) {
            figures.descriptors = UInt64(try reader.files.count(in: watches[index].descriptorsPath))
        } catch {
            figures.descriptors = nil
            if error != .absent { reader.counts.failed(.threads, error) }
        }
    }

    // MARK: Which there are

    /// The roots and what they have started, and what that has started.
    private func findProcesses(_ snapshot: inout ResourceSnapshot) {
        areRootsNew = false
        for index in watches.indices { watches[index].isSeen = false }
        var leftOut: UInt64 = 0
        for root in roots { see(root, &snapshot, &leftOut) }
        var threadsLeft = Self.threadsMax
        var threadsLeftOut: UInt64 = 0
        // Children are appended, so they come up in the same loop; what was watched and is no longer anybody's is not seen.
        var index = 0
        while index < watches.count {
            threadsLeftOut += watches[index].findThreads(reader, countMax: threadsLeft)
            threadsLeft = max(threadsLeft - watches[index].threads.count, 0)
            for thread in watches[index].threads.indices where watches[index].isSeen {
                guard let text = reader.readOnce(watches[index].threads[thread].childrenPath, .threads) else {
                    continue
                }
                var children = KernelText(text)
                while let pid = children.number() {
                    see(ProcessRoot(pid: Int32(clamping: pid), role: .child), &snapshot, &leftOut)
                }
            }
            index += 1
        }
        reader.counts.leftOut[ResourceBound.processes.rawValue] = leftOut
        reader.counts.leftOut[ResourceBound.threads.rawValue] = threadsLeftOut
        if watches.contains(where: { !$0.isSeen }) { dropUnseen(&snapshot) }
    }

    private func see(_ root: ProcessRoot, _ snapshot: inout ResourceSnapshot, _ leftOut: inout UInt64) {
        guard root.pid > 0 else { return }
        if let index = watches.firstIndex(where: { $0.pid == root.pid }) {
            // What the roots say of it was said before.
            guard !watches[index].isSeen else { return }
            watches[index].isSeen = true
            guard root.role != .child,
                snapshot.processes[index].role != root.role || snapshot.processes[index].place != root.place
            else { return }
            (snapshot.processes[index].role, snapshot.processes[index].place) = (root.role, root.place)
            snapshot.processes[index].key = nextKey()
            return
        }
        guard watches.count < Self.processesMax else {
            leftOut += 1
            return
        }
        watches.append(ProcessWatch(pid: root.pid))
        snapshot.processes.append(ProcessFigures(key: nextKey(), root))
    }

    private func dropUnseen(_ snapshot: inout ResourceSnapshot) {
        for index in watches.indices.reversed() where !watches[index].isSeen {
            watches[index].close(reader)
            watches.remove(at: index)
            snapshot.processes.remove(at: index)
        }
        proportionalLeft = min(proportionalLeft, watches.count)
    }

    // MARK: Proportional size

    /// Of one process a sample.
    func sampleProportionalSize(_ snapshot: inout ResourceSnapshot) {
        let index = watches.count - proportionalLeft
        guard watches.indices.contains(index) else {
            proportionalLeft = 0
            return
        }
        proportionalLeft -= 1
        guard snapshot.processes[index].residentBytes <= Self.proportionalBytesMax else {
            snapshot.processes[index].proportionalBytes = nil
            return
        }
        guard let text = reader.readOnce(watches[index].proportionalPath, .pss) else { return }
        snapshot.processes[index].proportionalBytes = proportionalBytes(text)
        if snapshot.processes[index].proportionalBytes == nil { reader.malformed(.pss) }
    }
}
