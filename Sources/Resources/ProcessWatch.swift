internal import System

/// The files of one process.
struct ProcessWatch {
    let pid: Int32
    var stat: KernelReader.Held
    var io: KernelReader.Held
    let descriptorsPath: String
    let tasksPath: String
    let statusPath: String
    let proportionalPath: String
    let executablePath: String
    var threads: [ThreadWatch] = []
    /// What threads have left that are gone.
    private var delayBefore: UInt64 = 0
    private var voluntaryBefore: UInt64 = 0
    private var involuntaryBefore: UInt64 = 0
    /// Nanoseconds its threads ran and waited in all, at the sample before.
    var ran: UInt64 = 0
    var isSeen = true

    init(pid: Int32) {
        self.pid = pid
        let folder = "/proc/\(pid)"
        stat = KernelReader.Held(folder + "/stat")
        io = KernelReader.Held(folder + "/io")
        descriptorsPath = folder + "/fd"
        tasksPath = folder + "/task"
        statusPath = folder + "/status"
        proportionalPath = folder + "/smaps_rollup"
        executablePath = folder + "/exe"
    }

    mutating func close(_ reader: KernelReader) {
        stat.close(reader)
        io.close(reader)
        for index in threads.indices { threads[index].schedule.close(reader) }
        threads = []
    }

    // MARK: Threads

    /// Looks which threads there are, at most so many. Returns how many were left out.
    mutating func findThreads(_ reader: KernelReader, countMax: Int) -> UInt64 {
        for index in threads.indices { threads[index].isSeen = false }
        var leftOut: UInt64 = 0
        do throws(KernelFileFailure) {
            try reader.files.numbers(in: tasksPath, countMax: ResourceSampler.threadsMax * 4) { thread in
                if let index = threads.firstIndex(where: { $0.thread == thread }) {
                    threads[index].isSeen = true
                } else if threads.count < countMax {
                    threads.append(ThreadWatch(thread, tasksPath))
                } else {
                    leftOut += 1
                }
            }
        } catch {
            if error != .absent { reader.counts.failed(.threads, error) }
        }
        for index in threads.indices.reversed() where !threads[index].isSeen {
            delayBefore &+= threads[index].waited
            voluntaryBefore &+= threads[index].voluntary
            involuntaryBefore &+= threads[index].involuntary
            threads[index].schedule.close(reader)
            threads.remove(at: index)
        }
        return leftOut
    }

    /// Reads how long threads ran and waited. Nil: the kernel does not say.
    mutating func readSchedules(_ reader: KernelReader) -> (ran: UInt64, waited: UInt64)? {
        var sums: (ran: UInt64, waited: UInt64) = (0, delayBefore)
        var isKnown = delayBefore > 0
        for index in threads.indices {
            if let text = reader.read(&threads[index].schedule, .processes) {
                if let schedule = ThreadSchedule(text) {
                    threads[index].ran = max(threads[index].ran, schedule.ran)
                    threads[index].waited = max(threads[index].waited, schedule.waited)
                    isKnown = true
                } else {
                    reader.malformed(.processes)
                }
            }
            sums.ran &+= threads[index].ran
            sums.waited &+= threads[index].waited
        }
        return isKnown ? sums : nil
    }

    /// Reads how often threads were switched. Nil: the kernel does not say.
    mutating func readSwitches(_ reader: KernelReader) -> (voluntary: UInt64, involuntary: UInt64)? {
        var sums: (voluntary: UInt64, involuntary: UInt64) = (voluntaryBefore, involuntaryBefore)
        var isKnown = false
        for index in threads.indices {
            if let text = reader.readOnce(threads[index].statusPath, .threads) {
                let status = ProcessStatus(text)
                if let voluntary = status.voluntary, let involuntary = status.involuntary {
                    threads[index].voluntary = max(threads[index].voluntary, voluntary)
                    threads[index].involuntary = max(threads[index].involuntary, involuntary)
                    isKnown = true
                }
            }
            sums.voluntary &+= threads[index].voluntary
            sums.involuntary &+= threads[index].involuntary
        }
        return isKnown ? sums : nil
    }
}

/// A thread of a process.
struct ThreadWatch {
    let thread: Int32
    var schedule: KernelReader.Held
    let statusPath: String
    let childrenPath: String
    /// Nanoseconds, as read last.
    var ran: UInt64 = 0
    var waited: UInt64 = 0
    var voluntary: UInt64 = 0
    var involuntary: UInt64 = 0
    var isSeen = true

    init(_ thread: Int32, _ tasks: String) {
        self.thread = thread
        let folder = "\(tasks)/\(thread)"
        schedule = KernelReader.Held(folder + "/schedstat")
        statusPath = folder + "/status"
        childrenPath = folder + "/children"
    }
}
