/// What a board said at one moment, checked; or the sum of several.
public struct BoardSnapshot: Hashable, Sendable {
    /// Index = `BoardCounter.rawValue`.
    public var counters = [UInt64](repeating: 0, count: BoardCounter.cells)
    /// Requests in flight: by method, first those of http, then those of https.
    public var active = [UInt64](repeating: 0, count: 2 * BoardLayout.methods)
    public var delay = Delay()
    /// Index = `BoardCollection.rawValue`.
    public var collections = [Collection](repeating: Collection(), count: BoardCollection.allCases.count)
    public var spaces: [String: Space] = [:]
    public var series: [SeriesKey: Histogram] = [:]

    public init() {}

    public subscript(counter: BoardCounter) -> UInt64 { counters[counter.rawValue] }

    /// Event-loop delay. Nanoseconds.
    public struct Delay: Hashable, Sendable {
        public var sum = 0.0
        public var squares = 0.0
        public var buckets = [UInt64](repeating: 0, count: BoardLayout.delayBuckets)

        /// The buckets that hold any, each with its upper bound in seconds.
        public var bounded: [(bound: Double, count: UInt64)] {
            buckets.enumerated().filter { $0.element > 0 }.map { (BoardDelay.upperBound($0.offset) / 1e9, $0.element) }
        }
    }

    /// Pauses of one kind. Nanoseconds.
    public struct Collection: Hashable, Sendable {
        public var sum: UInt64 = 0
        public var max: UInt64 = 0
        public var buckets = [UInt64](repeating: 0, count: 5)
        public var count: UInt64 { buckets.reduce(0, saturatingSum) }
    }

    /// Bytes.
    public struct Space: Hashable, Sendable {
        public var used: UInt64 = 0
        public var size: UInt64 = 0
        public var available: UInt64 = 0
        public var physical: UInt64 = 0
    }

    /// The attributes of a series.
    public struct SeriesKey: Hashable, Sendable {
        public var kind: BoardSeriesKind
        public var isOverflow = false
        /// Index of `BoardMethod`.
        public var method = 0
        public var isHTTPS = false
        /// "" when it is not known.
        public var protocolVersion = ""
        /// 0: none.
        public var status = 0
        public var port = 0
        public var route = ""
        public var errorType = ""
        public var host = ""

        public init(kind: BoardSeriesKind) { self.kind = kind }
    }

    /// Seconds.
    public struct Histogram: Hashable, Sendable {
        public var sum: Double
        /// Infinite and 0 when nothing was observed.
        public var min: Double
        public var max: Double
        public var buckets: [UInt64]

        public init(
            sum: Double = 0, min: Double = .infinity, max: Double = 0,
            buckets: [UInt64] = [UInt64](repeating: 0, count: BoardLayout.durationBuckets)
        ) {
            (self.sum, self.min, self.max, self.buckets) = (sum, min, max, buckets)
        }

        public var count: UInt64 { buckets.reduce(0, saturatingSum) }
    }

    // MARK: sums

    /// Series kept of workers that are gone; further ones go to overflow.
    public static let seriesMax = 1024

    /// Adds another worker's figures.
    public mutating func add(_ other: BoardSnapshot) {
        Self.add(&counters, other.counters)
        Self.add(&active, other.active)
        delay.sum += other.delay.sum
        delay.squares += other.delay.squares
        Self.add(&delay.buckets, other.delay.buckets)
        for index in collections.indices {
            collections[index].sum = saturatingSum(collections[index].sum, other.collections[index].sum)
            collections[index].max = max(collections[index].max, other.collections[index].max)
            Self.add(&collections[index].buckets, other.collections[index].buckets)
        }
        for (name, space) in other.spaces {
            guard spaces[name] != nil || spaces.count < 2 * BoardLayout.spaces else { continue }
            var sum = spaces[name] ?? Space()
            sum.used = saturatingSum(sum.used, space.used)
            sum.size = saturatingSum(sum.size, space.size)
            sum.available = saturatingSum(sum.available, space.available)
            sum.physical = saturatingSum(sum.physical, space.physical)
            spaces[name] = sum
        }
        for (key, histogram) in other.series { add(histogram, to: key) }
    }

    private mutating func add(_ histogram: Histogram, to key: SeriesKey) {
        var key = key
        if series[key] == nil, series.count >= Self.seriesMax {
            key = SeriesKey(kind: key.kind)
            key.isOverflow = true
        }
        var sum = series[key] ?? Histogram()
        sum.sum += histogram.sum
        sum.min = min(sum.min, histogram.min)
        sum.max = max(sum.max, histogram.max)
        Self.add(&sum.buckets, histogram.buckets)
        series[key] = sum
    }

    /// What is left of a worker once it is gone: what only grows.
    public var withoutGauges: BoardSnapshot {
        var rest = self
        for counter in BoardCounter.allCases where counter.isGauge { rest.counters[counter.rawValue] = 0 }
        rest.active = BoardSnapshot().active
        rest.spaces = [:]
        return rest
    }

    private static func add(_ left: inout [UInt64], _ right: [UInt64]) {
        for index in left.indices { left[index] = saturatingSum(left[index], right[index]) }
    }
}

func saturatingSum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}

/// A request that was in flight when its worker died.
public struct BoardRequest: Hashable, Sendable {
    public var context: SpanContext
    public var parentSpanID: SpanID
    public var flags: BoardRequestFlags
    /// Ring time; may be anything.
    public var startTime: Double
    /// As it stood in the request, cut at 16 bytes.
    public var method: String
    /// Of the request line, cut at 184 bytes.
    public var target: String
    /// What became of it, as the worker said before it ended.
    public var outcome: WorkloadOutcome?
    /// What it was answered with then; 0: with nothing.
    public var status: Int

    public init(
        context: SpanContext, parentSpanID: SpanID, flags: BoardRequestFlags, startTime: Double, method: String,
        target: String, outcome: WorkloadOutcome? = nil, status: Int = 0
    ) {
        self.context = context
        self.parentSpanID = parentSpanID
        self.flags = flags
        self.startTime = startTime
        self.method = method
        self.target = target
        self.outcome = outcome
        self.status = status
    }

    /// `url.path` of the target: without query; of the absolute form, what follows the authority. RFC 9112 section 3.2.
    public var path: String {
        var path = target.prefix { $0 != "?" && $0 != "#" }
        if let scheme = path.firstRange(of: "://"), path.first != "/" {
            let rest = path[scheme.upperBound...]
            path = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        return String(path)
    }
}
