import Telemetry

extension PipelineLoader {
    /// `always`, `never`, {ratio: 0.1}, {rate: 100/s}, {levels: …} or {jaeger-remote: …}.
    func readSampling(_ section: inout FileSection) -> HeadSampling? {
        readSampling("sample", &section, isWhole: true)
    }

    /// - Parameter isWhole: Not the part of another sampling.
    private func readSampling(_ key: String, _ section: inout FileSection, isWhole: Bool) -> HeadSampling? {
        guard let node = section.node(key) else { return nil }
        let forms =
            "always, never, {ratio: 0.1}"
            + (isWhole ? ", {rate: 100/s}, {levels: {info: 0.1}} or {jaeger-remote: …}" : " or {rate: 100/s}")
        switch node.value {
        case .plain, .quoted:
            var word: SamplingWord?
            section.optional(key, &word, .sampling(forms))
            return word.map { $0 == .always ? .always : .never }
        case .mapping, .list: break
        }
        var found: [HeadSampling] = []
        section.section(key) { section in
            var ratio: Double?
            section.optional("ratio", &ratio, .number(0...1))
            if let ratio { found.append(.ratio(ratio)) }
            var rate: Double?
            section.optional("rate", &rate, .perSecond)
            if let rate { found.append(.rate(perSecond: rate)) }
            if isWhole, let remote = readRemoteSampling(&section) { found.append(.remote(remote)) }
            if isWhole, let levels = readLevelSampling(&section) { found.append(.levels(levels)) }
            let given = ["ratio", "rate", "jaeger-remote", "levels"].filter(section.has)
            if given.count != 1, case .mapping = node.value { section.error("expected \(forms)") }
        }
        return found.count == 1 ? found[0] : nil
    }

    private func readRemoteSampling(_ section: inout FileSection) -> RemoteSampling? {
        guard section.has("jaeger-remote") else {
            _ = section.node("jaeger-remote")
            return nil
        }
        var value: RemoteSampling?
        section.section("jaeger-remote", shorthand: "endpoint") { section in
            let example = "http://127.0.0.1:5778/sampling"
            var endpoint: EndpointURL?
            section.optional("endpoint", &endpoint, .url(example: example))
            if !section.has("endpoint") { section.error("endpoint", "it is missing, as in \(example)") }
            let place = endpoint ?? EndpointURL.anywhere
            var remote = RemoteSampling(
                endpoint: place.hasNoPath ? place.with(path: "/sampling", query: place.query) : place)
            section.value("interval", &remote.intervalNanoseconds, .time(1_000_000_000...86_400_000_000_000))
            if section.has("initial") {
                if let initial = readSampling("initial", &section, isWhole: false) { remote.initial = initial }
            } else {
                section.put(
                    "initial",
                    .mapping([
                        .init(key: "ratio", value: .scalar(.init(text: "0.001", isBare: true, origin: .standard)))
                    ]))
                _ = section.node("initial")
            }
            section.value("services", &remote.servicesMax, .count(1...10_000))
            if endpoint != nil { value = remote }
        }
        return value
    }

    /// Shares by level, and other ones for some services.
    private func readLevelSampling(_ section: inout FileSection) -> LevelSampling? {
        guard section.has("levels") else {
            _ = section.node("levels")
            return nil
        }
        var value = LevelSampling()
        var saysNothing = false
        section.section("levels") { section in
            value.shares = readShares(&section)
            saysNothing = section.keys.isEmpty
        }
        section.sections("services", countMax: Self.rulesMax) { section in
            var service: String?
            section.optional("service", &service, .anyText(bytesMax: 1_024))
            if !section.has("service") { section.error("which one? service is missing") }
            var changed = LevelSampling.Service(service: service ?? "")
            changed.shares = readShares(&section)
            if changed.shares.isEmpty { section.error("it changes nothing: give a level, as in debug: 0") }
            value.services.append(changed)
        }
        if saysNothing, value.services.isEmpty {
            section.error("levels", "it would keep everything: give levels, as in levels: {debug: 0, info: 0.1}")
        }
        return value
    }

    private func readShares(_ section: inout FileSection) -> [LevelSampling.Level: Double] {
        var shares: [LevelSampling.Level: Double] = [:]
        for level in LevelSampling.Level.allCases { section.optional("\(level)", &shares[level], .number(0...1)) }
        return shares
    }
}

private enum SamplingWord: String, CaseIterable { case always, never }

extension ScalarKind where Value == SamplingWord {
    /// - Parameter forms: all that may stand there, for messages.
    fileprivate static func sampling(_ forms: String) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if let word = SamplingWord(rawValue: text) { return word }
                let nearest = Spelling.nearest(text, of: ["always", "never", "ratio", "rate"])
                    .map { "; did you mean \($0)?" }
                throw WrongValue("is not one of \(forms)\(nearest ?? "")")
            },
            show: \.rawValue)
    }
}
