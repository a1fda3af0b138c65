internal import Telemetry
internal import Wire

// As text, in the form of Kubernetes' own servers (<https://kubernetes.io/docs/reference/using-api/health-checks/>), and as JSON by
// draft-inadarei-api-health-check-06 <https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06>.

extension HealthReport {
    /// A line for each component that the probe looks at, and one for all.
    /// - Parameters:
    ///   - isVerbose: also those that are well.
    ///   - hindrance: why the probe fails whatever the components say.
    public func text(_ probe: HealthProbes, named name: String, isVerbose: Bool, hindrance: String?) -> String {
        let failing = Set(failing(probe).map(\.name))
        let passes = hindrance == nil && self.passes(probe)
        guard isVerbose || !passes else { return "ok\n" }
        var text = ""
        if let hindrance { text += "[-]\(hindrance)\n" }
        if let state, !passes { text += "[-]\(state)\n" }
        for component in components where component.probes.contains(probe) {
            let isFailing = failing.contains(component.name)
            guard isVerbose || isFailing else { continue }
            text += isFailing ? "[-]\(component.name) failed" : "[+]\(component.name) \(component.mildWord)"
            if !component.reason.isEmpty { text += ": \(component.reason)" }
            if component.status != .pass {
                text += " (since \(UnixTime.text(component.since, fractionDigits: 3)))"
            }
            text += "\n"
        }
        return text + "\(name) check \(passes ? "passed" : "failed")\n"
    }

    /// `application/health+json`.
    /// - Parameters:
    ///   - probe: components that it does not look at are left out; nil: all, and the status of all.
    ///   - hindrance: why it fails whatever the components say.
    public func json(_ probe: HealthProbes? = nil, hindrance: String?) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            let status: HealthStatus =
                hindrance != nil ? .fail : probe.map { passes($0) ? .pass : .fail } ?? self.status
            json.field("status", status.word)
            json.field("version", "1")
            json.field("releaseId", version)
            json.field("serviceId", service)
            json.field("description", description)
            let output = hindrance ?? (probe == .liveness ? nil : state) ?? ""
            if !output.isEmpty { json.field("output", output) }
            json.name("checks")
            json.object { json in
                for component in components where probe.map(component.probes.contains) ?? true {
                    json.name("\(component.name):\(component.measurement)")
                    json.array { json in json.object { json in component.write(&json) } }
                }
            }
        }
        return json.bytes
    }
}

extension HealthReport.Component {
    /// Of one for which the probe does not fail.
    fileprivate var mildWord: String {
        isStarting ? "starting" : status == .pass ? "ok" : status.word
    }

    fileprivate func write(_ json: inout JSONWriter) {
        json.field("componentType", kind)
        if let value, !unit.isEmpty {
            json.name("observedValue")
            json.double(value)
            json.field("observedUnit", unit)
        }
        json.field("status", status.word)
        if time > 0 { json.field("time", UnixTime.text(time, fractionDigits: 3)) }
        // The draft wants none where nothing is wrong.
        if !reason.isEmpty { json.field("output", reason) }
        // Further members, which it allows.
        json.field("since", UnixTime.text(since, fractionDigits: 3))
        json.name("affects")
        json.array { json in
            for (probe, word) in [
                (HealthProbes.startup, "startup"), (.liveness, "liveness"), (.readiness, "readiness"),
            ] where probes.contains(probe) {
                json.string(word)
            }
        }
        if isStarting {
            json.name("starting")
            json.bool(true)
        }
        if isFlapping {
            json.name("flapping")
            json.bool(true)
        }
    }
}
