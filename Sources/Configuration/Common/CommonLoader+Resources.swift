extension CommonLoader {
    mutating func readResources(_ section: inout FileSection) {
        var resources = configuration.resources
        section.section("resources", shorthand: "enabled") { section in
            section.value("enabled", &resources.isEnabled, .onOrOff)
            for group in ResourcesConfiguration.Group.allCases {
                section.value(group.rawValue, &resources[group], .intervalOrOff)
            }
            section.section("burst", shorthand: "enabled") { section in
                section.value("enabled", &resources.burst.isEnabled, .onOrOff)
                section.value("cpu", &resources.burst.cpu, .count(1...100))
                section.value("process-cpu", &resources.burst.processCPU, .count(1...100_000))
                section.value("throttling", &resources.burst.throttling, .count(1...100))
                section.value("pressure-cpu", &resources.burst.pressureCPU, .count(1...100))
                section.value("pressure-memory", &resources.burst.pressureMemory, .count(1...100))
                section.value("pressure-io", &resources.burst.pressureIO, .count(1...100))
                section.value("memory", &resources.burst.memory, .count(1...100))
                section.value("stalls", &resources.burst.isOfStalls, .onOrOff)
                section.value(
                    "length", &resources.burst.lengthNanoseconds, .time(Self.resourceSecond...60 * Self.resourceSecond))
                section.value(
                    "interval", &resources.burst.intervalNanoseconds,
                    .time(Self.resourceSecond / 20...Self.resourceSecond))
                section.value(
                    "pause", &resources.burst.pauseNanoseconds, .time(Self.resourceSecond...3_600 * Self.resourceSecond)
                )
            }
        }
        // `serve` and `run` tell of one that makes no sense.
        if let text = section.loading.environment["OTEL_METRIC_EXPORT_INTERVAL"], let milliseconds = Int32(text),
            milliseconds > 0
        {
            resources.exportNanoseconds = UInt64(milliseconds) * 1_000_000
        }
        configuration.resources = resources
    }

    private static let resourceSecond: UInt64 = 1_000_000_000
}

extension ScalarKind where Value == UInt64? {
    fileprivate static var intervalOrOff: ScalarKind {
        let time = ScalarKind<UInt64>.time(100_000_000...3_600_000_000_000)
        return ScalarKind(
            parse: { text throws(WrongValue) in
                if text == "off" || text == "false" { return nil }
                do throws(WrongValue) {
                    return try time.parse(text)
                } catch {
                    throw WrongValue(error.message + ", or off")
                }
            },
            show: { $0.map(time.show) ?? "off" }, isBare: true)
    }
}

extension ScalarKind where Value == Bool {
    fileprivate static var onOrOff: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                switch text {
                case "on", "true": return true
                case "off", "false": return false
                default: throw WrongValue("is not on or off")
                }
            },
            show: { $0 ? "on" : "off" }, isBare: true)
    }
}
