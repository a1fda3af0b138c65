internal import Glibc
internal import Wire

/// An exponential histogram: bucket `i` of scale `s` holds what is above `2^(i/2^s)` and not above `2^((i+1)/2^s)`.
struct ExponentialValue: Sendable {
    /// Of one sign, after histograms were added: twice of what OpenTelemetry's SDKs keep.
    static let bucketsMax = 320
    /// Sums of as many as there can be do not overflow.
    private static let countMax: UInt64 = 1 << 53

    var sum: Double
    var scale: Int32
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: Prometheus.Buckets
    var negative: Prometheus.Buckets

    init?(_ point: Prometheus.Point) {
        guard (-32...32).contains(point.scale), point.zeroThreshold >= 0, point.zeroThreshold.isFinite else {
            return nil
        }
        sum = point.sum ?? .nan
        scale = point.scale
        zeroCount = min(point.zeroCount, Self.countMax)
        zeroThreshold = point.zeroThreshold
        guard let positive = Self.trimmed(point.positive), let negative = Self.trimmed(point.negative) else {
            return nil
        }
        self.positive = positive
        self.negative = negative
        while max(self.positive.counts.count, self.negative.counts.count) > Self.bucketsMax { coarsen() }
    }

    /// Without empty buckets at the ends. Nil: its indexes are not of 32 bits.
    private static func trimmed(_ buckets: Prometheus.Buckets) -> Prometheus.Buckets? {
        guard let first = buckets.counts.firstIndex(where: { $0 > 0 }),
            let last = buckets.counts.lastIndex(where: { $0 > 0 })
        else { return Prometheus.Buckets() }
        guard Int64(buckets.offset) + Int64(last) < Int64(Int32.max) else { return nil }
        return Prometheus.Buckets(
            offset: buckets.offset + Int32(first), counts: buckets.counts[first...last].map { min($0, countMax) })
    }

    var count: UInt64 {
        (positive.counts + negative.counts).reduce(zeroCount, saturatingSum)
    }

    /// Two buckets become one.
    private mutating func coarsen() {
        scale -= 1
        positive = Self.halved(positive)
        negative = Self.halved(negative)
    }

    private static func halved(_ buckets: Prometheus.Buckets) -> Prometheus.Buckets {
        guard !buckets.counts.isEmpty else { return buckets }
        let first = buckets.offset >> 1
        let last = (buckets.offset + Int32(buckets.counts.count - 1)) >> 1
        var halved = Prometheus.Buckets(offset: first, counts: [UInt64](repeating: 0, count: Int(last - first) + 1))
        for (place, count) in buckets.counts.enumerated() {
            let index = Int((buckets.offset + Int32(place)) >> 1 - first)
            halved.counts[index] = min(saturatingSum(halved.counts[index], count), countMax)
        }
        return halved
    }

    func adding(_ other: ExponentialValue) -> ExponentialValue {
        var (left, right) = (self, other)
        while left.scale > right.scale { left.coarsen() }
        while right.scale > left.scale { right.coarsen() }
        while max(Self.span(left.positive, right.positive), Self.span(left.negative, right.negative)) > Self.bucketsMax
        {
            left.coarsen()
            right.coarsen()
        }
        left.sum += right.sum
        left.zeroCount = min(saturatingSum(left.zeroCount, right.zeroCount), Self.countMax)
        left.zeroThreshold = max(left.zeroThreshold, right.zeroThreshold)
        left.positive = Self.merged(left.positive, right.positive)
        left.negative = Self.merged(left.negative, right.negative)
        return left
    }

    /// How many buckets both take together.
    private static func span(_ left: Prometheus.Buckets, _ right: Prometheus.Buckets) -> Int {
        guard !left.counts.isEmpty else { return right.counts.count }
        guard !right.counts.isEmpty else { return left.counts.count }
        return Int(max(end(left), end(right)) - Int64(min(left.offset, right.offset)))
    }

    private static func end(_ buckets: Prometheus.Buckets) -> Int64 {
        Int64(buckets.offset) + Int64(buckets.counts.count)
    }

    private static func merged(_ left: Prometheus.Buckets, _ right: Prometheus.Buckets) -> Prometheus.Buckets {
        guard !left.counts.isEmpty else { return right }
        guard !right.counts.isEmpty else { return left }
        let first = min(left.offset, right.offset)
        var merged = Prometheus.Buckets(
            offset: first, counts: [UInt64](repeating: 0, count: Int(max(end(left), end(right)) - Int64(first))))
        for buckets in [left, right] {
            for (place, count) in buckets.counts.enumerated() {
                let index = Int(buckets.offset - first) + place
                merged.counts[index] = min(saturatingSum(merged.counts[index], count), countMax)
            }
        }
        return merged
    }

    // MARK: For Prometheus

    /// Prometheus knows schemas from -4 to 8.
    var native: ExponentialValue? {
        guard scale >= -4 else { return nil }
        var native = self
        while native.scale > 8 { native.coarsen() }
        return native
    }

    /// Classic buckets are at most so fine, and so many of one sign: a metric's lines, each of them.
    private static let classicScaleMax: Int32 = 2
    private static let classicBucketsMax = 40

    /// How many lines it has at most: those of its buckets, of zero, of all, of count and sum.
    var classicLinesMax: Int {
        min(positive.counts.count, Self.classicBucketsMax) + min(negative.counts.count, Self.classicBucketsMax) + 4
    }

    /// As bounds and counts, which are not cumulative: one more than bounds. Bounds of a coarser scale are some of those of a finer one, so that what is written of
    /// a histogram that grows stays comparable.
    var classic: (bounds: [Double], counts: [UInt64]) {
        var coarse = self
        while coarse.scale > Self.classicScaleMax
            || max(coarse.positive.counts.count, coarse.negative.counts.count) > Self.classicBucketsMax
        { coarse.coarsen() }
        var (bounds, counts): ([Double], [UInt64]) = ([], [])
        var over: UInt64 = 0
        func add(_ bound: Double, _ count: UInt64) {
            // What is too large for a number of 64 bits has no bound; what is too small for one, or within the zero bucket, joins its neighbour.
            if bound == .infinity {
                over = saturatingSum(over, count)
            } else if let last = bounds.last, bound <= last {
                counts[counts.count - 1] = saturatingSum(counts[counts.count - 1], count)
            } else {
                bounds.append(bound)
                counts.append(count)
            }
        }
        for place in coarse.negative.counts.indices.reversed() {
            add(-coarse.bound(coarse.negative.offset, place), coarse.negative.counts[place])
        }
        if zeroCount > 0 || !coarse.negative.counts.isEmpty { add(zeroThreshold, zeroCount) }
        for place in coarse.positive.counts.indices {
            add(coarse.bound(coarse.positive.offset, place + 1), coarse.positive.counts[place])
        }
        return (bounds, counts + [over])
    }

    private func bound(_ offset: Int32, _ place: Int) -> Double {
        exp2(ldexp(Double(Int64(offset) + Int64(place)), -scale))
    }
}
