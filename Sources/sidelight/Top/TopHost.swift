import Wire

/// What the agent knows of its machine and of the processes of its workload: `/api/v1/resources`.
struct TopHost: Sendable {
    struct Process: Sendable {
        /// Bytes.
        var resident = 0.0
        /// Of a CPU; nil: not known yet.
        var cpuShare: Double?
    }

    /// Of all CPUs; nil: not known yet.
    var cpuShare: Double?
    var load: Double?
    /// Bytes.
    var memoryUsed: Double?
    var memoryTotal: Double?
    /// Shares of the last ten seconds in which something waited for it.
    var pressure: [(resource: String, share: Double)] = []
    var processes: [Int64: Process] = [:]

    init(_ json: JSONValue) {}
}
