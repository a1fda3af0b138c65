internal import Resources
internal import Telemetry
internal import Wire

/// The figures of a snapshot as a batch of metrics. It is encoded once for as long as the series stay the same: times and values have a fixed length in OTLP, and later
/// ones are written over them.
struct ResourceBatch: Sendable {
    private let resource: Resource
    private var series: [ResourceSeries] = []
    /// What is encoded, by the order of `places`.
    private var identities: [ResourceSeries.Identity] = []
    private var places: [Place] = []
    private var batch: Batch?

    private static let scope = InstrumentationScope(name: Release.name, version: Release.version)

    /// Where the numbers of a point begin in the batch's bytes.
    private struct Place {
        /// 0: a point without one.
        var startTime = 0
        var time = 0
        var value = 0
        var isInteger = false
    }

    init(_ resource: Resource) { self.resource = resource }

    /// Nil: there are no figures.
    mutating func make(_ snapshot: ResourceSnapshot) -> Batch? {
        snapshot.series(into: &series)
        guard !series.isEmpty else { return nil }
        let isKnown =
            identities.count == series.count && series.indices.allSatisfy { identities[$0] == series[$0].identity }
        guard isKnown, batch != nil else {
            encode(snapshot)
            return batch
        }
        batch!.bytes.withUnsafeMutableBytes { bytes in
            for (place, one) in zip(places, series) {
                if place.startTime > 0 { Self.put(min(one.startTime, snapshot.time), at: place.startTime, bytes) }
                Self.put(snapshot.time, at: place.time, bytes)
                let bits =
                    place.isInteger ? UInt64(clamping: Int64(max(0, min(one.value, 0x1p62)))) : one.value.bitPattern
                Self.put(bits, at: place.value, bytes)
            }
        }
        for index in batch!.items.indices {
            (batch!.items[index].start, batch!.items[index].end) = (snapshot.time, snapshot.time)
        }
        return batch
    }

    private static func put(_ word: UInt64, at offset: Int, _ bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    private mutating func encode(_ snapshot: ResourceSnapshot) {
        var builder = BatchBuilder(signal: .metrics, resource: resource)
        let points = snapshot.points()
        for point in points { builder.append(point, scope: Self.scope) }
        let made = builder.take()
        precondition(made.items.count == series.count, "\(made.items.count) points of \(series.count) series")
        identities = series.map(\.identity)
        places = made.bytes.withUnsafeBytes { bytes in
            made.items.map { Self.place(bytes, Int($0.offset), Int($0.length)) }
        }
        batch = made
    }

    /// Finds the numbers of a point in what `OTLP.encode(metric:into:)` has written.
    private static func place(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ length: Int) -> Place {
        var place = Place()
        do throws(DecodeError) {
            var item = ProtobufReader(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)]))
            _ = try item.next()
            var metric = try item.message()
            while let field = try metric.next() {
                // Gauge and sum; before them are texts.
                guard field.number == 5 || field.number == 7 else {
                    try metric.skip(field)
                    continue
                }
                var data = try metric.message()
                _ = try data.next()
                var point = try data.message()
                while let field = try point.next() {
                    switch field.number {
                    case 2: place.startTime = offset + point.offset
                    case 3: place.time = offset + point.offset
                    case 4: place.value = offset + point.offset
                    case 6: (place.value, place.isInteger) = (offset + point.offset, true)
                    default: break
                    }
                    try point.skip(field)
                }
            }
        } catch {
            preconditionFailure("a point that was encoded here: \(error)")
        }
        precondition(place.time > 0 && place.value > 0, "a point without time or value")
        return place
    }
}
