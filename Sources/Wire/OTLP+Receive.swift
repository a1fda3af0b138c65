// A received request becomes batches by splicing: each item is walked once, one level deep, to find what the index holds of
// it, and its bytes are copied with the frame they came in (consecutive items together). Attributes are not looked at; who
// decodes them later finds what is wrong there.

public import Telemetry

extension OTLP {
    /// What a request may hold, so that a small hostile one cannot make the agent allocate much.
    public struct ReceiveLimits: Sendable {
        public var requestBytesMax: Int
        /// Each costs 64 bytes of index.
        public var itemsMax: Int
        /// Resources a request, and scopes a resource.
        public var resourcesMax: Int

        public init(requestBytesMax: Int = 64 << 20, itemsMax: Int = 262_144, resourcesMax: Int = 4_096) {
            self.requestBytesMax = min(requestBytesMax, BatchBuilder.bytesMax)
            self.itemsMax = itemsMax
            self.resourcesMax = min(resourcesMax, BatchBuilder.scopesMax)
        }
    }

    public struct Received: Sendable {
        /// One for each resource that has items.
        public var batches: [Batch] = []
        /// Items left out because they are malformed or have no ids, for `partial_success`.
        public var rejectedItems = 0
        /// Why, of the first of them.
        public var firstRejection: DecodeError?
    }

