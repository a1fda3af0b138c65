public import Telemetry

// Decoding at the edges: one item at a time, when it is asked for.

extension Batch {
    /// Calls `body` with a reader of the item's message, the frame taken off.
    public func withMessage<Value>(
        at index: Int, _ body: (consuming ProtobufReader) throws(DecodeError) -> Value
    ) throws(DecodeError) -> Value {
        let item = items[index]
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            guard Int(item.offset) + Int(item.length) <= bytes.count else { throw .truncated(at: Int(item.offset)) }
            let range = Int(item.offset)..<Int(item.offset) + Int(item.length)
            var frame = ProtobufReader(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range])))
            guard let field = try frame.next(), field.type == .lengthDelimited else { throw .truncated(at: 0) }
            return try body(frame.message())
        }
    }

    public func decodedResource() throws(DecodeError) -> Resource {
        try OTLP.decodeResource(resource, schemaURL: resourceSchemaURL)
    }

    /// In the order of `scopes`.
    public func decodedScopes() throws(DecodeError) -> [InstrumentationScope] {
        var decoded: [InstrumentationScope] = []
        for scope in scopes { decoded.append(try OTLP.decodeScope(scope.message, schemaURL: scope.schemaURL)) }
        return decoded
    }

    /// The span at `index` of `items`.
    public func span(at index: Int) throws(DecodeError) -> SpanData {
        try withMessage(at: index) { (reader) throws(DecodeError) in try OTLP.decodeSpan(reader) }
    }

    /// The log record at `index` of `items`.
    public func logRecord(at index: Int) throws(DecodeError) -> LogRecord {
        try withMessage(at: index) { (reader) throws(DecodeError) in try OTLP.decodeLog(reader) }
    }

    /// The metric at `index` of `items`; a received one can hold many points.
    public func metric(at index: Int) throws(DecodeError) -> OTLP.DecodedMetric {
        try withMessage(at: index) { (reader) throws(DecodeError) in try OTLP.decodeMetric(reader) }
    }

    /// All spans, each decoded when the loop reaches it. An item that does not decode is a failure of its own.
    public func spans() -> DecodedItems<SpanData> {
        DecodedItems(batch: self) { (batch, index) throws(DecodeError) in try batch.span(at: index) }
    }

    /// All log records, each decoded when the loop reaches it.
    public func logRecords() -> DecodedItems<LogRecord> {
        DecodedItems(batch: self) { (batch, index) throws(DecodeError) in try batch.logRecord(at: index) }
    }

    /// All metrics, each decoded when the loop reaches it.
    public func metrics() -> DecodedItems<OTLP.DecodedMetric> {
        DecodedItems(batch: self) { (batch, index) throws(DecodeError) in try batch.metric(at: index) }
    }
}

/// The items of a batch, decoded one by one, with their scopes.
public struct DecodedItems<Value>: Sequence {
    public typealias Element = Result<(value: Value, scope: InstrumentationScope), DecodeError>

    fileprivate let batch: Batch
    fileprivate let decode: (Batch, Int) throws(DecodeError) -> Value

    public func makeIterator() -> Iterator { Iterator(items: self) }

    public struct Iterator: IteratorProtocol {
        private let items: DecodedItems
        private var position = 0
        /// Scopes are few and shared by many items: each is decoded once.
        private var scopes: [UInt16: InstrumentationScope] = [:]

        fileprivate init(items: DecodedItems) { self.items = items }

        public mutating func next() -> Element? {
            guard position < items.batch.items.count else { return nil }
            defer { position += 1 }
            do throws(DecodeError) {
                return .success((try items.decode(items.batch, position), try scope(items.batch.items[position].scope)))
            } catch {
                return .failure(error)
            }
        }

        private mutating func scope(_ index: UInt16) throws(DecodeError) -> InstrumentationScope {
            if let known = scopes[index] { return known }
            guard Int(index) < items.batch.scopes.count else { throw .truncated(at: 0) }
            let message = items.batch.scopes[Int(index)]
            let scope = try OTLP.decodeScope(message.message, schemaURL: message.schemaURL)
            scopes[index] = scope
            return scope
        }
    }
}
