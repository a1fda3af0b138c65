/// What an instrument is. The ring's numbers (record-format.md, kind 8).
public enum InstrumentType: UInt8, Sendable {
    case counter = 1, upDownCounter, gauge, histogram
}

/// One cumulative point of one instrument, decoded. OTLP `NumberDataPoint` or `HistogramDataPoint` with its metric's description.
public struct MetricPoint: Hashable, Sendable {
    public struct Instrument: Hashable, Sendable {
        public var name: String
        public var unit: String
        public var description: String
        public var type: InstrumentType
        /// Whether values are integers (OTLP `as_int`).
        public var isInteger: Bool

        public init(name: String, unit: String = "", description: String = "", type: InstrumentType, isInteger: Bool = false) {
            self.name = name
            self.unit = unit
            self.description = description
            self.type = type
            self.isInteger = isInteger
        }
    }

    public struct Histogram: Hashable, Sendable {
        public var count: UInt64
        public var min: Double
        public var max: Double
        public var bounds: [Double]
        /// One more than `bounds`.
        public var bucketCounts: [UInt64]

        public init(count: UInt64, min: Double, max: Double, bounds: [Double], bucketCounts: [UInt64]) {
            self.count = count
            self.min = min
            self.max = max
            self.bounds = bounds
            self.bucketCounts = bucketCounts
        }
    }

    /// One observation of many, with the span that it was made in. OTLP `Exemplar`.
    public struct Exemplar: Hashable, Sendable {
        public var value: Double
        /// Nanoseconds since the Unix epoch.
        public var time: UInt64
        public var traceID: TraceID
        public var spanID: SpanID

        public init(value: Double, time: UInt64, traceID: TraceID, spanID: SpanID) {
            self.value = value
            self.time = time
            self.traceID = traceID
            self.spanID = spanID
        }
    }

    public var instrument: Instrument
    public var attributes: Attributes
    /// Nanoseconds since the Unix epoch.
    public var startTime: UInt64
    public var time: UInt64
    /// The value, or the sum of a histogram.
    public var value: Double
    public var histogram: Histogram?
    /// Written, and not read: whoever wants those of a batch reads its bytes.
    public var exemplars: [Exemplar] = []

    public init(
        instrument: Instrument, attributes: Attributes = [], startTime: UInt64, time: UInt64, value: Double,
        histogram: Histogram? = nil
    ) {
        self.instrument = instrument
        self.attributes = attributes
        self.startTime = startTime
        self.time = time
        self.value = value
        self.histogram = histogram
    }
}