    /// Takes an export request apart. Throws when the frames around the items are broken or a limit is exceeded; an item that is
    /// bad in itself is left out and counted.
    /// - Parameter receivedAt: Unix nanoseconds, which a log record without any time gets as the time it was observed, as the collection system is to do
    ///   (<https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-observedtimestamp>); 0: it stays without.
    public static func batches(
        fromExportRequest bytes: [UInt8], signal: Signal, limits: ReceiveLimits = ReceiveLimits(),
        receivedAt: UInt64 = 0
    ) throws(DecodeError) -> Received {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            try batches(
                fromExportRequest: UnsafeRawBufferPointer(bytes), signal: signal, limits: limits, receivedAt: receivedAt)
        }
    }

    /// The same of bytes that lie anywhere; none of them is referred to afterwards.
    public static func batches(
        fromExportRequest bytes: UnsafeRawBufferPointer, signal: Signal, limits: ReceiveLimits = ReceiveLimits(),
        receivedAt: UInt64 = 0
    ) throws(DecodeError) -> Received {
        guard bytes.count <= limits.requestBytesMax else { throw .tooLarge(at: limits.requestBytesMax) }
        var reader = ProtobufReader(bytes)
        var request = RequestSplitter(signal: signal, limits: limits, receivedAt: signal == .logs ? receivedAt : 0)
        try request.split(&reader)
        return request.received
    }

    private struct RequestSplitter {
        let signal: Signal
        let limits: ReceiveLimits
        /// What a log record without any time gets; 0: nothing.
        let receivedAt: UInt64
        var received = Received()
        var items = 0

        mutating func split(_ reader: inout ProtobufReader) throws(DecodeError) {
            while let field = try reader.next() {
                guard field.number == RequestField.resourceItems, field.type == .lengthDelimited else {
                    try reader.skip(field)
                    continue
                }
                guard received.batches.count < limits.resourcesMax else { throw .tooManyResources(at: reader.offset) }
                try splitResource(reader.message())
            }
        }

        /// The parts of a message may come in any order, and a message that comes twice is merged: appending its bytes does that.
        private mutating func splitResource(_ reader: consuming ProtobufReader) throws(DecodeError) {
            var batch = Batch(signal: signal, resource: [])
            batch.bytes.reserveCapacity(reader.remaining)
            while let field = try reader.next() {
                switch (field.number, field.type) {
                case (RequestField.resource, .lengthDelimited): batch.resource.append(contentsOf: try reader.bytes())
                case (RequestField.scopeItems, .lengthDelimited): try splitScope(reader.message(), into: &batch)
                case (RequestField.schemaURL, .lengthDelimited): batch.resourceSchemaURL = try reader.string()
                default: try reader.skip(field)
                }
            }
            if !batch.isEmpty { received.batches.append(batch) }
        }

        private mutating func splitScope(
            _ reader: consuming ProtobufReader, into batch: inout Batch
        ) throws(DecodeError) {
            var scope = Batch.Scope(message: [])
            let scopeIndex = batch.scopes.count
            guard scopeIndex < limits.resourcesMax else { throw .tooManyResources(at: reader.offset) }
            let itemsBefore = batch.items.count
            var run = 0..<0
            while true {
                let start = reader.offset
                guard let field = try reader.next() else { break }
                switch (field.number, field.type) {
                case (RequestField.scope, .lengthDelimited): scope.message.append(contentsOf: try reader.bytes())
                case (RequestField.schemaURL, .lengthDelimited): scope.schemaURL = try reader.string()
                case (RequestField.items, .lengthDelimited):
                    var isCanonical = reader.offset == start + 1
                    let message = try reader.message()
                    guard let item = try index(message) else { continue }
                    let isTimeless = receivedAt != 0 && item.start == 0
                    if isTimeless { isCanonical = false }
                    if !isCanonical || start != run.upperBound {
                        append(reader, &run, to: &batch)
                        run = start..<start
                    }
                    let pending = batch.bytes.count + run.count
                    if isCanonical {
                        run = run.lowerBound..<reader.offset
                        add(item, pending, reader.offset - start, scopeIndex, to: &batch)
                    } else {
                        run = 0..<0
                        addReframed(item, message, isTimeless, scopeIndex, to: &batch)
                    }
                default: try reader.skip(field)
                }
            }
            append(reader, &run, to: &batch)
            if batch.items.count > itemsBefore { batch.scopes.append(scope) }
        }

        private func append(_ reader: borrowing ProtobufReader, _ run: inout Range<Int>, to batch: inout Batch) {
            if !run.isEmpty { batch.bytes.append(contentsOf: reader.bytes(at: run)) }
            run = 0..<0
        }

        private func add(_ item: Batch.Item, _ offset: Int, _ length: Int, _ scope: Int, to batch: inout Batch) {
            var item = item
            item.offset = UInt32(offset)
            item.length = UInt32(length)
            item.scope = UInt16(scope)
            batch.items.append(item)
        }

        /// The tag of the frame was not the one byte that `Batch` promises, or it gets a time.
        private func addReframed(
            _ item: Batch.Item, _ message: ProtobufReader, _ isTimeless: Bool, _ scope: Int, to batch: inout Batch
        ) {
            var message = message
            var item = item
            let start = message.offset
            message.skipToEnd()
            var frame = ProtobufWriter()
            let length = frame.begin(RequestField.items)
            frame.putRaw(message.bytes(at: start..<message.offset))
            if isTimeless { OTLP.putObserved(receivedAt, &item, into: &frame) }
            frame.end(length)
            add(item, batch.bytes.count, frame.count, scope, to: &batch)
            frame.withBytes { batch.bytes.append(contentsOf: $0) }
        }

        /// The index entry of an item; nil when it is bad.
        private mutating func index(_ reader: ProtobufReader) throws(DecodeError) -> Batch.Item? {
            items += 1
            guard items <= limits.itemsMax else { throw .tooManyItems(at: reader.offset) }
            do throws(DecodeError) {
                return try OTLP.indexEntry(reader, signal)
            } catch {
                received.rejectedItems += 1
                if received.firstRejection == nil { received.firstRejection = error }
                return nil
            }
        }
    }

    // MARK: the index entry of one message; offset, length and scope are the caller's

    /// Of a span, a log record or a metric without its frame. Throws where a receiver would refuse it.
    public static func indexEntry(
        of message: UnsafeRawBufferPointer, _ signal: Signal
    ) throws(DecodeError) -> Batch.Item {
        try indexEntry(ProtobufReader(message), signal)
    }

    fileprivate static func indexEntry(_ reader: ProtobufReader, _ signal: Signal) throws(DecodeError) -> Batch.Item {
        switch signal {
        case .traces: return try indexSpan(reader)
        case .logs: return try indexLog(reader)
        case .metrics: return try indexMetric(reader)
        }
    }

    private static var blankItem: Batch.Item {
        Batch.Item(
            offset: 0, length: 0, scope: 0, status: 0, kind: 0, traceID: .invalid, spanID: .invalid,
            parentSpanID: .invalid,
            start: 0, end: 0)
    }

    /// Throws `missingID` for a span without ids, which the specification calls invalid.
    static func indexSpan(_ reader: consuming ProtobufReader) throws(DecodeError) -> Batch.Item {
        let start = reader.offset
        var item = blankItem
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (SpanField.traceID, .lengthDelimited): item.traceID = try traceID(&reader)
            case (SpanField.spanID, .lengthDelimited): item.spanID = try spanID(&reader)
            case (SpanField.parentSpanID, .lengthDelimited): item.parentSpanID = try spanID(&reader)
            case (SpanField.kind, .varint): item.kind = kind(try reader.varint32()).rawValue
            case (SpanField.startTime, .fixed64): item.start = try reader.fixed64()
            case (SpanField.endTime, .fixed64): item.end = try reader.fixed64()
            case (SpanField.status, .lengthDelimited):
                var status = try reader.message()
                while let field = try status.next() {
                    if field.number == StatusField.code, field.type == .varint {
                        item.status = statusCode(try status.varint32()).rawValue
                    } else {
                        try status.skip(field)
                    }
                }
            default: try reader.skip(field)
            }
        }
        guard item.traceID.isValid, item.spanID.isValid else { throw .missingID(at: start) }
        return item
    }

    /// The time is when it happened, or when it was observed where that is not said; 0: neither is.
    static func indexLog(_ reader: consuming ProtobufReader) throws(DecodeError) -> Batch.Item {
        var item = blankItem
        var observed: UInt64 = 0
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (LogField.time, .fixed64): item.start = try reader.fixed64()
            case (LogField.severity, .varint): item.status = severity(try reader.varint32())
            case (LogField.traceID, .lengthDelimited): item.traceID = try traceID(&reader)
            case (LogField.spanID, .lengthDelimited): item.spanID = try spanID(&reader)
            case (LogField.observedTime, .fixed64): observed = try reader.fixed64()
            default: try reader.skip(field)
            }
        }
        if item.start == 0 { item.start = observed }
        item.end = item.start
        return item
    }

    /// Gives a log record without any time the time it was received at; of fields that come twice, the last counts.
    static func putObserved(_ time: UInt64, _ item: inout Batch.Item, into writer: inout ProtobufWriter) {
        writer.putFixed64(LogField.observedTime, time)
        item.start = time
        item.end = time
    }

    /// The time is that of the first point; all five kinds of data number points 1 and a point's time 3.
    static func indexMetric(_ reader: consuming ProtobufReader) throws(DecodeError) -> Batch.Item {
        var item = blankItem
        while let field = try reader.next() {
            guard (MetricField.gauge...MetricField.summary).contains(field.number), field.type == .lengthDelimited
            else {
                try reader.skip(field)
                continue
            }
            var data = try reader.message()
            while let field = try data.next() {
                guard field.number == MetricDataField.points, field.type == .lengthDelimited, item.start == 0 else {
                    try data.skip(field)
                    continue
                }
                var point = try data.message()
                while let field = try point.next() {
                    if field.number == NumberPointField.time, field.type == .fixed64 {
                        item.start = try point.fixed64()
                    } else {
                        try point.skip(field)
                    }
                }
            }
        }
        item.end = item.start
        return item
    }
}
