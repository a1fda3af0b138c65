extension PolicyLoader {
    /// `limits:` has the names of `--limit`. docs/limits.md.
    mutating func readLimits(_ section: inout FileSection) {
        var limits = configuration.limits
        section.section("limits") { section in
            for name in WorkloadLimits.Name.allCases {
                section.optional(name.rawValue, &limits[name], .limit(name))
            }
            section.optional(CPUWindow.name, &limits.cpuWindow, .window)
        }
        configuration.limits = limits
    }
}

extension PolicyConfiguration {
    /// What holds for a workload: what `--limit` gives, else what the policy says.
    func effectiveLimits(given: WorkloadLimits) -> WorkloadLimits {
        var effective = limits
        effective.merge(given)
        // The policy's words for volume mean the same.
        let volume = policy.volume
        effective[.logsPerSecond] = effective[.logsPerSecond] ?? volume.logsPerSecond.map { UInt64($0) }
        effective[.spansPerSecond] = effective[.spansPerSecond] ?? volume.spansPerSecond.map { UInt64($0) }
        return effective
    }
}

extension WorkloadLimits {
    /// Those that are set, as a file has them.
    var texts: [(name: String, text: String)] {
        let named = Name.allCases.compactMap { name in
            self[name].map { (name: name.rawValue, text: name.text($0)) }
        }
        return named + (cpuWindow.map { [(name: CPUWindow.name, text: $0.text)] } ?? [])
    }
}

extension WorkloadLimits.Name {
    fileprivate func text(_ value: UInt64) -> String {
        switch unit {
        case .time: value == 0 ? "none" : Units.time(value)
        case .bytes: Units.size(Int(value))
        case .pieces: "\(value)"
        }
    }
}

extension ScalarKind where Value == UInt64 {
    fileprivate static func limit(_ name: WorkloadLimits.Name) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let value = name.value(text) else { throw WrongValue("is not \(name.expected)") }
                return value
            },
            show: { name.text($0) }, isBare: true)
    }
}

extension ScalarKind where Value == CPUWindow {
    fileprivate static var window: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let window = CPUWindow(text) else { throw WrongValue("is not \(CPUWindow.expected)") }
                return window
            },
            show: { $0.text })
    }
}
