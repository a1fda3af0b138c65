import Wire

/// What the agent knows of its machine and of the processes of its workload: `/api/v1/resources`.
struct TopHost: Sendable {
    struct Process: Sendable {
        /// Bytes.
        var resident: Double
        /// Of a CPU, lately; nil: not known yet.
        var cpuShare: Double?
        /// Since the start.
        var cpuSeconds: Double?
        /// Unix nanoseconds.
        var startTime: UInt64 = 0
    }

    /// Unix nanoseconds, of the sample that it tells.
    var time: UInt64 = 0

    /// Of all CPUs; nil: not known yet.
    var cpuShare: Double?
    /// Of a minute.
    var load: Double?
    /// Bytes.
    var memoryUsed: Double?
    var memoryTotal: Double?
    /// Parts of the last ten seconds in which something waited for it.
    var pressure: [(resource: String, share: Double)] = []
    var processes: [Int64: Process] = [:]

    /// Processes that are taken.
    private static let processesMax = 4_096

    init(_ json: JSONValue) {
        for process in json.list("processes", Self.processesMax) {
            guard let pid = process["pid"]?.integer, let resident = process["resident"]?.known else { continue }
            var found = Process(resident: resident, cpuShare: process["cpu"]?.known)
            if let user = process["userSeconds"]?.known, let system = process["systemSeconds"]?.known {
                found.cpuSeconds = user + system
            }
            found.startTime = process.time("startTimeUnixNano")
            processes[pid] = found
        }
        time = json.time("timeUnixNano")
        guard let host = json["host"] else { return }
        cpuShare = host["cpu"]?["busy"]?.known
        load = host.list("load", 1).first?.known
        memoryUsed = host["memory"]?["used"]?.known
        memoryTotal = host["memory"]?["total"]?.known
        for resource in ["cpu", "memory", "io"] {
            if let share = host["pressure"]?[resource]?["some10"]?.known { pressure.append((resource, share)) }
        }
    }
}

extension TopHost {
    /// CPU time is told in ticks of 10 ms, once a second.
    private static let nanosecondsMin: UInt64 = 500_000_000

    /// Its processes, with shares of a CPU since an earlier one where they are known: those that it tells are of a second.
    func processes(since before: TopHost?) -> [Int64: Process] {
        guard let before, time > before.time, time - before.time >= Self.nanosecondsMin else { return processes }
        let elapsed = Double(time - before.time) / 1e9
        var changed = processes
        for (pid, process) in processes {
            guard let old = before.processes[pid], old.startTime == process.startTime, let now = process.cpuSeconds,
                let then = old.cpuSeconds
            else { continue }
            changed[pid]?.cpuShare = max(0, now - then) / elapsed
        }
        return changed
    }
}

extension JSONValue {
    /// Nil for what is no number.
    fileprivate var known: Double? {
        if case .number = self { amount } else { nil }
    }
}
