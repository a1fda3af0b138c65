internal import Configuration
internal import Discovery
internal import Exporters
internal import Health
internal import Store
internal import Telemetry

/// One look at a component of the process itself.
struct HealthLook {
    /// Of `HealthReport.Component`.
    var name: String
    var measurement: String
    var kind = "component"
    var unit = ""
    /// What has to be among the needs for it to count for readiness; nil: it always does.
    var need: HealthConfiguration.Need?
    /// What else it counts for.
    var probes: HealthProbes = []
    /// It is a measurement that can be wrong for once: the configured numbers of failures and successes count.
    var isFickle = false
    /// Nil: there is nothing new.
    var finding: HealthFinding?
}

/// What the keeper looks at once a second. Main thread.
protocol HealthSubject: AnyObject {
    /// It was asked to end.
    var isEnding: Bool { get }
    /// All that there is, each time in the same order. Must not block.
    func look(_ settings: HealthConfiguration, now: UInt64) -> [HealthLook]
}

// MARK: What workloads and pipelines have in common

/// How exporters do, over time. Main thread.
struct ExporterWatch {
    /// Since when each has been failing, CLOCK_MONOTONIC.
    private var outages: [String: UInt64] = [:]

    /// - Parameter isDurable: its queue is on disk, and what it refuses is lost: it is a failure.
    mutating func look(
        _ exporters: [(name: String, condition: ExporterCondition)], isDurable: Bool, _ settings: HealthConfiguration,
        now: UInt64
    ) -> [HealthLook] {
        let failing = Set(exporters.filter { $0.condition.outage != nil }.map(\.name))
        outages = outages.filter { failing.contains($0.key) }
        return exporters.flatMap { name, condition in
            [
                HealthLook(
                    name: "exporter/\(name)", measurement: "outage", unit: "s", need: .exporters,
                    finding: outage(name, condition, settings, now)),
                HealthLook(
                    name: "queue/\(name)", measurement: "utilization", unit: "percent", need: .queues,
                    finding: Self.queue(condition, isDurable: isDurable, settings)),
            ]
        }
    }

    private mutating func outage(
        _ name: String, _ condition: ExporterCondition, _ settings: HealthConfiguration, _ now: UInt64
    ) -> HealthFinding {
        guard let message = condition.outage else { return HealthFinding(.pass, value: 0) }
        let since = outages[name] ?? now
        outages[name] = since
        let time = now &- since
        return HealthFinding(
            time >= settings.outageNanoseconds ? .fail : .warn, message, value: Double(time / 1_000_000_000))
    }

    private static func queue(
        _ condition: ExporterCondition, isDurable: Bool, _ settings: HealthConfiguration
    ) -> HealthFinding {
        let percent = (min(condition.fullness, 1) * 100).rounded()
        if let failure = condition.failure { return HealthFinding(.fail, failure, value: percent) }
        if condition.isFull {
            return HealthFinding(
                isDurable && !condition.evicts ? .fail : .warn,
                condition.evicts ? "full: the oldest items are dropped" : "full: what comes is not taken",
                value: percent)
        }
        guard percent >= Double(settings.queuePercent) else { return HealthFinding(.pass, value: percent) }
        return HealthFinding(.warn, "\(Int(percent)) % full", value: percent)
    }
}

/// Whether registries take what they are told: a component for each that is told anything.
enum RegistryLooks {
    static func looks(_ registrations: [RegistrationStatus]) -> [HealthLook] {
        RegistryKind.allCases.compactMap { registry in
            let own = registrations.filter { $0.registry == registry }
            guard !own.isEmpty else { return nil }
            let failing = own.filter { $0.state == .failing }
            var finding = HealthFinding.pass
            if let first = failing.first {
                let reason = first.failure.map { ": \($0.message)" } ?? ""
                let more = failing.count > 1 ? " and \(failing.count - 1) more" : ""
                finding = HealthFinding(.warn, "\(first.instance.id)\(more) cannot be kept registered\(reason)")
            }
            return HealthLook(name: "registry/\(registry.rawValue)", measurement: "registration", finding: finding)
        }
    }
}

/// Whether the store takes what it is given. Main thread.
struct StoreWatch {
    private var dropped: [StoreDropReason: Int] = [:]
    private var stored: Int?
    private var finding = HealthFinding.pass

    mutating func look(_ counts: StoreCounts) -> HealthLook {
        var now: [StoreDropReason: Int] = [:]
        for signal in Signal.allCases { now.merge(counts[signal].droppedByReason, uniquingKeysWith: +) }
        let written = Signal.allCases.reduce(0) { $0 + counts[$1].stored }
        // What was last says how it is: silence says nothing.
        if let reason = StoreDropReason.allCases.first(where: {
            $0 != .closed && now[$0, default: 0] > dropped[$0, default: 0]
        }) {
            finding = HealthFinding(.fail, "items are dropped: \(reason.rawValue)")
        } else if let stored, written > stored {
            finding = .pass
        }
        (dropped, stored) = (now, written)
        return HealthLook(name: "store", measurement: "writes", kind: "datastore", need: .store, finding: finding)
    }
}
