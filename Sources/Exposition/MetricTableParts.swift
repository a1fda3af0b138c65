// What a table is made of.

internal import Telemetry
internal import Wire

/// Memory of one part beside its texts, about. Bytes.
private let partBytes = 320

/// Who the metrics are about.
struct Target: Sendable {
    /// An OTLP `Resource`.
    let key: [UInt8]
    let resource: Resource
    let isOwn: Bool
    /// Of each of its series.
    let labels: PrometheusLabels
    /// Of `target_info`; empty: there is nothing to say.
    let info: [UInt8]
    /// When points of it came last. Monotonic nanoseconds.
    var updated: UInt64 = 0

    init(key: [UInt8], resource: Resource, isOwn: Bool) {
        self.key = key
        self.resource = resource
        self.isOwn = isOwn
        labels = isOwn ? PrometheusLabels() : PrometheusLabels(target: resource)
        info = LabelText.bytes(Self.info(resource, labels, isOwn: isOwn, isUTF8: false))
    }

    var utf8Info: [UInt8] { LabelText.bytes(Self.info(resource, labels, isOwn: isOwn, isUTF8: true)) }

    private static func info(
        _ resource: Resource, _ labels: PrometheusLabels, isOwn: Bool, isUTF8: Bool
    ) -> PrometheusLabels {
        if isOwn { return PrometheusLabels(resource.attributes, isUTF8: isUTF8) }
        guard !labels.pairs.isEmpty else { return PrometheusLabels() }
        var info = labels
        info.add(PrometheusLabels(rest: resource, isUTF8: isUTF8))
        return info == labels ? PrometheusLabels() : info
    }

    var bytes: Int { partBytes + 3 * key.count + info.count }
}

struct ScopeEntry: Sendable {
    let key: Batch.Scope
    let scope: InstrumentationScope

    var bytes: Int { partBytes + 2 * key.message.count }
}

struct InstrumentKey: Hashable, Sendable {
    var target: Int
    var scope: Int
    var name: String
    var unit: String
    var kind: Prometheus.Kind
    var isMonotonic: Bool
    var isOfIsolates: Bool
}

/// A metric of one target and scope.
struct Instrument: Sendable {
    var key: InstrumentKey
    var family: Int
    /// Series by a hash of their attributes' bytes; the seed is each process's own, so that nobody can make two that are the same.
    var known: [Int: Int] = [:]

    var bytes: Int { partBytes + key.name.utf8.count + known.count * Self.knownBytes }

    /// What one of `known` takes, about.
    static let knownBytes = 40
}

enum FamilyType: UInt8, Sendable {
    case counter, gauge, histogram, summary

    var name: StaticString {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .summary: "summary"
        }
    }
}

struct FamilyKey: Hashable, Sendable {
    var name: String
    var type: FamilyType
}

/// A family's name as it stands in lines, without the `_total` of a counter.
struct FamilyName: Sendable {
    /// As it stands in quotation marks, if it does.
    let base: [UInt8]
    /// As it is.
    let plain: [UInt8]
    /// Whether it is no name by Prometheus' first rules, and so stands in quotation marks.
    let isQuoted: Bool

    init(_ name: String, _ type: FamilyType) {
        let base = type == .counter && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
        plain = Array(base.utf8)
        isQuoted = !LabelText.isName(base, allowsColon: true)
        var bytes: [UInt8] = []
        LabelText.append(base, to: &bytes)
        self.base = bytes
    }
}

/// The series of one name, of all targets.
struct Family: Sendable {
    let key: FamilyKey
    let name: FamilyName
    let utf8Name: FamilyName
    let help: String
    /// Empty: none that the name ends in.
    let unit: [UInt8]
    var series: [Int] = []
    /// Nobody but senders has said anything of it.
    var isForeign = true
    /// A metric of the process itself needed the name.
    var isEvicted = false

