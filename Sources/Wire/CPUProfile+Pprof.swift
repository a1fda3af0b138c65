// pprof's profile.proto, not compressed. <https://github.com/google/pprof/blob/main/proto/profile.proto>

extension CPUProfile {
    private enum Field {
        static let sampleType: UInt32 = 1, sample: UInt32 = 2, location: UInt32 = 4, function: UInt32 = 5
        static let stringTable: UInt32 = 6, duration: UInt32 = 10, periodType: UInt32 = 11, period: UInt32 = 12
    }

    /// Texts by their place in the table; the empty one is the first.
    private struct Strings {
        var table = [""]
        private var places = ["": 0]

        mutating func place(_ text: String) -> UInt64 {
            if let place = places[text] { return UInt64(place) }
            places[text] = table.count
            table.append(text)
            return UInt64(table.count - 1)
        }
    }

    private struct Key: Hashable {
        let node: Int
        let span: Int?
    }

    /// The profile with two values a stack, samples and CPU nanoseconds. Stacks of a span carry its ids as labels `trace_id` and `span_id`.
    public var pprof: [UInt8] {
        var writer = ProtobufWriter(capacity: 64 << 10)
        var strings = Strings()
        valueType(Field.sampleType, "samples", "count", &strings, &writer)
        valueType(Field.sampleType, "cpu", "nanoseconds", &strings, &writer)

        var sums: [Key: (count: UInt64, microseconds: Int64)] = [:]
        var order: [Key] = []
        for sample in samples {
            let key = Key(node: sample.node, span: sample.span)
            if sums[key] == nil { order.append(key) }
            sums[key, default: (0, 0)].count += 1
            sums[key, default: (0, 0)].microseconds &+= sample.duration
        }
        var locations: [Frame: UInt64] = [:]
        var frames: [Frame] = []
        for key in order {
            // The innermost first.
            let ids = stack(key.node).reversed().map { index in
                let frame = nodes[index].frame
                if let id = locations[frame] { return id }
                frames.append(frame)
                locations[frame] = UInt64(frames.count)
                return UInt64(frames.count)
            }
            let sum = sums[key]!
            let reference = key.span.map { spans[$0] }
            let labels = reference.map {
                [
                    (strings.place("trace_id"), strings.place($0.traceID)),
                    (strings.place("span_id"), strings.place($0.spanID)),
                ]
            }
            writer.message(Field.sample, lengthBytes: 2) { writer in
                for id in ids { writer.putVarint(1, id) }
                writer.putVarint(2, sum.count)
                writer.putVarint(2, UInt64(bitPattern: sum.microseconds &* 1000))
                for (key, value) in labels ?? [] {
                    writer.message(3) { writer in
                        writer.putVarint(1, key)
                        writer.putVarint(2, value)
                    }
                }
            }
        }
        for (index, frame) in frames.enumerated() {
            let id = UInt64(index + 1)
            let name = strings.place(frame.function.isEmpty ? "(anonymous)" : frame.function)
            let file = strings.place(frame.url)
            writer.message(Field.location) { writer in
                writer.putVarint(1, id)
                writer.message(4) { writer in
                    writer.putVarint(1, id)
                    writer.putVarint(2, UInt64(frame.line))
                }
            }
            writer.message(Field.function) { writer in
                writer.putVarint(1, id)
                writer.putVarint(2, name)
                writer.putVarint(3, name)
                writer.putVarint(4, file)
                writer.putVarint(5, UInt64(frame.line))
            }
        }
        writer.putVarint(Field.duration, UInt64(duration) &* 1000)
        valueType(Field.periodType, "cpu", "nanoseconds", &strings, &writer)
        writer.putVarint(Field.period, samples.isEmpty ? 0 : UInt64(duration) &* 1000 / UInt64(samples.count))
        for text in strings.table { writer.putString(Field.stringTable, text) }
        return writer.takeBytes()
    }

    private func valueType(
        _ field: UInt32, _ type: String, _ unit: String, _ strings: inout Strings, _ writer: inout ProtobufWriter
    ) {
        let type = strings.place(type)
        let unit = strings.place(unit)
        writer.message(field) { writer in
            writer.putVarint(1, type)
            writer.putVarint(2, unit)
        }
    }
}
