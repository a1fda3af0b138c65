// A batch is what moves through the agent: OTLP bytes made (or received) once, and an index of what a stage needs to know
// of each item without decoding it.
//
// `bytes` holds the items one after the other, each already framed as its parent message wants it: tag 0x12 (field 2, length
// delimited: `ScopeSpans.spans`, `ScopeLogs.log_records`, `ScopeMetrics.metrics`), the length as a varint, the message. An OTLP
// export of items of one scope is therefore a plain copy of a range of `bytes`.

/// A signal of OpenTelemetry.
public enum Signal: UInt8, Sendable, CaseIterable {
    case traces = 1, logs, metrics
}

/// Items of one resource and one signal as OTLP bytes, with an index. Not shared between threads while it is filled.
public struct Batch: Sendable {
    public struct Item: Sendable {
        /// Range of the item in `bytes`, frame included.
        public var offset: UInt32
        public var length: UInt32
        /// Index into `scopes`.
        public var scope: UInt16
        /// Spans: OTLP status code. Logs: severity number. Metrics: 0.
        public var status: UInt8
        /// Spans: kind. Logs and metrics: 0.
        public var kind: UInt8
        public var traceID: TraceID
        public var spanID: SpanID
        /// Spans only; `.invalid` for a root.
        public var parentSpanID: SpanID
        /// Nanoseconds since the Unix epoch. Spans: start and end. Logs and metrics: both the record's time.
        public var start: UInt64
        public var end: UInt64

        public init(
            offset: UInt32, length: UInt32, scope: UInt16, status: UInt8, kind: UInt8, traceID: TraceID, spanID: SpanID,
            parentSpanID: SpanID, start: UInt64, end: UInt64
        ) {
            self.offset = offset
            self.length = length
            self.scope = scope
            self.status = status
            self.kind = kind
            self.traceID = traceID
            self.spanID = spanID
            self.parentSpanID = parentSpanID
            self.start = start
            self.end = end
        }
    }

    /// An instrumentation scope as the fields of `ScopeSpans` that are not items.
    public struct Scope: Hashable, Sendable {
        /// An OTLP `InstrumentationScope` message without frame.
        public var message: [UInt8]
        public var schemaURL: String

        public init(message: [UInt8], schemaURL: String = "") {
            self.message = message
            self.schemaURL = schemaURL
        }
    }

    public let signal: Signal
    /// An OTLP `Resource` message without frame.
    public var resource: [UInt8]
    public var resourceSchemaURL: String
    public var scopes: [Scope]
    public var bytes: [UInt8]
    public var items: [Item]
    /// The entry of a durable queue that this is (a part of); 0: of none.
    public var ticket: UInt64 = 0

    public init(
        signal: Signal, resource: [UInt8], resourceSchemaURL: String = "", scopes: [Scope] = [], bytes: [UInt8] = [],
        items: [Item] = []
    ) {
        self.signal = signal
        self.resource = resource
        self.resourceSchemaURL = resourceSchemaURL
        self.scopes = scopes
        self.bytes = bytes
        self.items = items
    }

    public var isEmpty: Bool { items.isEmpty }
}