    init(key: FamilyKey, utf8Name: String, help: String, unit: String?) {
        self.key = key
        name = FamilyName(key.name, key.type)
        self.utf8Name = FamilyName(utf8Name, key.type)
        self.help = help
        let ending = Array("_\(unit ?? "")".utf8)
        self.unit = unit != nil && name.base.suffix(ending.count) == ending[...] ? Array(ending.dropFirst()) : []
    }

    /// All that its lines begin with.
    var names: [String] {
        let base = String(decoding: name.base, as: UTF8.self)
        return switch key.type {
        case .counter: [base, base + "_total", base + "_created"]
        case .gauge: [base]
        case .histogram: [base, base + "_bucket", base + "_count", base + "_sum", base + "_created"]
        case .summary: [base, base + "_count", base + "_sum", base + "_created"]
        }
    }

    var bytes: Int { partBytes + 4 * key.name.utf8.count + help.utf8.count }

    /// What stands above its series.
    var pageBytes: Int { 3 * key.name.utf8.count + 2 * help.utf8.count + 64 }
}

struct SeriesKey: Hashable, Sendable {
    var family: Int
    let labels: [UInt8]
    private let labelsHash: Int

    init(family: Int, labels: [UInt8]) {
        self.family = family
        self.labels = labels
        var hasher = Hasher()
        labels.withUnsafeBytes { hasher.combine(bytes: $0) }
        labelsHash = hasher.finalize()
    }

    static func == (left: SeriesKey, right: SeriesKey) -> Bool {
        left.family == right.family && left.labelsHash == right.labelsHash && left.labels == right.labels
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(family)
        hasher.combine(labelsHash)
    }
}

struct SeriesExemplar: Sendable {
    var value: Double
    /// Nanoseconds since 1970; 0: unknown.
    var time: UInt64
    var labels: [UInt8]

    /// Memory, about.
    var bytes: Int { 64 + labels.count }
}

struct Series: Sendable {
    var key: SeriesKey
    var instrument: Int
    /// As they came first; what names in UTF-8 are made of.
    let attributes: [UInt8]
    /// Made when a page with such names is asked for.
    var utf8Labels: [UInt8]?
    /// Counters and histograms: what only grows.
    let isCounting: Bool
    /// Whether those of several isolates are added up.
    let isSummed: Bool
    var isForeign: Bool
    /// Whether it goes when nothing new came for some time.
    var isTimed = false
    var isGone = false
    var owner: MetricSource?
    /// The owner's, in which it came last.
    var round: UInt32 = 0
    var value = SeriesValue.number(0)
    /// Nanoseconds since 1970; 0: unknown.
    var startTime: UInt64 = 0
    var time: UInt64 = 0
    /// Monotonic nanoseconds.
    var updated: UInt64 = 0
    var exemplars: [SeriesExemplar] = []

    init(
        key: SeriesKey, instrument: Int, attributes: [UInt8], kind: Prometheus.Kind?, isMonotonic: Bool, isForeign: Bool
    ) {
        self.key = key
        self.instrument = instrument
        self.attributes = attributes
        isSummed = kind != .gauge && kind != .summary
        isCounting = isSummed && (kind != .sum || isMonotonic)
        self.isForeign = isForeign
    }

    var bytes: Int {
        partBytes + key.labels.count + attributes.count + (utf8Labels?.count ?? 0)
            + exemplars.reduce(0) { $0 + $1.bytes }
    }
}

/// A series of several isolates.
struct Parts: Sendable {
    /// Of those that have ended.
    var retired: SeriesValue?
    var live: [UInt64: SeriesValue] = [:]

    /// Memory, about.
    var bytes: Int { (retired?.bytes ?? 0) + live.values.reduce(0) { $0 + $1.bytes + Self.liveBytes } }

    /// Of one isolate's value, beside what it holds.
    static let liveBytes = 128
}

/// What an own source has said.
struct Owner: Sendable {
    var series: [Int] = []
    var round: UInt32 = 0
}
