import Telemetry

extension PipelineLoader {
    /// Of the lists in one processor.
    static let rulesMax = 256

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
            var section = FileSection(loading, node, at: position, path: ["processors", name])
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
                section.value("url-template", &value.urlTemplate, .bool)
                section.value("queries", &value.queries, .choice)
                if !value.spanNames, !value.urlTemplate, value.queries == .keep {
                    section.warning(
                        "span-names", "with url-template false and queries keep, the processor does nothing")
                }
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
        case .sample: return readSampling(&section).map { .sample($0) }
        case .correlate:
            var value = Correlation()
            section.section("correlate") { section in
                section.list("trace", &value.traceKeys, .key, isShownEmpty: true)
                section.list("span", &value.spanKeys, .key, isShownEmpty: true)
            }
            return .correlate(value)
        case .tailSample: return .tailSample(readTailSampling(&section))
        case .spanMetrics: return .spanMetrics(readSpanMetrics(&section))
        case .serviceGraph: return .serviceGraph(readServiceGraph(&section))
        case .logMetrics: return .logMetrics(readLogMetrics(&section))
        case .dedupe: return .dedupe(readDeduplication(&section))
        case .js: return readScript(&section).map { .js($0) }
        }
    }

    // MARK: Attributes

    private enum ActionName: String, CaseIterable {
        case add, set, rename, delete, hash

        /// The keys that an action has beside its own: those that it needs, and those that it takes.
        var needs: String? {
            switch self {
            case .add, .set: "value"
            case .rename: "to"
            case .delete, .hash: nil
            }
        }
    }

    private func readAttributes(_ section: inout FileSection) -> [AttributeAction] {
        var actions: [AttributeAction] = []
        section.sections("attributes", countMax: Self.rulesMax) { section in
            var keys: [ActionName: String] = [:]
            for name in ActionName.allCases {
                section.optional(name.rawValue, &keys[name], name == .delete || name == .hash ? .keyPattern : .key)
            }
            let given = ActionName.allCases.filter { section.has($0.rawValue) }
            let value = readAttributeValue("value", &section)
            var to: String?
            section.optional("to", &to, .key)
            let salt = section.secret("salt")
            guard given.count == 1 else {
                section.error("expected exactly one of \(ActionName.allCases.map(\.rawValue).joined(separator: ", "))")
                return
            }
            let name = given[0]
            for key in ["value", "to", "salt"]
            where section.has(key) && key != name.needs && (key, name) != ("salt", .hash) {
                section.error(key, "\(name.rawValue) takes no \(key)")
            }
            if let needs = name.needs, !section.has(needs) { section.error(name.rawValue, "\(needs) is missing") }
            guard let key = keys[name] else { return }
            switch name {
            case .add: if let value { actions.append(.add(key: key, value: value)) }
            case .set: if let value { actions.append(.set(key: key, value: value)) }
            case .rename: if let to { actions.append(.rename(key: key, to: to)) }
            case .delete: actions.append(.delete(key: key))
            case .hash: actions.append(.hash(key: key, salt: salt))
            }
        }
        return actions
    }

    /// Text, a number or a truth value, as YAML has it: "8080" in quotes is text.
    func readAttributeValue(_ key: String, _ section: inout FileSection) -> AttributeValue? {
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
            section.list("delete", &change.delete, .keyPattern)
            section.list("detect", &change.detect, .choice)
            if change == ResourceChange(), section.keys.isEmpty {
                section.error("it does nothing: give set, delete or detect")
            }
        }
        return change
    }

    // MARK: Redaction and filter

    private func readRedaction(_ section: inout FileSection) -> Redaction {
        var value = Redaction()
        section.section("redact") { section in
            section.value("well-known", &value.masksWellKnownKeys, .bool)
            section.list("keys", &value.keys, .anyText(bytesMax: 256), isShownEmpty: true)
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
            section.sections("drop", countMax: Self.rulesMax) { section in filter.drop.append(readRule(&section)) }
            section.sections("keep", countMax: Self.rulesMax) { section in filter.keep.append(readRule(&section)) }
            if !section.has("drop"), !section.has("keep") {
                section.error(
                    "it does nothing: give drop or keep, a list of rules, as in drop: [{name: \"GET /healthz\"}]")
            }
        }
        return filter
    }

    private func readRule(_ section: inout FileSection) -> ItemFilter.Rule {
        var rule = ItemFilter.Rule()
        section.optional("signal", &rule.signal, .signalWord)
        readSpanConditions(&rule, &section)
        section.optional("severity-below", &rule.severityBelow, .severity)
        if section.keys.isEmpty { section.error("a rule without a condition would match everything") }
        if let signal = rule.signal {
            let ofSpans = ["kind", "status", "min-duration", "max-duration", "root"]
            for key in ofSpans where section.has(key) && signal != .traces {
                section.error(key, "only spans have it, and signal is \(signal.word)")
            }
            if section.has("severity-below"), signal != .logs {
                section.error("severity-below", "only logs have a severity, and signal is \(signal.word)")
            }
        }
        return rule
    }

    /// All conditions that a span can fulfil.
    func readSpanConditions(_ rule: inout ItemFilter.Rule, _ section: inout FileSection) {
        section.optional("service", &rule.service, .anyText(bytesMax: 1_024))
        rule.resource = readCondition("resource", "resource-equals", &section)
        section.optional("scope", &rule.scope, .anyText(bytesMax: 1_024))
        section.optional("name", &rule.name, .anyText(bytesMax: 1_024))
        section.optional("kind", &rule.kind, .spanKind)
        section.optional("status", &rule.status, .statusCode)
        section.optional("min-duration", &rule.durationMin, .time(1...Self.durationMax))
        section.optional("max-duration", &rule.durationMax, .time(1...Self.durationMax))
        section.optional("root", &rule.isRoot, .bool)
        rule.attribute = readCondition("attribute", "equals", &section)
        if let least = rule.durationMin, let most = rule.durationMax, least >= most {
            section.error("max-duration", "\(Units.time(most)) is not more than min-duration, \(Units.time(least))")
        }
    }

    private func readCondition(
        _ key: String, _ valueKey: String, _ section: inout FileSection
    ) -> ItemFilter.AttributeCondition? {
        var name: String?
        var value: String?
        section.optional(key, &name, .key)
        section.optional(valueKey, &value, .anyText(bytesMax: 4_096))
        if section.has(valueKey), !section.has(key) { section.error(valueKey, "of what? \(key) is missing") }
        return name.map { ItemFilter.AttributeCondition(key: $0, value: value) }
    }

    /// A year.
    static let durationMax: UInt64 = 365 * 86_400_000_000_000

    // MARK: JavaScript

    private func readScript(_ section: inout FileSection) -> ScriptConfiguration? {
        var file: String?
        section.optional("js", &file, .path)
        var value = ScriptConfiguration(file: file ?? "")
        section.value("cpu", &value.cpuNanoseconds, .time(ScriptConfiguration.cpuBounds))
        section.value("heap", &value.heapBytes, .size(ScriptConfiguration.heapBounds))
        section.value("timeout", &value.timeoutNanoseconds, .time(ScriptConfiguration.timeoutBounds))
        section.value("on-error", &value.onError, .choice)
        if value.timeoutNanoseconds <= value.cpuNanoseconds {
            let cpu = Units.time(value.cpuNanoseconds)
            section.error(
                section.has("timeout") ? "timeout" : "cpu",
                "\(Units.time(value.timeoutNanoseconds)) of timeout is not more than cpu, \(cpu)")
        }
        guard file != nil else { return nil }
        if let position = section.position(of: "js") {
            loading.scripts.append(
                ScriptSetting(name: section.path.last ?? "", script: value, position: loading.filePosition(position)))
        }
        return value
    }
}

