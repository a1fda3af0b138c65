// The points of an OTLP metric, with all that `MetricPoint` leaves out: exemplars, summaries, exponential histograms, temporality, flags.

public import Telemetry

extension Prometheus {
    public struct Exemplar: Sendable {
        /// Nanoseconds since 1970.
        public var time: UInt64 = 0
        public var value = 0.0
        public var attributes: Attributes = []
        public var traceID: [UInt8] = []
        public var spanID: [UInt8] = []

        public init() {}
    }

    /// A point of any kind; fields that its kind has not stay empty.
    public struct Point: Sendable {
        /// Nanoseconds since 1970; 0: it has none.
        public var startTime: UInt64 = 0
        public var time: UInt64 = 0
        /// `KeyValue`s as they came, each behind its length: what tells one series from another without being decoded.
        public var attributeBytes: [UInt8] = []
        public var exemplars: [Exemplar] = []
        /// Bit 0 of the flags: there was nothing to record.
        public var isMissing = false
        public var value = 0.0
        public var count: UInt64 = 0
        /// Nil: not recorded.
        public var sum: Double?
        public var bounds: [Double] = []
        public var bucketCounts: [UInt64] = []
        public var scale: Int32 = 0
        public var zeroCount: UInt64 = 0
        public var zeroThreshold = 0.0
        public var positive = Buckets()
        public var negative = Buckets()
        public var quantiles: [(quantile: Double, value: Double)] = []

        public init() {}

        public func attributes() throws(DecodeError) -> Attributes {
            try Prometheus.attributes(attributeBytes)
        }

        fileprivate mutating func addAttribute(_ reader: inout ProtobufReader) throws(DecodeError) {
            let bytes = try reader.bytes()
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: bytes.count)) { attributeBytes += $0 }
            attributeBytes += bytes
        }
    }

    /// `Point.attributeBytes`, decoded.
    public static func attributes(_ bytes: [UInt8]) throws(DecodeError) -> Attributes {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            var attributes: Attributes = []
            var position = 0
            while position < bytes.count {
                let count = Int(bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
                let message = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<(position + 4 + count)])
                attributes.append(try OTLP.decodeAttribute(ProtobufReader(message)))
                position += 4 + count
            }
            return attributes
        }
    }

    /// Buckets of an exponential histogram, from the one with index `offset` on.
    public struct Buckets: Hashable, Sendable {
        public var offset: Int32 = 0
        public var counts: [UInt64] = []

        public init(offset: Int32 = 0, counts: [UInt64] = []) {
            self.offset = offset
            self.counts = counts
        }
    }

    public enum Kind: UInt8, Sendable { case gauge, sum, histogram, exponentialHistogram, summary }

    public enum Temporality: UInt8, Sendable { case unspecified, delta, cumulative }

    /// What the points of a metric share.
    public struct Metric: Sendable {
        public var name = ""
        public var description = ""
        public var unit = ""
        public var kind: Kind?
        public var isMonotonic = false
        public var temporality = Temporality.unspecified

        public init(description: String = "") { self.description = description }
    }

    /// Calls `each` with every point, in the order they came.
    public static func decode(
        _ reader: consuming ProtobufReader, _ each: (Metric, consuming Point) throws(DecodeError) -> Void
    ) throws(DecodeError) {
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
        guard let kind = metric.kind, var points = data, var rest = data else { return }
        // What they have in common is written behind them.
        while let field = try rest.next() {
            switch (field.number, field.type) {
            case (2, .varint):
                metric.temporality = Temporality(rawValue: UInt8(clamping: try rest.varint())) ?? .unspecified
            case (3, .varint): metric.isMonotonic = try rest.varint() != 0
            default: try rest.skip(field)
            }
        }
        // Gauges and summaries have no temporality.
        if kind == .gauge || kind == .summary { metric.temporality = .cumulative }
        while let field = try points.next() {
            if field.number == 1, field.type == .lengthDelimited {
                try each(metric, try point(points.message(), kind))
            } else {
                try points.skip(field)
            }
        }
    }

    private static func point(_ reader: consuming ProtobufReader, _ kind: Kind) throws(DecodeError) -> Point {
        var point = Point()
        while let field = try reader.next() {
            // Times have one number everywhere.
            if field.type == .fixed64, field.number == 2 || field.number == 3 {
                if field.number == 2 {
                    point.startTime = try reader.fixed64()
                } else {
                    point.time = try reader.fixed64()
                }
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
        case (7, .lengthDelimited): try point.addAttribute(&reader)
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
        case (9, .lengthDelimited): try point.addAttribute(&reader)
        case (10, .varint): point.isMissing = try reader.varint() & 1 != 0
        default: try reader.skip(field)
        }
    }

    private static func readExponential(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, _ point: inout Point
    ) throws(DecodeError) {
        switch (field.number, field.type) {
        case (1, .lengthDelimited): try point.addAttribute(&reader)
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
        case (7, .lengthDelimited): try point.addAttribute(&reader)
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

extension Prometheus.Buckets {
    /// Buckets as runs of those that are not empty; each count as its difference to the one before. OTLP numbers a bucket by its lower bound, Prometheus by its
    /// upper one. Messages `BucketSpan` and a packed field of differences, as remote write and the scraped protobuf have them.
    /// - Parameter shift: How many powers of two coarser they become.
    public func write(_ shift: Int32, spans: UInt32, deltas: UInt32, into writer: inout ProtobufWriter) {
        var merged: [(index: Int64, count: Int64)] = []
        for (place, count) in counts.enumerated() where count > 0 {
            let index = (Int64(offset) + Int64(place)) >> Int64(shift) + 1
            let count = Int64(clamping: count)
            if let last = merged.last, last.index == index {
                merged[merged.count - 1].count &+= count
            } else {
                merged.append((index, count))
            }
        }
        var next: Int64 = 0
        var start = 0
        while start < merged.count {
            var end = start + 1
            while end < merged.count, merged[end].index == merged[end - 1].index + 1 { end += 1 }
            writer.message(spans) {
                $0.putVarint(1, Prometheus.zigzag(merged[start].index - next))
                $0.putVarint(2, UInt64(end - start))
            }
            next = merged[end - 1].index + 1
            start = end
        }
        guard !merged.isEmpty else { return }
        let mark = writer.begin(deltas, lengthBytes: 2)
        var before: Int64 = 0
        for bucket in merged {
            writer.ensureCapacity(ProtobufWriter.varintBytesMax)
            writer.storeVarint(Prometheus.zigzag(bucket.count &- before))
            before = bucket.count
        }
        writer.end(mark)
    }
}

extension Prometheus {
    public static func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: number << 1 ^ number >> 63) }

    /// A bucket's bound as text: the shortest one without an exponent.
    public static func bound(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        var text = number.description
        guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]) else {
            if text.hasSuffix(".0") { text.removeLast(2) }
            return text
        }
        let mantissa = text[..<mark]
        let sign = mantissa.hasPrefix("-") ? "-" : ""
        let digits = mantissa.filter { $0 != "-" && $0 != "." }
        let whole = mantissa.drop { $0 == "-" }.prefix { $0 != "." }.count
        let point = whole + exponent
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + trimmed(digits) }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + trimmed(String(digits.dropFirst(point)))
    }

    private static func trimmed(_ digits: String) -> String {
        let end = digits.lastIndex { $0 != "0" }.map { digits.index(after: $0) } ?? digits.startIndex
        return String(digits[..<end])
    }
}
