extension CommonLoader {
    private static let second: UInt64 = 1_000_000_000

    mutating func readHealth(_ section: inout FileSection) {
        var health = configuration.health
        section.section("health") { section in
            section.value("interval", &health.intervalNanoseconds, Self.interval)
            section.value("timeout", &health.timeoutNanoseconds, Self.timeout)
            section.value("failures", &health.failures, .count(1...100))
            section.value("successes", &health.successes, .count(1...100))
            section.value("start", &health.startNanoseconds, Self.start)
            section.value("damping", &health.halfLifeNanoseconds, .timeOrOff(Self.second...3_600 * Self.second))
            section.value("stall", &health.stallNanoseconds, .time(Self.second...3_600 * Self.second))
            section.value("heap", &health.heapPercent, .count(1...100))
            section.value("restarts", &health.restarts, .count(1...1_000))
            section.value(
                "restart-window", &health.restartWindowNanoseconds, .time(Self.second...86_400 * Self.second))
            section.value("outage", &health.outageNanoseconds, .time(Self.second...86_400 * Self.second))
            section.value("queue", &health.queuePercent, .count(1...100))
            section.list("needs", &health.needs, .choice, isShownEmpty: true)
            let loading = section.loading
            let entries = section.named("checks", countMax: HealthConfiguration.checksMax) { name, position, node in
                Self.read(name, position, node, loading, &health)
            }
            if section.has("checks") { section.put("checks", .mapping(entries)) }
        }
        configuration.health = health
    }

    private static var interval: ScalarKind<UInt64> { .time(100_000_000...3_600 * second) }
    private static var timeout: ScalarKind<UInt64> { .time(10_000_000...600 * second) }
    private static var start: ScalarKind<UInt64> { .time(1_000_000...86_400 * second) }

    private static func read(
        _ name: String, _ position: TextPosition, _ node: YAMLNode, _ loading: FileLoading,
        _ health: inout HealthConfiguration
    ) -> EffectiveValue? {
        let path = ["health", "checks", name]
        guard PipelineLoader.isName(name) else {
            loading.error(position, path, "a name has 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
            return nil
        }
        guard !HealthConfiguration.takenNames.contains(name) else {
            loading.error(position, path, "this name is taken; another one is needed")
            return nil
        }
        var section = FileSection(loading, node, at: position, path: path)
        var (url, place): (EndpointURL?, HostPort?) = (nil, nil)
        section.optional("http", &url, .url(example: "http://127.0.0.1:8080/healthz"))
        section.optional("tcp", &place, .place(example: "127.0.0.1:5432"))
        var check = HealthCheckConfiguration(name, .tcp(HostPort(host: "", port: 0)), health)
        if section.has("http"), let target = readAnswer(url, &section) { check.target = target }
        if let place { check.target = .tcp(place) }
        section.value("interval", &check.intervalNanoseconds, interval)
        section.value("timeout", &check.timeoutNanoseconds, timeout)
        section.value("failures", &check.failures, .count(1...100))
        section.value("successes", &check.successes, .count(1...100))
        section.value("start", &check.startNanoseconds, start)
        section.value("affects", &check.affects, .choice)
        switch (section.has("http"), section.has("tcp")) {
        case (true, true): section.error("tcp", "it is a check of http already; one of both is left out")
        case (false, false): section.error("what is to be asked? http: URL or tcp: HOST:PORT is missing")
        default: if url != nil || place != nil { health.checks.append(check) }
        }
        return section.finish()
    }

    /// - Parameter url: Nil: it was wrong, and what else there is is read all the same.
    private static func readAnswer(
        _ url: EndpointURL?, _ section: inout FileSection
    ) -> HealthCheckConfiguration.Target? {
        var statuses = 200...399
        var text: String?
        section.value("status", &statuses, .statuses)
        section.optional("body", &text, .bodyText)
        return url.map { .http($0, statuses: statuses, text: text) }
    }
}

extension ScalarKind where Value == UInt64? {
    fileprivate static func timeOrOff(_ bounds: ClosedRange<UInt64>) -> ScalarKind {
        let time = ScalarKind<UInt64>.time(bounds)
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

extension ScalarKind where Value == ClosedRange<Int> {
    fileprivate static var statuses: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
                    part.utf8.count == 3 && part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
                }
                guard (1...2).contains(parts.count), let first = parts[0], let last = parts[parts.count - 1],
                    first <= last, (100...599).contains(first), (100...599).contains(last)
                else { throw WrongValue("is not a status of HTTP, or two as in 200-299") }
                return first...last
            },
            show: { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" })
    }
}

extension ScalarKind where Value == String {
    fileprivate static var bodyText: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.isEmpty, text.utf8.count <= HealthConfiguration.textBytesMax else {
                    throw WrongValue("has not 1 to \(HealthConfiguration.textBytesMax) bytes")
                }
                return text
            },
            show: { $0 })
    }
}
