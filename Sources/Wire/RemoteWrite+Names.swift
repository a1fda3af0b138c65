// Names and labels as the compatibility specification has them:
// <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>.

import Telemetry

extension RemoteWrite {
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

    /// The name of a metric's family: `http.server.duration` in `ms` is `http_server_duration_milliseconds`, a counter's ends in `_total`.
    static func familyName(_ name: String, unit: String, isCounter: Bool, isGauge: Bool) -> String {
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

    /// The name of a label: what may not stand in one becomes `_`, several of them in a row one.
    static func labelName(_ key: String) -> String {
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
struct PrometheusLabels: Hashable {
    private(set) var pairs: [(name: String, value: String)] = []

    static func == (left: Self, right: Self) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value == $1.value }
    }

    func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }

    init() {}

    /// Attributes as labels. The values of those whose names become one are joined with ";", in the order of their keys.
    init(_ attributes: Attributes) {
        for attribute in attributes.sorted(by: { $0.key < $1.key }) {
            let name = RemoteWrite.labelName(attribute.key)
            let value = attribute.value.text
            guard !name.isEmpty, name != "_", !value.isEmpty else { continue }
            if let index = pairs.firstIndex(where: { $0.name == name }) {
                pairs[index].value += ";" + value
            } else {
                pairs.append((name, value))
            }
        }
        pairs.sort { $0.name < $1.name }
    }

    /// Takes the place of a label of this name.
    mutating func set(_ name: String, _ value: String) {
        pairs.removeAll { $0.name == name }
        guard !value.isEmpty else { return }
        pairs.insert((name, value), at: pairs.firstIndex { $0.name > name } ?? pairs.count)
    }

    /// Those that are not there yet.
    mutating func add(_ others: PrometheusLabels) {
        for pair in others.pairs where !pairs.contains(where: { $0.name == pair.name }) { set(pair.name, pair.value) }
    }

    func setting(_ name: String, _ value: String) -> PrometheusLabels {
        var labels = self
        labels.set(name, value)
        return labels
    }
}
