internal import Wire

/// What a series stands at.
enum SeriesValue: Sendable {
    case number(Double)
    case histogram(HistogramValue)
    case exponential(ExponentialValue)
    case summary(SummaryValue)

    /// Nil: the point says what cannot be.
    init?(_ point: Prometheus.Point, _ kind: Prometheus.Kind, bounds: (([Double]) -> BoundSet)) {
        switch kind {
        case .gauge, .sum: self = .number(point.value)
        case .histogram:
            guard let value = HistogramValue(point, bounds) else { return nil }
            self = .histogram(value)
        case .exponentialHistogram:
            guard let value = ExponentialValue(point) else { return nil }
            self = .exponential(value)
        case .summary:
            guard let value = SummaryValue(point) else { return nil }
            self = .summary(value)
        }
    }

    /// Both together; nil: they do not go together.
    func adding(_ other: SeriesValue) -> SeriesValue? {
        switch (self, other) {
        case (.number(let left), .number(let right)): .number(left + right)
        case (.histogram(let left), .histogram(let right)): left.adding(right).map(SeriesValue.histogram)
        case (.exponential(let left), .exponential(let right)): .exponential(left.adding(right))
        default: nil
        }
    }

    /// Sums of many parts, added in another order, differ in their last digits. One that went back by so little would look as if it had begun anew, and a rate
    /// over it would have all of it once more.
    func steadied(_ before: SeriesValue) -> SeriesValue {
        func steady(_ new: Double, _ old: Double) -> Double {
            new < old && old - new <= old.magnitude * 1e-12 ? old : new
        }
        switch (self, before) {
        case (.number(let new), .number(let old)): return .number(steady(new, old))
        case (.histogram(var new), .histogram(let old)):
            new.sum = steady(new.sum, old.sum)
            return .histogram(new)
        case (.exponential(var new), .exponential(let old)):
            new.sum = steady(new.sum, old.sum)
            return .exponential(new)
        default: return self
        }
    }

    /// Memory beside the value itself, about.
    var bytes: Int {
        switch self {
        case .number: 0
        case .histogram(let value): value.buckets.count * 8 + (value.bounds.isShared ? 0 : value.bounds.bytes)
        case .exponential(let value): (value.positive.counts.count + value.negative.counts.count) * 8
        case .summary(let value): value.quantiles.count * 16
        }
    }

    /// What its lines have on the page beside names and labels, about, and how many there are.
    var page: (bytes: Int, lines: Int) {
        switch self {
        case .number: (Self.numberBytes, 1)
        case .histogram(let value):
            (value.bounds.textBytes + (value.buckets.count + 2) * Self.numberBytes, value.buckets.count + 2)
        case .exponential(let value): (value.classicLinesMax * 2 * Self.numberBytes, value.classicLinesMax)
        case .summary(let value): (value.quantiles.count * 2 * Self.numberBytes, value.quantiles.count + 2)
        }
    }

    private static let numberBytes = 24
}

/// The bounds of a histogram, shared by all that have the same, with their texts.
final class BoundSet: Sendable {
    let bounds: [Double]
    /// One more than `bounds`: the last is `+Inf`.
    let texts: [[UInt8]]
    /// OpenMetrics writes a whole number as `1.0`.
    let openMetrics: [[UInt8]]
    /// Whether the table keeps it for all; else it is one series' own.
    let isShared: Bool
    /// What the texts of one form are together.
    let textBytes: Int

    init(_ bounds: [Double], isShared: Bool = false) {
        self.bounds = bounds
        self.isShared = isShared
        texts = (bounds + [.infinity]).map { Array(Prometheus.bound($0).utf8) }
        openMetrics = (bounds + [.infinity]).map(Self.openMetrics)
        textBytes = openMetrics.reduce(0) { $0 + $1.count }
    }

    /// Memory, about: a text of each form, in an array of its own.
    var bytes: Int { 2 * textBytes + bounds.count * (2 * Self.arrayBytes + 8) }

    private static let arrayBytes = 40

    static func openMetrics(_ bound: Double) -> [UInt8] {
        var text = Prometheus.bound(bound)
        if bound.isFinite, !text.contains(".") { text += ".0" }
        return Array(text.utf8)
    }
}

struct HistogramValue: Sendable {
    /// The sum of the buckets where there are any.
    var count: UInt64
    /// NaN: not recorded.
    var sum: Double
    var bounds: BoundSet
    /// One more than bounds, the last without an end.
    var buckets: [UInt64]

    init?(_ point: Prometheus.Point, _ boundSet: ([Double]) -> BoundSet) {
        var (bounds, buckets) = (point.bounds, point.bucketCounts)
        if buckets.isEmpty { (bounds, buckets) = ([], [point.count]) }
        guard buckets.count == bounds.count + 1 else { return nil }
        if bounds.last == .infinity {
            bounds.removeLast()
            let last = buckets.removeLast()
            buckets[buckets.count - 1] = saturatingSum(buckets[buckets.count - 1], last)
        }
        guard bounds.allSatisfy(\.isFinite), zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        count = buckets.reduce(0, saturatingSum)
        sum = point.sum ?? .nan
        self.bounds = boundSet(bounds)
        self.buckets = buckets
    }

    func adding(_ other: HistogramValue) -> HistogramValue? {
        guard bounds === other.bounds || bounds.bounds == other.bounds.bounds else { return nil }
        var both = self
        both.count = saturatingSum(count, other.count)
        both.sum = sum + other.sum
        for index in buckets.indices { both.buckets[index] = saturatingSum(buckets[index], other.buckets[index]) }
        return both
    }
}

struct SummaryValue: Sendable {
    var count: UInt64
    /// NaN: not recorded.
    var sum: Double
    /// By quantile, each once.
    var quantiles: [(quantile: Double, value: Double)]

    init?(_ point: Prometheus.Point) {
        guard point.quantiles.allSatisfy({ (0...1).contains($0.quantile) }) else { return nil }
        count = point.count
        sum = point.sum ?? .nan
        quantiles = []
        for pair in point.quantiles.sorted(by: { $0.quantile < $1.quantile })
        where quantiles.last?.quantile != pair.quantile {
            quantiles.append((pair.quantile + 0, pair.value))
        }
    }
}

func saturatingSum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}
