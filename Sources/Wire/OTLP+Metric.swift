public import Telemetry

// A `MetricPoint` is one cumulative point with its metric's description; it becomes a `Metric` with one data point. What it
// cannot say (exemplars, delta temporality, exponential histograms, summaries) passes through the agent untouched as bytes and is
// missing only where bytes are decoded.

extension OTLP {
    /// Writes the fields of a `Metric` message with one data point.
    public static func encode(metric point: MetricPoint, into writer: inout ProtobufWriter) {
        putText(MetricField.name, point.instrument.name, into: &writer)
        putText(MetricField.description, point.instrument.description, into: &writer)
        putText(MetricField.unit, point.instrument.unit, into: &writer)
        switch point.instrument.type {
        case .gauge:
            writer.message(MetricField.gauge) { encode(numberPoint: point, into: &$0) }
        case .counter, .upDownCounter:
            writer.message(MetricField.sum) { sum in
                encode(numberPoint: point, into: &sum)
                sum.putVarint(MetricDataField.temporality, MetricDataField.cumulative)
                if point.instrument.type == .counter { sum.putVarint(MetricDataField.isMonotonic, 1) }
            }
        case .histogram:
            writer.message(MetricField.histogram) { histogram in
                encode(histogramPoint: point, into: &histogram)
                histogram.putVarint(MetricDataField.temporality, MetricDataField.cumulative)
            }
        }
    }

    private static func encode(numberPoint point: MetricPoint, into writer: inout ProtobufWriter) {
        let message = writer.begin(MetricDataField.points)
        putTime(NumberPointField.startTime, point.startTime, into: &writer)
        putTime(NumberPointField.time, point.time, into: &writer)
        if point.instrument.isInteger {
            writer.putFixed64(NumberPointField.asInt, UInt64(bitPattern: integer(point.value)))
        } else {
            writer.putDouble(NumberPointField.asDouble, point.value)
        }
        encode(exemplars: point.exemplars, field: NumberPointField.exemplars, into: &writer)
        encode(attributes: point.attributes, field: NumberPointField.attributes, into: &writer)
        writer.end(message)
    }

    /// A sum, least or greatest value that is NaN is left out: the fields are optional.
    private static func encode(histogramPoint point: MetricPoint, into writer: inout ProtobufWriter) {
        let histogram =
            point.histogram ?? MetricPoint.Histogram(count: 0, min: .nan, max: .nan, bounds: [], bucketCounts: [])
        let message = writer.begin(MetricDataField.points, lengthBytes: 2)
        putTime(HistogramPointField.startTime, point.startTime, into: &writer)
        putTime(HistogramPointField.time, point.time, into: &writer)
        putTime(HistogramPointField.count, histogram.count, into: &writer)
        if !point.value.isNaN { writer.putDouble(HistogramPointField.sum, point.value) }
        putPacked(HistogramPointField.bucketCounts, histogram.bucketCounts, into: &writer) { $0 }
        putPacked(HistogramPointField.bounds, histogram.bounds, into: &writer) { $0.bitPattern }
        encode(exemplars: point.exemplars, field: HistogramPointField.exemplars, into: &writer)
        encode(attributes: point.attributes, field: HistogramPointField.attributes, into: &writer)
        if histogram.count > 0 {
            if !histogram.min.isNaN { writer.putDouble(HistogramPointField.min, histogram.min) }
            if !histogram.max.isNaN { writer.putDouble(HistogramPointField.max, histogram.max) }
        }
        writer.end(message)
    }

    private static func encode(
        exemplars: [MetricPoint.Exemplar], field: UInt32, into writer: inout ProtobufWriter
    ) {
        for exemplar in exemplars {
            let message = writer.begin(field)
            putTime(ExemplarField.time, exemplar.time, into: &writer)
            writer.putDouble(ExemplarField.asDouble, exemplar.value)
            put(ExemplarField.spanID, exemplar.spanID, into: &writer)
            put(ExemplarField.traceID, exemplar.traceID, into: &writer)
            writer.end(message)
        }
    }

    private static func putPacked<Element>(
        _ field: UInt32, _ elements: [Element], into writer: inout ProtobufWriter, bits: (Element) -> UInt64
    ) {
        guard !elements.isEmpty else { return }
        writer.ensureCapacity(ProtobufWriter.tagBytesMax + ProtobufWriter.varintBytesMax + elements.count * 8)
        writer.storeTag(field, .lengthDelimited)
        writer.storeVarint(UInt64(elements.count * 8))
        for element in elements { writer.storeFixed64(bits(element)) }
    }

    /// The nearest 64-bit integer; 0 for NaN.
    private static func integer(_ value: Double) -> Int64 {
        Int64(exactly: value.rounded()) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
    }

    // MARK: decode

    /// The points of one `Metric` message.
    public struct DecodedMetric: Sendable {
        public var points: [MetricPoint] = []
        /// Points that a `MetricPoint` cannot stand for: delta temporality, exponential histograms, summaries.
        public var unsupportedPoints = 0
    }

