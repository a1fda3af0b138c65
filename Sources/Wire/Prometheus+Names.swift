// Names and labels as the compatibility specification has them:
// <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>.

public import Telemetry

/// What scrapes and remote write share.
public enum Prometheus {}

extension Prometheus {
    /// UCUM's units by the words that Prometheus has for them.
    private static let units = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
        "ns": "nanoseconds", "By": "bytes",
        "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
        "MBy": "megabytes", "GBy": "gigabytes",
        "TBy": "terabytes", "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams",
        "Cel": "celsius", "Hz": "hertz", "1": "",
        "%": "percent",
    ]
    private static let perUnits = [
        "s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
    ]

    /// The name of a metric's family: `http.server.duration` in `ms` is `http_server_duration_milliseconds`, a counter's ends in `_total`. Empty when nothing
    /// of the name can stand in one.
    public static func familyName(_ name: String, unit: String, isCounter: Bool, isGauge: Bool) -> String {
        var words = words(name)
        let (unitWords, perWords) = unitWords(unit)
        if let word = unitWords, !words.contains(word) { words.append(word) }
        if let word = perWords, !words.contains(word) { words += ["per", word] }
        if isCounter { words = words.filter { $0 != "total" } + ["total"] }
        if isGauge, unit == "1" { words = words.filter { $0 != "ratio" } + ["ratio"] }
        let joined = words.joined(separator: "_")
        guard let first = joined.utf8.first else { return "" }
        return (0x30...0x39).contains(first) ? "_" + joined : joined
    }

    /// The name as it is, with the same endings: what a Prometheus that takes any UTF-8 may be shown.
    public static func utf8FamilyName(_ name: String, unit: String, isCounter: Bool, isGauge: Bool) -> String {
        var endings: [String] = []
        let (unitWords, perWords) = unitWords(unit)
        if let word = unitWords { endings.append(word) }
        if let word = perWords { endings.append("per_" + word) }
        if isGauge, unit == "1" { endings.append("ratio") }
        var whole = isCounter && name.hasSuffix("_total") ? String(name.dropLast("_total".utf8.count)) : name
        for ending in endings where !whole.hasSuffix("_" + ending) { whole += "_" + ending }
        return isCounter ? whole + "_total" : whole
    }

    /// What the unit is called at the end of a name; nil: nothing.
    public static func unitName(_ unit: String, isGauge: Bool) -> String? {
        if isGauge, unit == "1" { return "ratio" }
        let (unitWords, perWords) = unitWords(unit)
        let words = [unitWords, perWords.map { "per_" + $0 }].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: "_")
    }

    private static func words(_ name: String) -> [String] {
        name.unicodeScalars.split { !isLetterOrDigit($0) && $0 != ":" }.map { String(String.UnicodeScalarView($0)) }
    }

    /// The unit, and what it is per. What stands in braces says nothing that Prometheus has a word for.
    private static func unitWords(_ unit: String) -> (String?, String?) {
        func word(_ part: Substring?, _ known: [String: String]) -> String? {
            guard let part, !part.contains("{"), !part.contains("}") else { return nil }
            let text = String(part).trimmed
            let word = known[text] ?? words(text).joined(separator: "_")
            return word.isEmpty ? nil : word
        }
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return (word(parts.first, units), word(parts.dropFirst().first, perUnits))
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// The name of a label in UTF-8.
    static func utf8LabelName(_ key: String) -> String {
        guard key.utf8.contains(0) else { return key }
        return String(String.UnicodeScalarView(key.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }

    /// The name of a label: what may not stand in one becomes `_`, several of them in a row one.
    public static func labelName(_ key: String) -> String {
        var name: [UInt8] = []
        name.reserveCapacity(key.utf8.count + 4)
        if let first = key.utf8.first, (0x30...0x39).contains(first) { name += Array("key_".utf8) }
        for scalar in key.unicodeScalars {
            if isLetterOrDigit(scalar) {
                name.append(UInt8(scalar.value))
            } else if name.last != UInt8(ascii: "_") {
                name.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: name, as: UTF8.self)
    }
}

extension String {
    fileprivate var trimmed: String {
        let scalars = unicodeScalars.drop { $0 == " " }
        return String(String.UnicodeScalarView(scalars.reversed().drop { $0 == " " }.reversed()))
    }
}

/// Labels of a series, sorted by their names, each name once. Values are text that says something: a label without is no label.
public struct PrometheusLabels: Hashable, Sendable {
    public private(set) var pairs: [(name: String, value: String)] = []

    public static func == (left: Self, right: Self) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }

    public init() {}

    /// `job` and `instance` of a resource.
    public init(target resource: Resource) {
        func text(_ key: String) -> String { resource.attributes[key]?.text ?? "" }
        let (name, space) = (text("service.name"), text("service.namespace"))
        set("job", space.isEmpty || name.isEmpty ? name : "\(space)/\(name)")
        set("instance", text("service.instance.id"))
    }

    /// The rest of what is known of a resource.
    public init(rest resource: Resource, isUTF8: Bool = false) {
        let taken: Set = ["service.name", "service.namespace", "service.instance.id"]
        self.init(resource.attributes.filter { !taken.contains($0.key) }, isUTF8: isUTF8)
    }

    public init(_ scope: InstrumentationScope, isUTF8: Bool = false) {
        self.init(
            scope.attributes.map { Attribute("otel_scope_\($0.key)", $0.value) }, isUTF8: isUTF8)
        set("otel_scope_name", scope.name)
        set("otel_scope_version", scope.version)
        set("otel_scope_schema_url", scope.schemaURL)
    }

    /// Attributes as labels. The values of those whose names become one are joined with ";", in the order of their keys.
    /// - Parameter isUTF8: whether names stay as they are.
    /// - Parameter isSorted: else they stay in their order.
    public init(_ attributes: Attributes, isUTF8: Bool = false, isSorted: Bool = true) {
        for attribute in isSorted ? attributes.sorted(by: { $0.key < $1.key }) : attributes {
            // A zero byte cannot be written, and what stands for it must not make two names one.
            let name = isUTF8 ? Prometheus.utf8LabelName(attribute.key) : Prometheus.labelName(attribute.key)
            let value = attribute.value.text
            guard !name.isEmpty, name != "_", !value.isEmpty else { continue }
            if let index = pairs.firstIndex(where: { $0.name == name }) {
                pairs[index].value += ";" + value
            } else {
                pairs.append((name, value))
            }
        }
        if isSorted { pairs.sort { $0.name < $1.name } }
    }

    /// Takes the place of a label of this name.
    public mutating func set(_ name: String, _ value: String) {
        pairs.removeAll { $0.name == name }
        guard !value.isEmpty else { return }
        pairs.insert((name, value), at: pairs.firstIndex { $0.name > name } ?? pairs.count)
    }

    /// Those that are not there yet.
    public mutating func add(_ others: PrometheusLabels) {
        for pair in others.pairs where !pairs.contains(where: { $0.name == pair.name }) { set(pair.name, pair.value) }
    }

    public func setting(_ name: String, _ value: String) -> PrometheusLabels {
        var labels = self
        labels.set(name, value)
        return labels
    }
}

extension PrometheusLabels {
    /// Prometheus takes no exemplar with more, names and values together. Characters.
    private static let exemplarCharactersMax = 128

    /// Where an exemplar leads, and what of the rest there is room for.
    public init(_ exemplar: Prometheus.Exemplar) {
        if exemplar.traceID.count == 16 { set("trace_id", Self.hex(exemplar.traceID)) }
        if exemplar.spanID.count == 8 { set("span_id", Self.hex(exemplar.spanID)) }
        var characters = pairs.reduce(0) { $0 + $1.name.count + $1.value.count }
        for pair in PrometheusLabels(exemplar.attributes).pairs {
            characters += pair.name.unicodeScalars.count + pair.value.unicodeScalars.count
            guard characters <= Self.exemplarCharactersMax else { break }
            set(pair.name, pair.value)
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        let digits = Array("0123456789abcdef".utf8)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
