internal import Configuration
internal import Exporters
internal import Health
internal import Store
internal import System

/// How the pipelines of `agent` are. Main thread.
final class PipelineHealth: HealthSubject {
    /// What is known at a moment.
    struct Facts {
        /// That are open.
        var listeners: Int
        var exporters: [(name: String, condition: ExporterCondition)]
        /// Nil: none is kept.
        var store: StoreCounts?
        var memoryUsed: Int
        var memoryMax: Int
        /// Why the last change of the configuration was not taken; nil: it was.
        var refusal: String?
        var registrations: [RegistrationStatus] = []
    }

    /// Set before the first look.
    var facts: (() -> Facts)?
    var isEnding = false
    private var exporters = ExporterWatch()
    private var store = StoreWatch()

    func look(_ settings: HealthConfiguration, now: UInt64) -> [HealthLook] {
        guard let facts = facts?() else { return [] }
        var looks = [
            HealthLook(
                name: "receivers", measurement: "listeners", unit: "listeners", probes: .startup,
                finding: HealthFinding(.pass, value: Double(facts.listeners)))
        ]
        looks += exporters.look(facts.exporters, isDurable: true, settings, now: now)
        if let counts = facts.store { looks.append(store.look(counts)) }
        looks.append(Self.memory(facts))
        looks += RegistryLooks.looks(facts.registrations)
        let refusal = facts.refusal.map { HealthFinding(.warn, "not taken: \($0)") }
        looks.append(HealthLook(name: "configuration", measurement: "reload", need: nil, finding: refusal ?? .pass))
        return looks
    }

    private static let memoryPercentMax = 90.0

    private static func memory(_ facts: Facts) -> HealthLook {
        let percent = (Double(facts.memoryUsed) / Double(max(facts.memoryMax, 1)) * 100).rounded()
        let finding =
            percent >= memoryPercentMax
            ? HealthFinding(.warn, "\(Int(percent)) % of the memory budget are taken", value: percent)
            : HealthFinding(.pass, value: percent)
        return HealthLook(
            name: "memory", measurement: "utilization", kind: "system", unit: "percent", need: .memory, isFickle: true,
            finding: finding)
    }
}
