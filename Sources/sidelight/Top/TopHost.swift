import Wire

/// What the agent knows of its machine and of the processes of its workload: `/api/v1/resources`.
struct TopHost: Sendable {
    struct Process: Sendable {
        /// Bytes.
        var resident: Double
        /// Of a CPU; nil: not known yet.
        var cpuShare: Double?
    }

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
            processes[pid] = Process(resident: resident, cpuShare: process["cpu"]?.known)
        }
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

extension JSONValue {
    /// Nil for what is no number.
    fileprivate var known: Double? {
        if case .number = self { amount } else { nil }
    }
}
