// Cumulative histograms of durations, as OTLP has them: with fixed bounds, or exponential, where a bucket's bounds are powers
// of 2^(2^-scale) and the scale shrinks when values lie too far apart for the buckets there may be.
// <https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>

internal import Glibc
internal import Telemetry
internal import Wire

/// How histograms of one metric are made.
enum HistogramShape {
    /// Rising; a value that equals a bound is in the bucket below.
    case explicit([Double])
    case exponential

    static let exponentialBucketsMax = 160
    static let scaleMax: Int32 = 20
    private static let exponentialExemplars = 8

    /// Exemplars of a point: one a bucket, or the last ones.
    var exemplarsMax: Int {
        switch self {
        case .explicit(let bounds): bounds.count + 1
        case .exponential: Self.exponentialExemplars
        }
    }
}

/// A span that is an example of what a bucket counts.
struct Exemplar {
    var trace: TraceID
    var span: SpanID
    var value: Double
    /// Nanoseconds since the Unix epoch.
    var time: UInt64

    static let none = Exemplar(trace: .invalid, span: .invalid, value: 0, time: 0)
}

struct LatencyHistogram {
    private(set) var count: UInt64 = 0
    private var sum = 0.0
    private var least = Double.infinity
    private var most = 0.0
    /// All buckets, or of an exponential one those from `offset` on.
    private var counts: [UInt64]
    private var zeros: UInt64 = 0
    private var scale = HistogramShape.scaleMax
    private var offset: Int32 = 0
    /// Since the last time they were told; by bucket, or in the order they came.
    private var exemplars: [Exemplar] = []
    private var hasExemplars = false

    init(_ shape: HistogramShape) {
        switch shape {
        case .explicit(let bounds): counts = Array(repeating: 0, count: bounds.count + 1)
        case .exponential: counts = []
        }
    }

    /// - Parameter value: 0 or more.
    mutating func add(_ value: Double, _ shape: HistogramShape, exemplar: Exemplar? = nil) {
        count += 1
        sum += value
        least = min(least, value)
        most = max(most, value)
        var place = 0
        switch shape {
        case .explicit(let bounds):
            while place < bounds.count, value > bounds[place] { place += 1 }
            counts[place] += 1
        case .exponential:
            place = Int(count % UInt64(shape.exemplarsMax))
            addExponential(value)
        }
        guard let exemplar, exemplar.trace.isValid else { return }
        if exemplars.isEmpty { exemplars = Array(repeating: .none, count: shape.exemplarsMax) }
        exemplars[place] = exemplar
        hasExemplars = true
    }

    private mutating func addExponential(_ value: Double) {
        guard value > 0 else { return zeros += 1 }
        var index = Self.index(value, scale)
        if counts.isEmpty {
            offset = index
            counts = [1]
            return
        }
        var (low, high) = (min(index, offset), max(index, offset + Int32(counts.count) - 1))
        var shift: Int32 = 0
        while high - low >= Int32(HistogramShape.exponentialBucketsMax) {
            (low, high, shift) = (low >> 1, high >> 1, shift + 1)
        }
        if shift > 0 {
            merge(shift)
            index = Self.index(value, scale)
        }
        if index < offset {
            counts.insert(contentsOf: repeatElement(0, count: Int(offset - index)), at: 0)
            offset = index
        }
        let place = Int(index - offset)
        if place >= counts.count { counts += Array(repeating: 0, count: place + 1 - counts.count) }
        counts[place] += 1
    }

    /// The bucket with bounds (base^index, base^(index + 1)], base = 2^(2^-scale).
    static func index(_ value: Double, _ scale: Int32) -> Int32 {
        if value.significand == 1 {
            // A power of two is the upper bound of its bucket, which a logarithm could miss.
            let exponent = Int32(value.exponent)
            return scale >= 0 ? exponent << scale - 1 : (exponent - 1) >> -scale
        }
        return scale >= 0
            ? Int32(ceil(log2(value) * Double(1 << Int(scale)))) - 1 : Int32(value.exponent) >> -scale
    }

