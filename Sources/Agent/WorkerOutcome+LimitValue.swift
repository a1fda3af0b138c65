internal import Configuration
internal import Telemetry

extension WorkerOutcome {
    /// The same, with the value of the limit that was reached: milliseconds, bytes or pieces; of `cpu-window` its text.
    func withLimitValue(of limits: WorkloadLimits) -> WorkerOutcome {
        guard let name = death?.limit?.name else { return self }
        var outcome = self
        outcome.death?.limit?.value = limits.attribute(of: name)
        return outcome
    }
}

extension WorkloadLimits {
    fileprivate func attribute(of name: String) -> AttributeValue? {
        if name == CPUWindow.name { return cpuWindow.map { .string($0.text) } }
        guard let known = Name(rawValue: name), let value = self[known] else { return nil }
        return known.unit == .time ? .double(Double(value) / 1e6) : .int(Int64(clamping: value))
    }
}
