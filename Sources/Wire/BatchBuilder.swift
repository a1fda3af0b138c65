public import Telemetry

/// Fills a batch with decoded values: what the agent makes itself (crash spans, its own metrics), receivers of other formats,
/// and tests. The hot path from the ring writes its bytes directly.
public struct BatchBuilder: ~Copyable {
    /// `Batch.Item` counts offsets in 32 bits and scopes in 16.
    public static let bytesMax = Int(Int32.max)
    public static let scopesMax = Int(UInt16.max)

    private var batch: Batch
    private var writer: ProtobufWriter
    private var scopeIndexes: [InstrumentationScope: UInt16] = [:]
    private var lastScope: (scope: InstrumentationScope, index: UInt16)?

    public init(signal: Signal, resource: Resource) {
        batch = Batch(signal: signal, resource: OTLP.message(resource), resourceSchemaURL: resource.schemaURL)
        writer = ProtobufWriter()
    }

    /// Items so far.
    public var count: Int { batch.items.count }
    /// Bytes of the items so far.
    public var byteCount: Int { writer.count }

    /// False, and nothing changes, when the batch is full. Traps if the batch is not of traces.
    @discardableResult
    public mutating func append(_ span: SpanData, scope: InstrumentationScope = InstrumentationScope()) -> Bool {
        precondition(batch.signal == .traces, "span for a batch of \(batch.signal)")
        let item = Batch.Item(
            offset: 0, length: 0, scope: 0, status: span.status.code.rawValue, kind: span.kind.rawValue,
            traceID: span.context.traceID, spanID: span.context.spanID, parentSpanID: span.parentSpanID,
            start: span.startTime, end: span.endTime)
        return append(item, scope) { OTLP.encode(span: span, into: &$0) }
    }

    /// False, and nothing changes, when the batch is full. Traps if the batch is not of logs.
    @discardableResult
    public mutating func append(_ log: LogRecord, scope: InstrumentationScope = InstrumentationScope()) -> Bool {
        precondition(batch.signal == .logs, "log record for a batch of \(batch.signal)")
        let time = log.time == 0 ? log.observedTime : log.time
        let item = Batch.Item(
            offset: 0, length: 0, scope: 0, status: log.severity, kind: 0, traceID: log.traceID, spanID: log.spanID,
            parentSpanID: .invalid, start: time, end: time)
        return append(item, scope) { OTLP.encode(log: log, into: &$0) }
    }

    /// False, and nothing changes, when the batch is full. Traps if the batch is not of metrics.
    @discardableResult
    public mutating func append(_ point: MetricPoint, scope: InstrumentationScope = InstrumentationScope()) -> Bool {
        precondition(batch.signal == .metrics, "metric point for a batch of \(batch.signal)")
        let item = Batch.Item(
            offset: 0, length: 0, scope: 0, status: 0, kind: 0, traceID: .invalid, spanID: .invalid,
            parentSpanID: .invalid, start: point.time, end: point.time)
        return append(item, scope) { OTLP.encode(metric: point, into: &$0) }
    }

    /// The batch; the builder starts again with the same resource and no scopes.
    public mutating func take() -> Batch {
        var full = batch
        full.bytes = writer.takeBytes()
        batch.items = []
        batch.scopes = []
        scopeIndexes = [:]
        lastScope = nil
        return full
    }

    private mutating func append(
        _ item: Batch.Item, _ scope: InstrumentationScope, encode: (inout ProtobufWriter) -> Void
    ) -> Bool {
        let start = writer.count
        writer.message(OTLP.RequestField.items, lengthBytes: 2, encode)
        guard writer.count <= Self.bytesMax, let scopeIndex = index(of: scope) else {
            writer.truncate(to: start)
            return false
        }
        var item = item
        item.offset = UInt32(start)
        item.length = UInt32(writer.count - start)
        item.scope = scopeIndex
        batch.items.append(item)
        return true
    }

    private mutating func index(of scope: InstrumentationScope) -> UInt16? {
        if let lastScope, lastScope.scope == scope { return lastScope.index }
        let index: UInt16
        if let known = scopeIndexes[scope] {
            index = known
        } else {
            guard batch.scopes.count < Self.scopesMax else { return nil }
            index = UInt16(batch.scopes.count)
            batch.scopes.append(OTLP.message(scope))
            scopeIndexes[scope] = index
        }
        lastScope = (scope, index)
        return index
    }
}

extension Batch {
    /// A batch of spans of one scope.
    public init(_ spans: [SpanData], resource: Resource, scope: InstrumentationScope = InstrumentationScope()) {
        var builder = BatchBuilder(signal: .traces, resource: resource)
        for span in spans { builder.append(span, scope: scope) }
        self = builder.take()
    }

    /// A batch of log records of one scope.
    public init(_ logs: [LogRecord], resource: Resource, scope: InstrumentationScope = InstrumentationScope()) {
        var builder = BatchBuilder(signal: .logs, resource: resource)
        for log in logs { builder.append(log, scope: scope) }
        self = builder.take()
    }

    /// A batch of metric points of one scope.
    public init(_ points: [MetricPoint], resource: Resource, scope: InstrumentationScope = InstrumentationScope()) {
        var builder = BatchBuilder(signal: .metrics, resource: resource)
        for point in points { builder.append(point, scope: scope) }
        self = builder.take()
    }
}