    /// Puts 2^shift buckets together into one.
    private mutating func merge(_ shift: Int32) {
        var merged: [UInt64] = []
        let first = offset >> shift
        for (place, count) in counts.enumerated() {
            let target = Int((offset + Int32(place)) >> shift - first)
            if target >= merged.count { merged += Array(repeating: 0, count: target + 1 - merged.count) }
            merged[target] += count
        }
        (counts, offset, scale) = (merged, first, scale - shift)
    }

    /// What an exponential one says.
    var exponential: (scale: Int32, offset: Int32, counts: [UInt64], zeros: UInt64) { (scale, offset, counts, zeros) }

    // MARK: OTLP

    /// Writes the point, all but its attributes' tags, which are the caller's; exemplars are told once.
    mutating func encode(
        _ shape: HistogramShape, attributes: [UInt8], start: UInt64, time: UInt64, into writer: inout ProtobufWriter
    ) {
        let point = writer.begin(MetricFields.points, lengthBytes: 2)
        writer.putFixed64(MetricFields.Point.startTime, start)
        writer.putFixed64(MetricFields.Point.time, time)
        writer.putFixed64(MetricFields.Histogram.count, count)
        writer.putDouble(MetricFields.Histogram.sum, sum)
        switch shape {
        case .explicit(let bounds):
            Self.putPacked(MetricFields.Histogram.bucketCounts, counts, into: &writer)
            Self.putPacked(MetricFields.Histogram.bounds, bounds.map(\.bitPattern), into: &writer)
            putExemplars(MetricFields.Histogram.exemplars, into: &writer)
            MetricFields.putAttributes(attributes, field: MetricFields.Histogram.attributes, into: &writer)
            if count > 0 {
                writer.putDouble(MetricFields.Histogram.least, least)
                writer.putDouble(MetricFields.Histogram.most, most)
            }
        case .exponential:
            typealias Fields = MetricFields.Exponential
            MetricFields.putAttributes(attributes, field: Fields.attributes, into: &writer)
            writer.putVarint(Fields.scale, Self.zigzag(scale))
            writer.putFixed64(Fields.zeros, zeros)
            let buckets = writer.begin(Fields.positive, lengthBytes: 2)
            writer.putVarint(Fields.offset, Self.zigzag(offset))
            let packed = writer.begin(Fields.bucketCounts, lengthBytes: 2)
            for count in counts {
                writer.ensureCapacity(ProtobufWriter.varintBytesMax)
                writer.storeVarint(count)
            }
            writer.end(packed)
            writer.end(buckets)
            putExemplars(Fields.exemplars, into: &writer)
            if count > 0 {
                writer.putDouble(Fields.least, least)
                writer.putDouble(Fields.most, most)
            }
        }
        writer.end(point)
    }

    private mutating func putExemplars(_ field: UInt32, into writer: inout ProtobufWriter) {
        guard hasExemplars else { return }
        for index in exemplars.indices where exemplars[index].trace.isValid {
            let exemplar = exemplars[index]
            let message = writer.begin(field)
            writer.putFixed64(MetricFields.Exemplar.time, exemplar.time)
            writer.putDouble(MetricFields.Exemplar.value, exemplar.value)
            writer.putBytes(MetricFields.Exemplar.spanID, exemplar.span.bytes)
            writer.putBytes(MetricFields.Exemplar.traceID, exemplar.trace.bytes)
            writer.end(message)
            exemplars[index] = .none
        }
        hasExemplars = false
    }

    private static func putPacked(_ field: UInt32, _ values: [UInt64], into writer: inout ProtobufWriter) {
        let packed = writer.begin(field, lengthBytes: 2)
        writer.ensureCapacity(values.count * 8)
        for value in values { writer.storeFixed64(value) }
        writer.end(packed)
    }

    private static func zigzag(_ value: Int32) -> UInt64 { UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)) }
}

/// Numbers of OTLP's fields of metrics that processors make.
enum MetricFields {
    static let name: UInt32 = 1
    static let description: UInt32 = 2
    static let unit: UInt32 = 3
    static let sum: UInt32 = 7
    static let histogram: UInt32 = 9
    static let exponentialHistogram: UInt32 = 10
    /// In each kind of data.
    static let points: UInt32 = 1
    static let temporality: UInt32 = 2
    static let isMonotonic: UInt32 = 3
    static let cumulative: UInt64 = 2

