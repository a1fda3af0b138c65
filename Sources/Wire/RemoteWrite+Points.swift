// The points of an OTLP metric, with all that `MetricPoint` leaves out: exemplars, summaries, exponential histograms, temporality, flags.

import Telemetry

extension RemoteWrite {
    struct Exemplar {
        /// Nanoseconds since 1970.
        var time: UInt64 = 0
        var value = 0.0
        var attributes: Attributes = []
        var traceID: [UInt8] = []
        var spanID: [UInt8] = []
    }

    /// A point of any kind; fields that its kind has not stay empty.
    struct Point {
        var time: UInt64 = 0
        var attributes: Attributes = []
        var exemplars: [Exemplar] = []
        /// Bit 0 of the flags: there was nothing to record.
        var isMissing = false
        var value = 0.0
        var count: UInt64 = 0
        /// Nil: not recorded.
        var sum: Double?
        var bounds: [Double] = []
        var bucketCounts: [UInt64] = []
        var scale: Int32 = 0
        var zeroCount: UInt64 = 0
        var zeroThreshold = 0.0
        var positive = Buckets()
        var negative = Buckets()
        var quantiles: [(quantile: Double, value: Double)] = []
    }

    /// Buckets of an exponential histogram, from the one with index `offset` on.
    struct Buckets {
        var offset: Int32 = 0
        var counts: [UInt64] = []
    }

    enum Kind { case gauge, sum, histogram, exponentialHistogram, summary }

    struct Metric {
        var name = ""
        var description = ""
        var unit = ""
        var kind: Kind?
        var isMonotonic = false
        var isCumulative = false
        var points: [Point] = []
    }

