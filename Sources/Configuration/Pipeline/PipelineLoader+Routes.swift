import Telemetry

extension PipelineLoader {
    mutating func readPipelines(_ section: inout FileSection) {
        var entries = section.named("pipelines", countMax: Self.pipelinesMax) { name, position, node in
            readPipeline(name, position, node)
        }
        if entries.isEmpty {
            // Everything received goes to every exporter that takes it.
            for signal in Signal.allCases {
                let route = PipelineRoute(
                    name: signal.word, signal: signal, receivers: receivers(of: signal), processors: [],
                    exporters: exporters(of: signal))
                guard !route.receivers.isEmpty else { continue }
                configuration.pipelines.append(route)
                var section = FileSection(loading, nil, path: ["pipelines", route.name])
                var (receivers, exporters) = (route.receivers, route.exporters)
                section.list("receivers", &receivers, .text)
                section.list("exporters", &exporters, .text, isShownEmpty: true)
                entries.append(EffectiveValue.Entry(key: route.name, value: section.finish()))
            }
        }
        section.put("pipelines", .mapping(entries))
    }

    private func receivers(of signal: Signal) -> [String] {
        receiverNames.filter { signals(ofReceiver: $0)!.contains(signal) }
    }

    private func exporters(of signal: Signal) -> [String] {
        configuration.exporters.filter { $0.signals.contains(signal) }.map(\.name)
    }

    private mutating func readPipeline(_ name: String, _ position: TextPosition, _ node: YAMLNode) -> EffectiveValue? {
        let path = ["pipelines", name]
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let words = Signal.allCases.map(\.word)
        guard let signal = Signal.allCases.first(where: { $0.word == parts[0] }) else {
            let word = String(parts[0])
            loading.error(
                position, path,
                "\"\(word.shown)\" \(notOneOf(words, word)); a second one of a signal is named as in traces/second")
            return nil
        }
        if parts.count == 2, !Self.isName(parts[1]) {
            loading.error(position, path, "a name after \"/\" has 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
        }
        var section = FileSection(loading, node, at: position, path: path)
        var route = PipelineRoute(
            name: name, signal: signal, receivers: receivers(of: signal), processors: [],
            exporters: exporters(of: signal))
        section.list("receivers", &route.receivers, .text)
        section.list("processors", &route.processors, .text)
        section.list("exporters", &route.exporters, .text, isShownEmpty: true)
        check(&route, &section)
        configuration.pipelines.append(route)
        return section.finish()
    }

    /// Names that there are not, and ends that do not fit the signal.
    private func check(_ route: inout PipelineRoute, _ section: inout FileSection) {
        let signal = route.signal
        route.receivers.removeAll { offReceivers.contains($0) }
        takeDerived(&route, &section)
        func unknown(_ key: String, _ name: String, _ there: [String]) {
            guard !brokenNames.contains("\(key).\(name)") else { return }
            // Those that are there and could not be read are there all the same.
            let broken = brokenNames.filter { $0.hasPrefix("\(key).") }.map { String($0.dropFirst(key.count + 1)) }
            let there = there + broken.sorted()
            let nearest = Spelling.nearest(name, of: there).map { "; did you mean \"\($0)\"?" } ?? "."
            let list = there.isEmpty ? "There are none" : "There are: \(there.joined(separator: ", "))"
            section.error(key, "there is no \(key.dropLast()) \"\(name.shown)\"\(nearest) \(list)")
        }
        for name in route.receivers {
            guard let signals = signals(ofReceiver: name) else {
                let makers = configuration.processors.filter { $0.processor.kind.makes != nil }
                unknown("receivers", name, receiverNames + makers.map(\.name))
                continue
            }
            if !signals.contains(signal) {
                section.error("receivers", "\(name) receives \(Self.list(signals)), and no \(signal.word)")
            }
        }
        for name in route.processors {
            guard let kind = configuration.processor(name)?.kind else {
                unknown("processors", name, configuration.processors.map(\.name))
                continue
            }
            if !kind.signals.contains(signal) {
                section.error(
                    "processors",
                    "\(name) (\(kind.rawValue)) is for \(Self.list(kind.signals)), and sees no \(signal.word)")
            }
            if kind.makes != nil, let other = configuration.pipelines.first(where: { $0.processors.contains(name) }) {
                section.error(
                    "processors",
                    "\(name) is in \(other.name) already: both would make the same series; give each its own")
            }
        }
        for name in route.exporters {
            guard let exporter = configuration.exporter(name) else {
                unknown("exporters", name, configuration.exporters.map(\.name))
                continue
            }
            if !exporter.signals.contains(signal) {
                section.error("exporters", "\(name) takes \(Self.list(exporter.signals)), and no \(signal.word)")
            }
        }
        if section.has("receivers"), route.receivers.isEmpty, route.derivedFrom.isEmpty {
            section.warning("receivers", "nothing comes in here")
        }
        if section.has("exporters"), route.exporters.isEmpty, !configuration.store.isEnabled {
            section.warning("exporters", "what comes in here goes nowhere: there is no store either")
        }
    }

    /// Takes the processors out of the receivers' names. There can be no circle: what makes something else takes traces alone, and makes none.
    private func takeDerived(_ route: inout PipelineRoute, _ section: inout FileSection) {
        for name in route.receivers where signals(ofReceiver: name) == nil {
            guard let kind = configuration.processor(name)?.kind else { continue }
            route.receivers.removeAll { $0 == name }
            guard let made = kind.makes else {
                section.error(
                    "receivers", "\(name) is a processor (\(kind.rawValue)) that makes nothing of its own to take from")
                continue
            }
            guard made == route.signal else {
                section.error("receivers", "\(name) (\(kind.rawValue)) makes \(made.word), and no \(route.signal.word)")
                continue
            }
            route.derivedFrom.append(name)
        }
    }

    static func list(_ signals: Set<Signal>) -> String {
        let words = Signal.allCases.filter(signals.contains).map(\.word)
        return words.isEmpty ? "nothing" : words.joined(separator: ", ")
    }
}
