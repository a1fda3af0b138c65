internal import Discovery
internal import Registries
internal import Synchronization
internal import Wire

/// How one registration stands.
struct RegistrationStatus: Hashable, Sendable {
    var registry: RegistryKind
    var instance: ServiceInstance
    var state: Registration.State
    /// Unix nanoseconds.
    var stateSince: UInt64
    var failure: RegistryFailure?
    var counts: Registration.Counts
}

enum RegistryKind: String, Sendable, CaseIterable {
    case consul, etcd
    case dnsSD = "dns-sd"
    case fileSD = "file-sd"
}

/// What other threads see of registrations: the admin port's. Any thread.
final class RegistrationBoard: Sendable {
    private struct State {
        var statuses: [RegistrationStatus] = []
        var target: PrometheusTarget?
        /// Of registrations that are no more: what is counted never goes back.
        var past: [RegistryKind: Registration.Counts] = [:]
    }

    private let state = Mutex(State())

    var statuses: [RegistrationStatus] { state.withLock { $0.statuses } }
    /// What Prometheus is to scrape of this process; nil: it is not known yet, or nothing is.
    var target: PrometheusTarget? { state.withLock { $0.target } }

    func show(_ statuses: [RegistrationStatus]) { state.withLock { $0.statuses = statuses } }
    func show(_ target: PrometheusTarget?) { state.withLock { $0.target = target } }
    func keep(_ counts: Registration.Counts, of registry: RegistryKind) {
        state.withLock { $0.past[registry, default: Registration.Counts()].add(counts) }
    }

    /// `sidelight_registrations`, `sidelight_registry_answers_total`.
    func count(in counters: inout Counters) {
        let (statuses, past) = state.withLock { ($0.statuses, $0.past) }
        for registry in RegistryKind.allCases {
            let own = statuses.filter { $0.registry == registry }
            guard !own.isEmpty || past[registry] != nil else { continue }
            for state in Registration.State.allCases {
                counters.add(
                    .registrations, ["registry": registry.rawValue, "state": state.rawValue],
                    own.count { $0.state == state })
            }
            func add(_ outcome: String, _ count: UInt64) {
                counters.add(.registryAnswers, ["registry": registry.rawValue, "outcome": outcome], count)
            }
            var counts = past[registry] ?? Registration.Counts()
            for status in own { counts.add(status.counts) }
            add("registered", counts.registered)
            add("beaten", counts.beaten)
            add("deregistered", counts.deregistered)
            add("forgotten", counts.forgotten)
            add("taken", counts.taken)
            for code in RegistryFailure.Code.allCases { add(code.rawValue, counts.failed[code] ?? 0) }
        }
    }

    /// `{"registrations": [{"registry", "service", "id", "place", "state", "since", "failure"}]}`.
    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.name("registrations")
            json.array { json in
                for status in statuses {
                    json.object { json in
                        json.field("registry", status.registry.rawValue)
                        json.field("service", status.instance.name)
                        json.field("id", status.instance.id)
                        json.field("place", status.instance.place)
                        json.field("state", status.state.rawValue)
                        json.name("since")
                        json.quotedInteger(status.stateSince)
                        if let failure = status.failure { json.field("failure", failure.message) }
                    }
                }
            }
        }
        return json.bytes
    }
}
