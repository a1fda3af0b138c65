internal import Configuration
internal import Telemetry
internal import Wire

extension ItemFilter.Rule {
    private var isForSpans: Bool {
        kind != nil || status != nil || durationMin != nil || durationMax != nil || isRoot != nil
    }

    func canApply(to signal: Signal) -> Bool {
        if let wanted = self.signal, wanted != signal { return false }
        if isForSpans, signal != .traces { return false }
        return severityBelow == nil || signal == .logs
    }
}

/// A rule, ready to be compared.
struct CompiledRule {
    struct Condition {
        let key: TextPattern
        let value: TextPattern?

        init(_ condition: ItemFilter.AttributeCondition) {
            self.init(key: condition.key, value: condition.value)
        }

        init(key: String, value: String?) {
            self.key = TextPattern(glob: key)
            self.value = value.map { TextPattern(glob: $0) }
        }
    }

    let number: Int
    let rule: ItemFilter.Rule
    let service: Condition?
    let resource: Condition?
    let scope: TextPattern?
    let name: TextPattern?
    let attribute: Condition?

    init(_ rule: ItemFilter.Rule, number: Int) {
        self.number = number
        self.rule = rule
        service = rule.service.map { Condition(key: "service.name", value: $0) }
        resource = rule.resource.map { Condition($0) }
        scope = rule.scope.map { TextPattern(glob: $0) }
        name = rule.name.map { TextPattern(glob: $0) }
        attribute = rule.attribute.map { Condition($0) }
    }

    /// What the index knows.
    @inline(__always)
    func allows(_ item: Batch.Item) -> Bool {
        if let kind = rule.kind, kind.rawValue != item.kind { return false }
        if let status = rule.status, status.rawValue != item.status { return false }
        if rule.durationMin != nil || rule.durationMax != nil {
            let duration = item.end > item.start ? item.end - item.start : 0
            if let least = rule.durationMin, duration < least { return false }
            if let most = rule.durationMax, duration >= most { return false }
        }
        if let isRoot = rule.isRoot, isRoot == item.parentSpanID.isValid { return false }
        if let severity = rule.severityBelow {
            // A record that does not say how severe it is is not known to be below anything.
            let known = Int(item.status)
            if known == 0 || known >= severity { return false }
        }
        return true
    }
}

/// A rule that can apply to items of a batch: what is the same for the whole batch is fulfilled.
struct ActiveRule {
    enum Found { case yes, no, malformed }

    let rule: CompiledRule
    /// The resource fulfils the condition on an attribute.
    let resourceHasAttribute: Bool
    /// By the scopes' numbers; empty: all.
    let scopes: [Bool]

    static func active(_ rules: [CompiledRule], _ batch: borrowing Batch) -> [ActiveRule] {
        var active: [ActiveRule] = []
        for rule in rules where rule.rule.canApply(to: batch.signal) {
            if let service = rule.service, !has(service, batch.resource) { continue }
            if let resource = rule.resource, !has(resource, batch.resource) { continue }
            var scopes: [Bool] = []
            if let pattern = rule.scope {
                scopes = batch.scopes.map { scope in
                    scope.message.withUnsafeBytes { bytes in
                        guard let base = bytes.baseAddress else { return pattern.matches(bytes) }
                        return name(FieldCursor(base, 0..<bytes.count), Tag.Scope.name, pattern) == .yes
                    }
                }
                guard scopes.contains(true) else { continue }
            }
            let resourceHas = rule.attribute.map { has($0, batch.resource) } ?? false
            active.append(ActiveRule(rule: rule, resourceHasAttribute: resourceHas, scopes: scopes))
        }
        return active
    }

    private static func has(_ condition: CompiledRule.Condition, _ resource: [UInt8]) -> Bool {
        resource.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return attribute(FieldCursor(base, 0..<bytes.count), Tag.Resource.attributes, condition) == .yes
        }
    }

    // MARK: items

    /// Whether the item fulfils all conditions. `fields` stands before the item's first field.
    func matches(_ item: Batch.Item, _ fields: FieldCursor, _ signal: Signal) -> Found {
        guard rule.allows(item) else { return .no }
        if !scopes.isEmpty {
            guard Int(item.scope) < scopes.count, scopes[Int(item.scope)] else { return .no }
        }
        if let name = rule.name {
            let tag =
                switch signal {
                case .traces: Tag.Span.name
                case .logs: Tag.Log.eventName
                case .metrics: Tag.Metric.name
                }
            let found = Self.name(fields, tag, name)
            guard found == .yes else { return found }
        }
        guard let condition = rule.attribute, !resourceHasAttribute else { return .yes }
        return switch signal {
        case .traces: Self.attribute(fields, Tag.Span.attributes, condition)
        case .logs: Self.attribute(fields, Tag.Log.attributes, condition)
        case .metrics: Self.allPoints(fields, condition)
        }
    }

    /// Compares the text in a field; none is an empty one. Of several the last counts.
    private static func name(_ fields: FieldCursor, _ tag: UInt32, _ pattern: TextPattern) -> Found {
        var fields = fields
        var name = 0..<0
        while fields.next() {
            if fields.tag == tag { name = fields.value }
        }
        guard !fields.isBroken else { return .malformed }
        return pattern.matches(fields.bytes(name)) ? .yes : .no
    }

    private static func attribute(_ fields: FieldCursor, _ tag: UInt32, _ condition: CompiledRule.Condition) -> Found {
        var fields = fields
        var found = Found.no
        while fields.next() {
            guard fields.tag == tag, found == .no else { continue }
            found = attribute(fields, condition)
        }
        return fields.isBroken ? .malformed : found
    }

    private static func attribute(_ field: FieldCursor, _ condition: CompiledRule.Condition) -> Found {
        guard let (key, value) = field.keyAndValue else { return .malformed }
        guard condition.key.matches(key) else { return .no }
        guard let wanted = condition.value else { return .yes }
        guard let value else { return wanted.matches(field.bytes(0..<0)) ? .yes : .no }
        return AnyValueText.withContent(value) { wanted.matches($0) } ?? wanted.matches(field.bytes(0..<0)) ? .yes : .no
    }

    private static func allPoints(_ fields: FieldCursor, _ condition: CompiledRule.Condition) -> Found {
        var fields = fields
        var points = 0
        while fields.next() {
            guard let tags = Tag.Metric.point(of: fields.tag) else { continue }
            var data = fields.message
            while data.next() {
                guard data.tag == Tag.Metric.points else { continue }
                points += 1
                let found = attribute(data.message, tags.attributes, condition)
                guard found == .yes else { return found }
            }
            guard !data.isBroken else { return .malformed }
        }
        guard !fields.isBroken else { return .malformed }
        return points > 0 ? .yes : .no
    }
}