    static func metric(_ reader: consuming ProtobufReader) throws(DecodeError) -> Metric {
        var metric = Metric()
        var data: ProtobufReader?
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): metric.name = try reader.string()
            case (2, .lengthDelimited): metric.description = try reader.string()
            case (3, .lengthDelimited): metric.unit = try reader.string()
            case (5, .lengthDelimited): (metric.kind, data) = (.gauge, try reader.message())
            case (7, .lengthDelimited): (metric.kind, data) = (.sum, try reader.message())
            case (9, .lengthDelimited): (metric.kind, data) = (.histogram, try reader.message())
            case (10, .lengthDelimited): (metric.kind, data) = (.exponentialHistogram, try reader.message())
            case (11, .lengthDelimited): (metric.kind, data) = (.summary, try reader.message())
            default: try reader.skip(field)
            }
        }
        guard let kind = metric.kind, var data else { return metric }
        // Gauges and summaries have no temporality.
        metric.isCumulative = kind == .gauge || kind == .summary
        while let field = try data.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): metric.points.append(try point(data.message(), kind))
            case (2, .varint): metric.isCumulative = try data.varint() == 2
            case (3, .varint): metric.isMonotonic = try data.varint() != 0
            default: try data.skip(field)
            }
        }
        return metric
    }

    private static func point(_ reader: consuming ProtobufReader, _ kind: Kind) throws(DecodeError) -> Point {
        var point = Point()
        while let field = try reader.next() {
            // Time has one number everywhere.
            if field.number == 3, field.type == .fixed64 {
                point.time = try reader.fixed64()
                continue
            }
            switch kind {
            case .gauge, .sum: try readNumber(field, &reader, &point)
            case .histogram: try readHistogram(field, &reader, &point)
            case .exponentialHistogram: try readExponential(field, &reader, &point)
            case .summary: try readSummary(field, &reader, &point)
            }
        }
        return point
    }

    private static func readNumber(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point
    ) throws(DecodeError) {
        switch (field.number, field.type) {
        case (4, .fixed64): point.value = try reader.double()
        case (5, .lengthDelimited): point.exemplars.append(try exemplar(reader.message()))
        case (6, .fixed64): point.value = Double(Int64(bitPattern: try reader.fixed64()))
        case (7, .lengthDelimited): point.attributes.append(try OTLP.decodeAttribute(reader.message()))
        case (8, .varint): point.isMissing = try reader.varint() & 1 != 0
        default: try reader.skip(field)
        }
    }

    private static func readHistogram(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point
    ) throws(DecodeError) {
        switch (field.number, field.type) {
        case (4, .fixed64): point.count = try reader.fixed64()
        case (5, .fixed64): point.sum = try reader.double()
        case (6, .lengthDelimited):
            var packed = try reader.message()
            while !packed.isAtEnd { point.bucketCounts.append(try packed.fixed64()) }
        case (6, .fixed64): point.bucketCounts.append(try reader.fixed64())
        case (7, .lengthDelimited):
            var packed = try reader.message()
            while !packed.isAtEnd { point.bounds.append(try packed.double()) }
        case (7, .fixed64): point.bounds.append(try reader.double())
        case (8, .lengthDelimited): point.exemplars.append(try exemplar(reader.message()))
        case (9, .lengthDelimited): point.attributes.append(try OTLP.decodeAttribute(reader.message()))
        case (10, .varint): point.isMissing = try reader.varint() & 1 != 0
        default: try reader.skip(field)
        }
    }

    private static func readExponential(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point
    ) throws(DecodeError) {
        switch (field.number, field.type) {
        case (1, .lengthDelimited): point.attributes.append(try OTLP.decodeAttribute(reader.message()))
        case (4, .fixed64): point.count = try reader.fixed64()
        case (5, .fixed64): point.sum = try reader.double()
        case (6, .varint): point.scale = signed(try reader.varint32())
        case (7, .fixed64): point.zeroCount = try reader.fixed64()
        case (8, .lengthDelimited): point.positive = try buckets(reader.message())
        case (9, .lengthDelimited): point.negative = try buckets(reader.message())
        case (10, .varint): point.isMissing = try reader.varint() & 1 != 0
        case (11, .lengthDelimited): point.exemplars.append(try exemplar(reader.message()))
        case (14, .fixed64): point.zeroThreshold = try reader.double()
        default: try reader.skip(field)
        }
    }

    private static func readSummary(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point
    ) throws(DecodeError) {
        switch (field.number, field.type) {
        case (4, .fixed64): point.count = try reader.fixed64()
        case (5, .fixed64): point.sum = try reader.double()
        case (6, .lengthDelimited):
            var pair = try reader.message()
            var (quantile, value) = (0.0, 0.0)
            while let field = try pair.next() {
                switch (field.number, field.type) {
                case (1, .fixed64): quantile = try pair.double()
                case (2, .fixed64): value = try pair.double()
                default: try pair.skip(field)
                }
            }
            point.quantiles.append((quantile, value))
        case (7, .lengthDelimited): point.attributes.append(try OTLP.decodeAttribute(reader.message()))
        case (8, .varint): point.isMissing = try reader.varint() & 1 != 0
        default: try reader.skip(field)
        }
    }

    /// "sint32", zigzag.
    private static func signed(_ bits: UInt32) -> Int32 { Int32(bitPattern: bits >> 1) ^ -Int32(bits & 1) }

    private static func buckets(_ reader: consuming ProtobufReader) throws(DecodeError) -> Buckets {
        var buckets = Buckets()
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .varint): buckets.offset = signed(try reader.varint32())
            case (2, .lengthDelimited):
                var packed = try reader.message()
                while !packed.isAtEnd { buckets.counts.append(try packed.varint()) }
            case (2, .varint): buckets.counts.append(try reader.varint())
            default: try reader.skip(field)
            }
        }
        return buckets
    }

    private static func exemplar(_ reader: consuming ProtobufReader) throws(DecodeError) -> Exemplar {
        var exemplar = Exemplar()
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (2, .fixed64): exemplar.time = try reader.fixed64()
            case (3, .fixed64): exemplar.value = try reader.double()
            case (4, .lengthDelimited): exemplar.spanID = Array(try reader.bytes())
            case (5, .lengthDelimited): exemplar.traceID = Array(try reader.bytes())
            case (6, .fixed64): exemplar.value = Double(Int64(bitPattern: try reader.fixed64()))
            case (7, .lengthDelimited): exemplar.attributes.append(try OTLP.decodeAttribute(reader.message()))
            default: try reader.skip(field)
            }
        }
        return exemplar
    }
}