extension ScalarKind where Value == String {
    /// Text that may be empty.
    static func anyText(bytesMax: Int) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard text.utf8.count <= bytesMax else { throw WrongValue("has more than \(bytesMax) bytes") }
                return text
            },
            show: { $0 })
    }
}

extension ScalarKind where Value == Signal {
    static var signalWord: ScalarKind { words(Signal.allCases.map { ($0.word, $0) }) }
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
    static var perSecond: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard text.hasSuffix("/s"), let number = try? number(0.001...1_000_000).parse(String(text.dropLast(2)))
                else {
                    throw WrongValue("is not a rate such as 100/s, from 0.001/s to 1000000/s")
                }
                return number
            },
            show: { "\(show($0))/s" }, isBare: true)
    }
}

extension ScalarKind where Value == SpanKind {
    static var spanKind: ScalarKind {
        words([.internal, .server, .client, .producer, .consumer].map { ("\($0)", $0) })
    }
}

extension ScalarKind where Value == SpanStatus.Code {
    static var statusCode: ScalarKind { words([.unset, .ok, .error].map { ("\($0)", $0) }) }
}

extension ScalarKind where Value: Equatable {
    fileprivate static func words(_ words: [(name: String, value: Value)]) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let word = words.first(where: { $0.name == text }) else {
                    throw WrongValue(notOneOf(words.map(\.name), text))
                }
                return word.value
            },
            show: { value in words.first { $0.value == value }?.name ?? "\(value)" })
    }
}
