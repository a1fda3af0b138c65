/// What may be on a page of metrics at most.
public struct ExpositionLimits: Sendable {
    /// Series of all metrics; a histogram is one.
    public var seriesMax = 100_000
    /// Of one metric.
    public var metricSeriesMax = 20_000
    public var metricsMax = 10_000
    /// What the process says of itself has so much room more, of series and of metrics: a page that others have filled has it all the same.
    public var ownMax = 10_000
    /// Resources of senders.
    public var targetsMax = 10_000
    /// Names and values of one series' labels.
    public var labelBytesMax = 8_192
    /// Of one histogram.
    public var bucketsMax = 512
    public var quantilesMax = 128
    /// What all of it takes, about.
    public var bytesMax = 128 << 20
    /// What the process says of itself may take so much more.
    public var ownBytesMax = 16 << 20
    /// What the page takes, about: each bucket's line has all labels. Whoever serves it has to have room for so much of it that nobody has read yet.
    public var pageBytesMax = 64 << 20
    /// What the process says of itself may take so much more.
    public var ownPageBytesMax = 16 << 20
    /// After this time a sender's series that brought nothing new are gone.
    public var staleNanoseconds: UInt64 = 300_000_000_000

    public init() {}

    /// - Parameters:
    ///   - interval: How often metrics come. Nanoseconds.
    ///   - unreadBytesMax: What whoever serves the page has room for that nobody has read yet. A page that is larger would be cut.
    public init(interval: UInt64 = 0, unreadBytesMax: Int) {
        staleNanoseconds = max(staleNanoseconds, min(interval, UInt64.max / 4) * 3)
        pageBytesMax = min(pageBytesMax, unreadBytesMax / 2)
        ownPageBytesMax = min(ownPageBytesMax, unreadBytesMax / 4)
    }
}

/// Why points are not on the page. `rawValue` is fit for a metric label.
public enum ExpositionDrop: String, Error, CaseIterable, Sendable {
    /// There are as many series, metrics or targets as may be, or bytes of them.
    case full
    /// The metric has as many series as one may have.
    case metricFull = "metric_full"
    /// Its labels or buckets are more than one series may have.
    case tooLarge = "too_large"
    /// Another metric has the name already, as another type; or the series is the agent's own.
    case conflict
    /// It cannot be decoded, or says what cannot be.
    case malformed
    /// There is a later point already.
    case old
    /// More came at once than could be looked at.
    case busy
}

/// Who made points.
public enum MetricSource: Hashable, Sendable {
    /// The process itself, under a name: each batch says all there is, so that what it does not say any more is gone.
    case own(String)
    /// One of several isolates that run the same program. Their counts are added up, and those of isolates that have ended stay.
    case isolate(UInt64)
    /// Somebody else, by a receiver: told apart by their resources.
    case received
}