    enum Point {
        static let startTime: UInt32 = 2
        static let time: UInt32 = 3
        static let asInt: UInt32 = 6
        static let attributes: UInt32 = 7
    }

    enum Histogram {
        static let count: UInt32 = 4
        static let sum: UInt32 = 5
        static let bucketCounts: UInt32 = 6
        static let bounds: UInt32 = 7
        static let exemplars: UInt32 = 8
        static let attributes: UInt32 = 9
        static let least: UInt32 = 11
        static let most: UInt32 = 12
    }

    enum Exponential {
        static let attributes: UInt32 = 1
        static let scale: UInt32 = 6
        static let zeros: UInt32 = 7
        static let positive: UInt32 = 8
        static let exemplars: UInt32 = 11
        static let least: UInt32 = 12
        static let most: UInt32 = 13
        // Of its buckets.
        static let offset: UInt32 = 1
        static let bucketCounts: UInt32 = 2
    }

    enum Exemplar {
        static let time: UInt32 = 2
        static let value: UInt32 = 3
        static let spanID: UInt32 = 4
        static let traceID: UInt32 = 5
    }

    /// The field that a series' attributes are kept as.
    static let keptAttributes = Point.attributes

    /// Writes attributes that are kept, each with its frame, as another field.
    static func putAttributes(_ attributes: [UInt8], field: UInt32, into writer: inout ProtobufWriter) {
        attributes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var fields = FieldCursor(base, 0..<bytes.count)
            while fields.next() { writer.putBytes(field, fields.bytes(fields.value)) }
        }
    }

    /// Writes the value of a sum as a point.
    static func putCount(
        _ count: UInt64, attributes: [UInt8], start: UInt64, time: UInt64, into writer: inout ProtobufWriter
    ) {
        let point = writer.begin(points, lengthBytes: 2)
        writer.putFixed64(Point.startTime, start)
        writer.putFixed64(Point.time, time)
        writer.putFixed64(Point.asInt, count)
        putAttributes(attributes, field: Point.attributes, into: &writer)
        writer.end(point)
    }
}

/// A batch of metrics that a processor makes.
struct DerivedMetrics: ~Copyable {
    private var batch: Batch
    private var writer = ProtobufWriter()
    let time: UInt64

    /// - Parameters:
    ///   - resource: an OTLP `Resource` message.
    ///   - time: Nanoseconds since the Unix epoch.
    init(resource: [UInt8], scope: String, time: UInt64) {
        self.time = time
        batch = Batch(
            signal: .metrics, resource: resource, scopes: [OTLP.message(InstrumentationScope(name: scope))])
    }

    mutating func addSum(_ name: String, unit: String, _ points: (inout ProtobufWriter) -> Void) {
        add(name, unit, MetricFields.sum) { writer in
            points(&writer)
            writer.putVarint(MetricFields.temporality, MetricFields.cumulative)
            writer.putVarint(MetricFields.isMonotonic, 1)
        }
    }

    mutating func addHistogram(
        _ name: String, unit: String, _ shape: HistogramShape, _ points: (inout ProtobufWriter) -> Void
    ) {
        let field = if case .exponential = shape { MetricFields.exponentialHistogram } else { MetricFields.histogram }
        add(name, unit, field) { writer in
            points(&writer)
            writer.putVarint(MetricFields.temporality, MetricFields.cumulative)
        }
    }

    private mutating func add(_ name: String, _ unit: String, _ kind: UInt32, _ data: (inout ProtobufWriter) -> Void) {
        let start = writer.count
        let metric = writer.begin(2, lengthBytes: 3)
        writer.putString(MetricFields.name, name)
        writer.putString(MetricFields.unit, unit)
        writer.message(kind, lengthBytes: 3, data)
        writer.end(metric)
        batch.items.append(
            Batch.Item(
                offset: UInt32(start), length: UInt32(writer.count - start), scope: 0, status: 0, kind: 0,
                traceID: .invalid, spanID: .invalid, parentSpanID: .invalid, start: time, end: time))
    }

    /// The batch; nothing may be added after that.
    mutating func finish() -> Batch {
        batch.bytes = writer.takeBytes()
        return batch
    }
}