    /// Decodes a `Metric` message. A missing sum, least or greatest value of a histogram is NaN.
    public static func decodeMetric(_ bytes: [UInt8]) throws(DecodeError) -> DecodedMetric {
        try decoding(bytes) { (reader) throws(DecodeError) in try decodeMetric(reader) }
    }

    /// Decodes a `Metric` message.
    public static func decodeMetric(_ reader: consuming ProtobufReader) throws(DecodeError) -> DecodedMetric {
        var metric = DecodedMetric()
        var instrument = MetricPoint.Instrument(name: "", type: .gauge)
        var data: (field: UInt32, reader: ProtobufReader)?
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (MetricField.name, .lengthDelimited): instrument.name = try reader.string()
            case (MetricField.description, .lengthDelimited): instrument.description = try reader.string()
            case (MetricField.unit, .lengthDelimited): instrument.unit = try reader.string()
            case (MetricField.gauge, .lengthDelimited), (MetricField.sum, .lengthDelimited),
                (MetricField.histogram, .lengthDelimited), (MetricField.exponentialHistogram, .lengthDelimited),
                (MetricField.summary, .lengthDelimited):
                data = (field.number, try reader.message())
            default: try reader.skip(field)
            }
        }
        if let data { try decodeData(data.reader, kind: data.field, instrument: instrument, into: &metric) }
        return metric
    }

    private static func decodeData(
        _ reader: consuming ProtobufReader, kind: UInt32, instrument: MetricPoint.Instrument,
        into metric: inout DecodedMetric
    ) throws(DecodeError) {
        var instrument = instrument
        var points: [ProtobufReader] = []
        var isMonotonic = false
        var temporality: UInt64 = kind == MetricField.gauge ? MetricDataField.cumulative : 0
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (MetricDataField.points, .lengthDelimited): points.append(try reader.message())
            case (MetricDataField.temporality, .varint): temporality = try reader.varint()
            case (MetricDataField.isMonotonic, .varint): isMonotonic = try reader.varint() != 0
            default: try reader.skip(field)
            }
        }
        switch kind {
        case MetricField.gauge: instrument.type = .gauge
        case MetricField.sum: instrument.type = isMonotonic ? .counter : .upDownCounter
        case MetricField.histogram: instrument.type = .histogram
        default: temporality = 0
        }
        guard temporality == MetricDataField.cumulative else { return metric.unsupportedPoints = points.count }
        for point in points {
            metric.points.append(
                instrument.type == .histogram
                    ? try decodeHistogramPoint(point, instrument) : try decodeNumberPoint(point, instrument))
        }
    }

    private static func decodeNumberPoint(
        _ reader: consuming ProtobufReader, _ instrument: MetricPoint.Instrument
    ) throws(DecodeError) -> MetricPoint {
        var point = MetricPoint(instrument: instrument, startTime: 0, time: 0, value: 0)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (NumberPointField.startTime, .fixed64): point.startTime = try reader.fixed64()
            case (NumberPointField.time, .fixed64): point.time = try reader.fixed64()
            case (NumberPointField.asDouble, .fixed64):
                point.value = try reader.double()
                point.instrument.isInteger = false
            case (NumberPointField.asInt, .fixed64):
                point.value = Double(Int64(bitPattern: try reader.fixed64()))
                point.instrument.isInteger = true
            case (NumberPointField.attributes, .lengthDelimited):
                point.attributes.append(try decodeAttribute(reader.message()))
            default: try reader.skip(field)
            }
        }
        return point
    }

    private static func decodeHistogramPoint(
        _ reader: consuming ProtobufReader, _ instrument: MetricPoint.Instrument
    ) throws(DecodeError) -> MetricPoint {
        var point = MetricPoint(instrument: instrument, startTime: 0, time: 0, value: .nan)
        var histogram = MetricPoint.Histogram(count: 0, min: .nan, max: .nan, bounds: [], bucketCounts: [])
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (HistogramPointField.startTime, .fixed64): point.startTime = try reader.fixed64()
            case (HistogramPointField.time, .fixed64): point.time = try reader.fixed64()
            case (HistogramPointField.count, .fixed64): histogram.count = try reader.fixed64()
            case (HistogramPointField.sum, .fixed64): point.value = try reader.double()
            case (HistogramPointField.bucketCounts, .lengthDelimited):
                var packed = try reader.message()
                while !packed.isAtEnd { histogram.bucketCounts.append(try packed.fixed64()) }
            case (HistogramPointField.bucketCounts, .fixed64): histogram.bucketCounts.append(try reader.fixed64())
            case (HistogramPointField.bounds, .lengthDelimited):
                var packed = try reader.message()
                while !packed.isAtEnd { histogram.bounds.append(try packed.double()) }
            case (HistogramPointField.bounds, .fixed64): histogram.bounds.append(try reader.double())
            case (HistogramPointField.attributes, .lengthDelimited):
                point.attributes.append(try decodeAttribute(reader.message()))
            case (HistogramPointField.min, .fixed64): histogram.min = try reader.double()
            case (HistogramPointField.max, .fixed64): histogram.max = try reader.double()
            default: try reader.skip(field)
            }
        }
        point.histogram = histogram
        return point
    }
}
