// Loki's push request, <https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs>, in its protobuf form: the message `PushRequest` of
// <https://github.com/grafana/loki/blob/main/pkg/push/push.proto>, before it is compressed.
//
// Names follow what Loki itself makes of OTLP (<https://grafana.com/docs/loki/latest/send-data/otel/>): a few attributes of the resource are labels, which make a
// stream; everything else is structured metadata of its line; what is no letter, digit or "_" in a name becomes "_".

public import Telemetry

public enum Loki {
    private static let serviceName = "service.name"

    private enum Field {
        static let streams: UInt32 = 1
        static let labels: UInt32 = 1
        static let entries: UInt32 = 2
        static let timestamp: UInt32 = 1
        static let line: UInt32 = 2
        static let metadata: UInt32 = 3
    }

    /// A `PushRequest`. A stream's lines are in the order of their times. Traps when a batch is not of logs.
    /// - Parameters:
    ///   - labels: Attributes of the resource that become labels. A stream that would have none gets the service's name.
    ///   - now: For records that have no time at all, nanoseconds since 1970.
    public static func encode(batches: [Batch], labels: [String], now: UInt64) -> EncodedItems {
        var encoder = Encoder(labels: labels, now: now, capacity: batches.reduce(0) { $0 + $1.bytes.count } * 2)
        for batch in batches {
            precondition(batch.signal == .logs, "a batch of \(batch.signal) for Loki")
            encoder.put(batch)
        }
        return encoder.finish()
    }

    /// A name as labels and structured metadata may have it.
    static func name(_ key: String) -> String {
        var name: [UInt8] = []
        name.reserveCapacity(key.utf8.count + 1)
        if let first = key.utf8.first, (0x30...0x39).contains(first) { name.append(UInt8(ascii: "_")) }
        for scalar in key.unicodeScalars {
            switch scalar.value {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: name.append(UInt8(scalar.value))
            default: name.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// Labels as a stream's selector: `{service_name="shop"}`.
    static func selector(_ pairs: [(name: String, value: String)]) -> String {
        "{" + pairs.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private struct Encoder: ~Copyable {
        private struct Entry {
            var time: UInt64
            /// In `lines`, frame included.
            var range: Range<Int>
        }

        private let labels: [String]
        private let now: UInt64
        private var lines: ProtobufWriter
        private var streams: [(selector: String, entries: [Entry])] = []
        private var streamOfSelector: [String: Int] = [:]
        private var items = 0
        private var skipped = 0
        /// Names that the line being written has already.
        private var names: Set<String> = []
        /// Keys are few, and the same for many lines.
        private var nameOfKey: [String: String] = [:]

        init(labels: [String], now: UInt64, capacity: Int) {
            self.labels = labels
            self.now = now
            lines = ProtobufWriter(capacity: capacity)
        }

        mutating func put(_ batch: Batch) {
            guard let resource = try? batch.decodedResource() else { return skipped += batch.items.count }
            var pairs = labels.compactMap { key in
                resource.attributes[key].map { (name: Loki.name(key), value: $0.text) }
            }
            pairs.removeAll { $0.value.isEmpty }
            if pairs.isEmpty { pairs = [(name: Loki.name(Loki.serviceName), value: resource.serviceName)] }
            let others = resource.attributes.filter { attribute in
                !pairs.contains { $0.name == name(attribute.key) }
            }
            let stream = stream(Loki.selector(pairs))
            for element in batch.logRecords() {
                switch element {
                case .success(let (record, scope)):
                    put(record, scope, others, stream)
                    items += 1
                case .failure: skipped += 1
                }
            }
        }

        private mutating func stream(_ selector: String) -> Int {
            if let known = streamOfSelector[selector] { return known }
            streams.append((selector, []))
            streamOfSelector[selector] = streams.count - 1
            return streams.count - 1
        }

        private mutating func name(_ key: String) -> String {
            if let known = nameOfKey[key] { return known }
            let name = Loki.name(key)
            // Keys are data: that there are many must not cost memory without end.
            if nameOfKey.count < 4_096 { nameOfKey[key] = name }
            return name
        }

        private mutating func put(
            _ record: LogRecord, _ scope: InstrumentationScope, _ resource: Attributes, _ stream: Int
        ) {
            let time = record.time != 0 ? record.time : record.observedTime != 0 ? record.observedTime : now
            let start = lines.count
            let entry = lines.begin(Field.entries, lengthBytes: 2)
            lines.message(Field.timestamp) {
                $0.putVarint(1, time / 1_000_000_000)
                $0.putVarint(2, time % 1_000_000_000)
            }
            let text = record.body.text
            lines.putString(Field.line, text.isEmpty ? record.eventName : text)
            names.removeAll(keepingCapacity: true)
            putMetadata(of: record, scope)
            for attribute in record.attributes { put(name(attribute.key), attribute.value.text) }
            for attribute in scope.attributes { put(name(attribute.key), attribute.value.text) }
            for attribute in resource { put(name(attribute.key), attribute.value.text) }
            lines.end(entry)
            streams[stream].entries.append(Entry(time: time, range: start..<lines.count))
        }

        private mutating func putMetadata(of record: LogRecord, _ scope: InstrumentationScope) {
            if record.severity != 0 { put("severity_number", String(record.severity)) }
            put("severity_text", record.severityText)
            if record.traceID.isValid { put("trace_id", record.traceID.hex) }
            if record.spanID.isValid { put("span_id", record.spanID.hex) }
            if record.traceFlags != 0 { put("flags", String(record.traceFlags)) }
            if record.observedTime != 0 { put("observed_timestamp", String(record.observedTime)) }
            put("event_name", record.eventName)
            if record.droppedAttributesCount != 0 {
                put("dropped_attributes_count", String(record.droppedAttributesCount))
            }
            put("scope_name", scope.name)
            put("scope_version", scope.version)
        }

        /// Of two that come to one name the first counts.
        private mutating func put(_ name: String, _ value: String) {
            guard !value.isEmpty, !name.isEmpty, names.insert(name).inserted else { return }
            lines.message(Field.metadata) {
                $0.putString(1, name)
                $0.putString(2, value)
            }
        }

        consuming func finish() -> EncodedItems {
            var request = ProtobufWriter(capacity: lines.count + streams.count * 256)
            for index in streams.indices {
                let entries = streams[index].entries
                guard !entries.isEmpty else { continue }
                // Equal times stay in their order.
                let order = entries.indices.sorted {
                    (entries[$0].time, $0) < (entries[$1].time, $1)
                }
                let size = entries.reduce(0) { $0 + $1.range.count } + streams[index].selector.utf8.count + 12
                request.message(Field.streams, lengthBytes: Protobuf.varintSize(UInt64(size))) { request in
                    request.putString(Field.labels, streams[index].selector)
                    lines.withBytes { bytes in
                        for place in order {
                            request.putRaw(UnsafeRawBufferPointer(rebasing: bytes[entries[place].range]))
                        }
                    }
                }
            }
            return EncodedItems(bytes: request.takeBytes(), items: items, skipped: skipped)
        }
    }

    /// How many lines Loki says that it left out of a push, and kept the others: "total ignored: 3 out of 10", once for each stream. Nil when it says
    /// nothing of the kind.
    public static func ignoredCount(_ message: String) -> Int? {
        var total: Int?
        var rest = message[...]
        while let found = rest.firstRange(of: "total ignored: ") {
            rest = rest[found.upperBound...]
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int(digits), rest.dropFirst(digits.count).hasPrefix(" out of ") else { continue }
            total = (total ?? 0) + min(count, 1 << 32)
        }
        return total
    }
}
