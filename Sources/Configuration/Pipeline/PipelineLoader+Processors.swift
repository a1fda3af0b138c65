import Telemetry

extension PipelineLoader {
    /// Of the lists in one processor.
    private static let rulesMax = 256

    mutating func readProcessors(_ section: inout FileSection) {
        let entries = section.named("processors", countMax: Self.processorsMax) { name, position, node in
            places.processors[name] = .file(loading.filePosition(position), through: [])
            guard Self.isName(name) else {
                loading.error(
                    position, ["processors", name],
                    "a processor's name has 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
                brokenNames.insert("processors." + name)
                return nil
            }
            var section = FileSection(loading, node, path: ["processors", name])
            let processor = readProcessor(&section, position)
            let value = section.finish()
            if let processor {
                configuration.processors.append(NamedProcessor(name: name, processor: processor))
            } else {
                brokenNames.insert("processors." + name)
            }
            return value
        }
        if !entries.isEmpty { section.put("processors", .mapping(entries)) }
    }

    private func readProcessor(_ section: inout FileSection, _ position: TextPosition) -> ProcessorConfiguration? {
        let kinds = ProcessorConfiguration.Kind.allCases
        for kind in kinds { _ = section.node(kind.rawValue) }
        let given = kinds.filter { section.has($0.rawValue) }
        guard given.count == 1 else {
            // A key that is unknown is told about anyway.
            if given.count > 1 || section.keys.isEmpty {
                loading.error(
                    position, section.path,
                    "a processor has exactly one of \(kinds.map(\.rawValue).joined(separator: ", "))")
            }
            return nil
        }
        switch given[0] {
        case .attributes: return .attributes(readAttributes(&section))
        case .resource: return .resource(readResource(&section))
        case .redact: return .redact(readRedaction(&section))
        case .filter: return .filter(readFilter(&section))
        case .normalize:
            var value = Normalization()
            section.section("normalize") { section in
                section.value("span-names", &value.spanNames, .bool)
                section.value("urls", &value.urls, .bool)
                if !value.spanNames, !value.urls { section.warning("span-names", "with urls false too, it does nothing") }
            }
            return .normalize(value)
        case .limits:
            var value = ItemLimits()
            section.section("limits") { section in
                section.value("attributes", &value.attributes, .count(0...65_535))
                section.value("attribute-bytes", &value.attributeBytes, .size(1...64 << 20))
                section.value("events", &value.events, .count(0...65_535))
                section.value("links", &value.links, .count(0...65_535))
            }
            return .limits(value)
        case .sample: return readSampling(&section, "sample").map { .sample($0) }
        }
    }

    // MARK: Attributes

    private func readAttributes(_ section: inout FileSection) -> [AttributeAction] {
        var actions: [AttributeAction] = []
        section.sections("attributes", countMax: Self.rulesMax) { section in
            var key: String?
            var found: [AttributeAction] = []
            section.optional("add", &key, .key)
            if let key { found.append(.add(key: key, value: .empty)) }
            key = nil
            section.optional("set", &key, .key)
            if let key { found.append(.set(key: key, value: .empty)) }
            key = nil
            section.optional("rename", &key, .key)
            if let key { found.append(.rename(key: key, to: "")) }
            key = nil
            section.optional("delete", &key, .key)
            if let key { found.append(.delete(key: key)) }
            key = nil
            section.optional("hash", &key, .key)
            if let key { found.append(.hash(key: key)) }
            let names = ["add", "set", "rename", "delete", "hash"]
            let given = names.filter { section.has($0) }
            let value = readAttributeValue("value", &section)
            var to: String?
            section.optional("to", &to, .key)
            guard given.count == 1 else {
                loading.error(
                    section.position ?? TextPosition(line: 1, column: 1), section.path,
                    "expected exactly one of \(names.joined(separator: ", "))")
                return
            }
            let needs = given[0] == "add" || given[0] == "set" ? "value" : given[0] == "rename" ? "to" : nil
            for key in ["value", "to"] where section.has(key) && key != needs {
                section.error(key, "\(given[0]) takes no \(key)")
            }
            if let needs, !section.has(needs) { section.error(given[0], "\(needs) is missing") }
            switch found.first {
            case .add(let key, _): if let value { actions.append(.add(key: key, value: value)) }
            case .set(let key, _): if let value { actions.append(.set(key: key, value: value)) }
            case .rename(let key, _): if let to { actions.append(.rename(key: key, to: to)) }
            case let action?: actions.append(action)
            case nil: break
            }
        }
        return actions
    }

    /// Text, a number or a truth value, as YAML has it: "8080" in quotes is text.
    private func readAttributeValue(_ key: String, _ section: inout FileSection) -> AttributeValue? {
        guard let node = section.node(key), let text = loading.scalar(node, section.path + [key]) else { return nil }
        let value = text.isPlain ? PlainScalar.attributeValue(text.text) : .string(text.text)
        if text.isNull {
            loading.error(node.position, section.path + [key], "it has no value; \"\" is empty text")
            return nil
        }
        var isText = false
        if case .string = value { isText = true }
        section.note(key, text.text, isBare: !isText, text.origin)
        return value
    }

    private func readResource(_ section: inout FileSection) -> ResourceChange {
        var change = ResourceChange()
        section.section("resource") { section in
            section.section("set") { section in
                for key in section.keys.prefix(Self.rulesMax) {
                    if key.isEmpty { section.error(key, "an attribute needs a key") }
                    guard let value = readAttributeValue(key, &section) else { continue }
                    change.set.append(Attribute(key, value))
                }
            }
            section.list("delete", &change.delete, .key)
            section.list("detect", &change.detect, .choice)
            if change == ResourceChange(), section.keys.isEmpty {
                section.error("set", "the processor does nothing: give set, delete or detect")
            }
        }
        return change
    }

    // MARK: Redaction and filter

    private func readRedaction(_ section: inout FileSection) -> Redaction {
        var value = Redaction()
        section.section("redact") { section in
            section.value("well-known", &value.masksWellKnownKeys, .bool)
            section.list("keys", &value.keys, .key, isShownEmpty: true)
            section.list("patterns", &value.patterns, .choice, isShownEmpty: true)
            section.value("replace", &value.replacement, .anyText(bytesMax: 256))
            if !value.masksWellKnownKeys, value.keys.isEmpty, value.patterns.isEmpty {
                section.warning("patterns", "without well-known, keys and patterns it does nothing")
            }
        }
        return value
    }

    private func readFilter(_ section: inout FileSection) -> ItemFilter {
        var filter = ItemFilter()
        section.section("filter") { section in
            if !section.has("drop") { section.error("drop", "it is missing: a list of rules, as in [{name: \"GET /healthz\"}]") }
            section.sections("drop", countMax: Self.rulesMax) { section in
                var rule = ItemFilter.Rule()
                section.optional("signal", &rule.signal, .signalWord)
                section.optional("service", &rule.service, .anyText(bytesMax: 1_024))
                section.optional("name", &rule.name, .anyText(bytesMax: 1_024))
                section.optional("severity-below", &rule.severityBelow, .severity)
                section.optional("attribute", &rule.attribute, .key)
                section.optional("equals", &rule.equals, .anyText(bytesMax: 4_096))
                if section.keys.isEmpty {
                    loading.error(
                        section.position ?? TextPosition(line: 1, column: 1), section.path,
                        "a rule without a condition would drop everything")
                }
                if rule.equals != nil, !section.has("attribute") { section.error("equals", "of which attribute? attribute is missing") }
                if rule.severityBelow != nil, let signal = rule.signal, signal != .logs {
                    section.error("severity-below", "only logs have a severity, and signal is \(signal.word)")
                }
                filter.drop.append(rule)
            }
        }
        return filter
    }

    // MARK: Sampling

    /// `always`, `never`, {ratio: 0.1}, {rate: 100/s} or {parent: one of these}.
    private func readSampling(_ section: inout FileSection, _ key: String) -> HeadSampling? {
        guard let node = section.node(key) else { return nil }
        let path = section.path + [key]
        switch node.value {
        case .plain, .quoted:
            var word: SamplingWord?
            section.optional(key, &word, .choice)
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
            // A parent's root is no parent: that would be the same decision once more.
            if key != "parent", let root = readSampling(&section, "parent") { found.append(.parent(root: root)) }
            if key != "parent" { _ = section.node("parent") }
            let names = ["ratio", "rate", "parent"].filter { $0 != key }
            if names.count(where: { section.has($0) }) != 1, case .mapping = node.value {
                loading.error(
                    node.position, path,
                    "expected always, never, or exactly one of \(names.joined(separator: ", "))")
            }
        }
        return found.count == 1 ? found[0] : nil
    }

    private enum SamplingWord: String, CaseIterable { case always, never }
}

extension ScalarKind where Value == String {
    /// Text that may be empty.
    fileprivate static func anyText(bytesMax: Int) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard text.utf8.count <= bytesMax else { throw WrongValue("has more than \(bytesMax) bytes") }
                return text
            },
            show: { $0 })
    }
}

extension ScalarKind where Value == Signal {
    static var signalWord: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let signal = Signal.allCases.first(where: { $0.word == text }) else {
                    throw WrongValue(notOneOf(Signal.allCases.map(\.word), text))
                }
                return signal
            },
            show: \.word)
    }
}

extension ScalarKind where Value == Int {
    private static var severities: [(name: String, number: Int)] {
        [("trace", 1), ("debug", 5), ("info", 9), ("warn", 13), ("error", 17), ("fatal", 21)]
    }

    /// OTLP's severity number by the name of its range.
    /// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber>
    fileprivate static var severity: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let severity = severities.first(where: { $0.name == text }) else {
                    throw WrongValue(notOneOf(severities.map(\.name), text))
                }
                return severity.number
            },
            show: { number in severities.first { $0.number == number }?.name ?? "\(number)" })
    }
}

extension ScalarKind where Value == Double {
    /// "100/s".
    fileprivate static var perSecond: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard text.hasSuffix("/s"), let number = try? number(0.001...1_000_000).parse(String(text.dropLast(2))) else {
                    throw WrongValue("is not a rate such as 100/s, from 0.001/s to 1000000/s")
                }
                return number
            },
            show: { "\(show($0))/s" }, isBare: true)
    }
}
