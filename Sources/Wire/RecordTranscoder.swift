// Turns ring records into OTLP bytes, once. This is the agent's hot path: per span it allocates nothing, takes no lock and looks
// nothing up but arrays by index; only spans that had a start record cost one dictionary operation.
//
// Every record is checked as it is read (RecordCursor). A bad one is taken back (`ProtobufWriter.truncate`) and counted.
// Layouts: docs/specs/record-format.md. Field numbers: opentelemetry-proto 1.x, trace, logs and metrics.

public import Telemetry

/// Collects the records of one worker as batches. Owned by the thread that reads the ring.
public struct RecordTranscoder: ~Copyable {
    public struct Counters: Sendable, Equatable {
        /// Records taken over, index = `RecordKind.rawValue`.
        public var received: [UInt64] = Array(repeating: 0, count: 16)
        /// Records refused, by kind.
        public var rejected: [UInt64] = Array(repeating: 0, count: 16)
        /// The same by reason.
        public var rejectedReasons: [RecordError: UInt64] = [:]
        /// Span starts not followed because too many are open.
        public var untrackedStarts: UInt64 = 0

        public init() {}

        /// Adds another worker's.
        public mutating func add(_ other: Counters) {
            for index in received.indices { received[index] &+= other.received[index] }
            for index in rejected.indices { rejected[index] &+= other.rejected[index] }
            rejectedReasons.merge(other.rejectedReasons, uniquingKeysWith: &+)
            untrackedStarts &+= other.untrackedStarts
        }

        public func received(_ kind: RecordKind) -> UInt64 { received[Int(kind.rawValue)] }
        public func rejected(_ kind: RecordKind) -> UInt64 { rejected[Int(kind.rawValue)] }
    }

    /// Bytes collected before `take` at most; further records are rejected. An honest worker's chunk makes little more than itself; one that
    /// refers a million times to a long interned string would make a hundred times that.
    public static let pendingBytesMax = 32 << 20

    /// Set again before each read of the ring.
    public var clock: RingClock
    public var counters: Counters {
        var counters = rareCounters
        counters.received[Int(RecordKind.span.rawValue)] &+= spansReceived
        counters.received[Int(RecordKind.spanStart.rawValue)] &+= startsReceived
        return counters
    }

    /// All but those two, which come by the million: an element of an array is checked for its owner at each change.
    private var rareCounters = Counters()
    private var spansReceived: UInt64 = 0
    private var startsReceived: UInt64 = 0

    private let resource: [UInt8]
    private let resourceSchemaURL: String
    private var scopes: [Batch.Scope]
    /// Index into `scopes` by scope id; -1 undefined.
    private var scopeIndex: [Int32]
    private let strings = RecordStrings()
    private var instruments: [UInt32: RecordInstrument] = [:]
    private var openSpans = OpenSpans()

    private var spans = Collector()
    private var logs = Collector()
    private var metrics = Collector()
    private var openMetric: OpenMetric?
    private var findings: [Finding] = []

    /// - Parameters:
    ///   - resource: the worker's; every batch carries it.
    ///   - scopeVersion: version of the scope with id 0, "sidelight".
    public init(resource: Resource, scopeVersion: String, clock: RingClock = RingClock(unixAtRingZero: 0)) {
        self.clock = clock
        var writer = ProtobufWriter()
        OTLP.encode(resource: resource, into: &writer)
        self.resource = writer.takeBytes()
        resourceSchemaURL = resource.schemaURL
        OTLP.encode(scope: InstrumentationScope(name: "sidelight", version: scopeVersion), into: &writer)
        scopes = [Batch.Scope(message: writer.takeBytes())]
        scopeIndex = [0]
    }

    // MARK: in

    /// One record of `RingReader.read`, header included.
    @inline(__always)
    public mutating func transcode(_ record: UnsafeRawBufferPointer) {
        let kind = record[4]
        do throws(RecordError) {
            guard pendingBytes < Self.pendingBytesMax else { throw .overflow }
            switch RecordKind(rawValue: kind) {
            case .span:
                try span(record)
                spansReceived &+= 1
                return
            case .spanStart:
                try spanStart(record)
                startsReceived &+= 1
                return
            case .string: try string(record)
            case .log: try log(record, isError: false)
            case .error: try log(record, isError: true)
            case .metricPoint: try metricPoint(record)
            case .scope: try scope(record)
            case .instrument: try instrument(record)
            case .finding: try finding(record)
            case nil: throw .unknownKind
            }
            rareCounters.received[Int(kind & 15)] &+= 1
        } catch {
            rareCounters.rejected[Int(kind & 15)] &+= 1
            rareCounters.rejectedReasons[error, default: 0] += 1
        }
    }

    /// Makes a finished span with error status of every span whose start is known and whose end never came.
    /// - Parameters:
    ///   - endTime: Unix nanoseconds.
    ///   - reason: the status message.
    ///   - attributes: added to each.
    /// - Returns: how many.
    public mutating func closeOpenSpans(endTime: UInt64, reason: String, attributes: Attributes) -> Int {
        let open = openSpans.takeAll()
        for (span, inlineName) in open {
            let data = SpanData(
                context: SpanContext(traceID: span.traceID, spanID: span.id, traceFlags: span.traceFlags),
                parentSpanID: span.parent, parentIsRemote: span.parentIsRemote,
                name: inlineName ?? strings.string(span.nameRef), kind: SpanKind(rawValue: span.kind) ?? .internal,
                startTime: span.start, endTime: max(endTime, span.start), attributes: attributes,
                status: SpanStatus(code: .error, message: reason))
            add(data, scope: span.scope)
        }
        return open.count
    }

    /// A span the agent makes for this worker, in the scope "sidelight".
    public mutating func add(_ span: SpanData) { add(span, scope: 0) }

    private mutating func add(_ data: SpanData, scope: UInt16) {
        let start = spans.writer.count
        let mark = spans.writer.begin(2, lengthBytes: 2)
        OTLP.encode(span: data, into: &spans.writer)
        spans.writer.end(mark)
        spans.items.append(
            Batch.Item(
                offset: UInt32(start), length: UInt32(spans.writer.count - start), scope: scope,
                status: data.status.code.rawValue, kind: data.kind.rawValue, traceID: data.context.traceID,
                spanID: data.context.spanID, parentSpanID: data.parentSpanID, start: data.startTime, end: data.endTime))
    }

    /// A log of the agent itself about this worker (how it died), or a finding, in the scope "sidelight".
    public mutating func add(_ record: LogRecord) {
        let start = logs.writer.count
        let mark = logs.writer.begin(2, lengthBytes: 2)
        OTLP.encode(log: record, into: &logs.writer)
        logs.writer.end(mark)
        logs.items.append(
            Batch.Item(
                offset: UInt32(start), length: UInt32(logs.writer.count - start), scope: 0, status: record.severity, kind: 0,
                traceID: record.traceID, spanID: record.spanID, parentSpanID: .invalid, start: record.time, end: record.time))
    }

    // MARK: out

    /// Bytes collected since the last `take`.
    public var pendingBytes: Int { spans.writer.count + logs.writer.count + metrics.writer.count }
    /// Items collected since the last `take`.
    public var pendingItems: Int { spans.items.count + logs.items.count + metrics.items.count }
    /// The span whose start was read first: the run itself, when a run is traced. Also after it has ended.
    public private(set) var firstStartedSpan: SpanContext?

    /// What has been collected, as batches that are not empty, and starts anew.
    public mutating func take() -> [Batch] {
        closeMetric()
        var batches: [Batch] = []
        let empty = Batch(signal: .traces, resource: resource, resourceSchemaURL: resourceSchemaURL, scopes: scopes)
        if !spans.items.isEmpty { batches.append(spans.take(.traces, empty)) }
        if !logs.items.isEmpty { batches.append(logs.take(.logs, empty)) }
        if !metrics.items.isEmpty { batches.append(metrics.take(.metrics, empty)) }
        return batches
    }

    /// What was found since the last call, at most `findingsMax`. As log records they are in the batches, too.
    public mutating func takeFindings() -> [Finding] {
        defer { findings = [] }
        return findings
    }

    /// Between two calls of `takeFindings`. An honest isolate writes 100 a second.
    public static let findingsMax = 1_024

    // MARK: tables

    private mutating func string(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        var cursor = RecordCursor(record, at: 8)
        let id = try cursor.take(UInt32.self)
        let count = try cursor.take(UInt32.self)
        try strings.define(id, cursor.padded(Int(count)))
    }

    private mutating func scope(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        var cursor = RecordCursor(record, at: 8)
        let id = try cursor.take(UInt32.self)
        _ = try cursor.take(UInt32.self)
        let name = try cursor.inlineText()
        let version = try cursor.inlineText()
        let schemaURL = try cursor.inlineText()
        guard id >= 1, id <= RecordLimits.scopeIDMax,
            max(name.count, version.count, schemaURL.count) <= RecordLimits.stringBytesMax
        else { throw .range }
        while scopeIndex.count <= id { scopeIndex.append(-1) }
        guard scopeIndex[Int(id)] < 0 else { throw .reference }
        var writer = ProtobufWriter(capacity: 256)
        if !name.isEmpty { writer.putBytes(1, name) }
        if !version.isEmpty { writer.putBytes(2, version) }
        scopeIndex[Int(id)] = Int32(scopes.count)
        scopes.append(Batch.Scope(message: writer.takeBytes(), schemaURL: String(decoding: schemaURL, as: UTF8.self)))
    }

    @inline(__always)
    private func resolveScope(_ id: UInt16) throws(RecordError) -> UInt16 {
        guard Int(id) < scopeIndex.count else { throw .reference }
        let index = scopeIndex[Int(id)]
        guard index >= 0 else { throw .reference }
        return UInt16(truncatingIfNeeded: index)
    }

    private mutating func instrument(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        var cursor = RecordCursor(record, at: 8)
        let id = try cursor.take(UInt32.self)
        let rawType = try cursor.take(UInt8.self)
        let isInteger = try cursor.take(UInt8.self) != 0
        let scope = try resolveScope(cursor.take(UInt16.self))
        guard id >= 1, id <= RecordLimits.instrumentIDMax else { throw .range }
        guard let type = InstrumentType(rawValue: rawType) else { throw .type }
        guard instruments[id] == nil else { throw .reference }
        var writer = ProtobufWriter(capacity: 256)
        let name = try cursor.inlineText()
        let unit = try cursor.inlineText()
        let description = try cursor.inlineText()
        guard max(name.count, unit.count, description.count) <= RecordLimits.stringBytesMax else { throw .range }
        writer.putBytes(1, name)
        if !description.isEmpty { writer.putBytes(2, description) }
        if !unit.isEmpty { writer.putBytes(3, unit) }
        instruments[id] = RecordInstrument(type: type, isInteger: isInteger, scope: scope, head: writer.takeBytes())
    }

    // MARK: spans

    /// The fields that kinds 1 and 3 share, offsets 8 ..< 64.
    private struct SpanHead {
        var start: UInt64
        var end: UInt64
        var traceID: TraceID
        var spanID: SpanID
        var parent: SpanID
        var nameRef: UInt32
        var kind: UInt8
        var status: UInt8
        var traceFlags: UInt8
        var bits: UInt8

        static let parentIsRemote: UInt8 = 1
        static let hadStart: UInt8 = 2
        static let hasStatusMessage: UInt8 = 4
        static let hasTraceState: UInt8 = 8
    }

    @inline(__always)
    private func head(_ record: UnsafeRawBufferPointer, minimum: Int) throws(RecordError) -> SpanHead {
        guard record.count >= minimum else { throw .truncated }
        guard let start = clock.unixNanoseconds(record.loadUnaligned(fromByteOffset: 8, as: Double.self)),
            let end = clock.unixNanoseconds(record.loadUnaligned(fromByteOffset: 16, as: Double.self))
        else { throw .time }
        let head = SpanHead(
            start: start, end: end,
            traceID: TraceID(
                high: UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
                low: UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 32, as: UInt64.self))),
            spanID: SpanID(UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 40, as: UInt64.self))),
            parent: SpanID(UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 48, as: UInt64.self))),
            nameRef: record.loadUnaligned(fromByteOffset: 56, as: UInt32.self),
            kind: record[60], status: record[61], traceFlags: record[62], bits: record[63])
        guard head.traceID.isValid, head.spanID.isValid else { throw .ids }
        guard head.kind <= 5, head.status <= 2 else { throw .range }
        return head
    }

    private mutating func spanStart(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        let head = try head(record, minimum: 72)
        let scope = try resolveScope(record.loadUnaligned(fromByteOffset: 64, as: UInt16.self))
        var inlineName: String?
        if head.nameRef == 0 {
            var cursor = RecordCursor(record, at: 72)
            let name = try cursor.inlineText()
            guard name.count <= RecordLimits.stringBytesMax else { throw .range }
            inlineName = String(decoding: name, as: UTF8.self)
        } else if head.nameRef != RecordLimits.emptyRef {
            _ = try strings.text(head.nameRef)
        }
        if firstStartedSpan == nil {
            firstStartedSpan = SpanContext(traceID: head.traceID, spanID: head.spanID, traceFlags: head.traceFlags)
        }
        guard openSpans.count < RecordLimits.openSpansMax else {
            rareCounters.untrackedStarts += 1
            return
        }
        openSpans.insert(
            OpenSpan(
                id: head.spanID, traceID: head.traceID, parent: head.parent,
                parentIsRemote: head.bits & SpanHead.parentIsRemote != 0, kind: head.kind, traceFlags: head.traceFlags,
                scope: scope, nameRef: head.nameRef, start: head.start),
            inlineName: inlineName)
    }

    private mutating func span(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        let head = try head(record, minimum: 80)
        let attributes = record.loadUnaligned(fromByteOffset: 64, as: UInt16.self)
        let events = record.loadUnaligned(fromByteOffset: 66, as: UInt16.self)
        let links = record.loadUnaligned(fromByteOffset: 68, as: UInt16.self)
        let scope = try resolveScope(record.loadUnaligned(fromByteOffset: 70, as: UInt16.self))
        let droppedAttributes = record.loadUnaligned(fromByteOffset: 72, as: UInt32.self)
        let droppedEvents = record.loadUnaligned(fromByteOffset: 76, as: UInt16.self)
        let droppedLinks = record.loadUnaligned(fromByteOffset: 78, as: UInt16.self)
        var cursor = RecordCursor(record, at: 80)

        let start = spans.writer.count
        do throws(RecordError) {
            let out = RecordFields(strings: strings, clock: clock)
            spans.writer.ensureCapacity(160)
            let frame = spans.writer.begin(2, lengthBytes: 2)
            spans.writer.storeByte(0x0A)
            spans.writer.storeByte(16)
            spans.writer.storeBytes(UnsafeRawBufferPointer(rebasing: record[24..<40]))
            spans.writer.storeByte(0x12)
            spans.writer.storeByte(8)
            spans.writer.storeBytes(UnsafeRawBufferPointer(rebasing: record[40..<48]))
            if head.parent.isValid {
                spans.writer.storeByte(0x22)
                spans.writer.storeByte(8)
                spans.writer.storeBytes(UnsafeRawBufferPointer(rebasing: record[48..<56]))
            }
            try out.text(head.nameRef, field: 5, &cursor, &spans.writer)
            spans.writer.ensureCapacity(96)
            spans.writer.storeByte(0x30)
            spans.writer.storeByte(head.kind)
            spans.writer.storeByte(0x39)
            spans.writer.storeFixed64(head.start)
            spans.writer.storeByte(0x41)
            spans.writer.storeFixed64(head.end)
            // Flags: W3C flags, bit 8 says that bit 9 (parent is remote) is known. Tag of field 16, fixed32: 0x85 0x01.
            spans.writer.storeByte(0x85)
            spans.writer.storeByte(0x01)
            spans.writer.storeFixed32(UInt32(head.traceFlags) | 0x100 | UInt32(head.bits & SpanHead.parentIsRemote) << 9)
            if droppedAttributes > 0 { spans.writer.putVarint(10, UInt64(droppedAttributes)) }
            if droppedEvents > 0 { spans.writer.putVarint(12, UInt64(droppedEvents)) }
            if droppedLinks > 0 { spans.writer.putVarint(14, UInt64(droppedLinks)) }
            let message = head.bits & SpanHead.hasStatusMessage != 0 ? try cursor.inlineText() : nil
            if head.status != 0 || message != nil {
                let status = spans.writer.begin(15)
                if let message, !message.isEmpty { spans.writer.putBytes(2, message) }
                if head.status != 0 { spans.writer.putVarint(3, UInt64(head.status)) }
                spans.writer.end(status)
            }
            if head.bits & SpanHead.hasTraceState != 0 { spans.writer.putBytes(3, try cursor.inlineText()) }
            try out.attributes(attributes, tag: 0x4A, &cursor, &spans.writer)
            for _ in 0..<events { try out.event(&cursor, &spans.writer) }
            for _ in 0..<links { try out.link(&cursor, &spans.writer) }
            spans.writer.end(frame)
        } catch {
            spans.writer.truncate(to: start)
            // It is counted as rejected; that it ended is known all the same.
            if head.bits & SpanHead.hadStart != 0 { openSpans.remove(head.spanID) }
            throw error
        }
        spans.items.append(
            Batch.Item(
                offset: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: spans.writer.count &- start),
                scope: scope, status: head.status, kind: head.kind, traceID: head.traceID, spanID: head.spanID,
                parentSpanID: head.parent, start: head.start, end: head.end))
        if head.bits & SpanHead.hadStart != 0 { openSpans.remove(head.spanID) }
    }

    // MARK: logs and errors

    private mutating func log(_ record: UnsafeRawBufferPointer, isError: Bool) throws(RecordError) {
        guard record.count >= 48 else { throw .truncated }
        guard let time = clock.unixNanoseconds(record.loadUnaligned(fromByteOffset: 8, as: Double.self)) else { throw .time }
        let traceID = TraceID(
            high: UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            low: UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
        let spanID = SpanID(UInt64(bigEndian: record.loadUnaligned(fromByteOffset: 32, as: UInt64.self)))
        let severity = record[40]
        let flags = record[41]
        let scope = try resolveScope(record.loadUnaligned(fromByteOffset: 42, as: UInt16.self))
        let attributes = record.loadUnaligned(fromByteOffset: 44, as: UInt16.self)
        let dropped = record.loadUnaligned(fromByteOffset: 46, as: UInt16.self)
        guard severity <= 24 else { throw .range }
        guard traceID.isValid || !spanID.isValid else { throw .ids }
        var cursor = RecordCursor(record, at: 48)

        let start = logs.writer.count
        do throws(RecordError) {
            let out = RecordFields(strings: strings, clock: clock)
            logs.writer.ensureCapacity(128)
            let frame = logs.writer.begin(2, lengthBytes: 2)
            logs.writer.putFixed64(1, time)
            logs.writer.putFixed64(11, time)
            if severity > 0 {
                logs.writer.putVarint(2, UInt64(severity))
                logs.writer.putString(3, LogRecord.severityText(severity))
            }
            let text = try cursor.inlineText()
            let body = logs.writer.begin(5, lengthBytes: text.count < 120 ? 1 : 2)
            logs.writer.putBytes(1, text)
            logs.writer.end(body)
            if isError { logs.writer.putString(12, "exception") }
            if traceID.isValid {
                logs.writer.putBytes(9, UnsafeRawBufferPointer(rebasing: record[16..<32]))
                if spanID.isValid { logs.writer.putBytes(10, UnsafeRawBufferPointer(rebasing: record[32..<40])) }
                logs.writer.putFixed32(8, UInt32(flags))
            }
            if dropped > 0 { logs.writer.putVarint(7, UInt64(dropped)) }
            try out.attributes(attributes, tag: 0x32, &cursor, &logs.writer)
            logs.writer.end(frame)
        } catch {
            logs.writer.truncate(to: start)
            throw error
        }
        logs.items.append(
            Batch.Item(
                offset: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: logs.writer.count - start),
                scope: scope, status: severity, kind: 0, traceID: traceID, spanID: spanID, parentSpanID: .invalid, start: time,
                end: time))
    }

    /// Seldom, so it is read as a log first, and written anew with what findings have.
    private mutating func finding(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        let start = logs.writer.count
        try log(record, isError: false)
        guard let item = logs.items.popLast() else { return }
        let bytes = logs.writer.bytes(since: start)
        var reader = ProtobufReader(bytes)
        var finding: Finding?
        do throws(DecodeError) {
            if try reader.next() != nil { finding = Finding(try OTLP.decodeLog(reader.message())) }
        } catch {
            finding = nil
        }
        logs.writer.truncate(to: start)
        guard item.scope == 0, let finding else { throw .range }
        add(finding.record)
        if findings.count < Self.findingsMax { findings.append(finding) }
    }

    // MARK: metrics

    /// A metric that is still open for more points of the same instrument.
    private struct OpenMetric {
        var instrument: UInt32
        var start: Int
        var frame: ProtobufWriter.Mark
        var data: ProtobufWriter.Mark
        var scope: UInt16
        var time: UInt64
    }

    private mutating func metricPoint(_ record: UnsafeRawBufferPointer) throws(RecordError) {
        guard record.count >= 64 else { throw .truncated }
        var cursor = RecordCursor(record, at: 8)
        let id = try cursor.take(UInt32.self)
        guard let instrument = instruments[id] else { throw .reference }
        if let open = openMetric, open.instrument != id { closeMetric() }
        let out = RecordFields(strings: strings, clock: clock)
        let before = metrics.writer.count
        if openMetric == nil {
            let frame = metrics.writer.begin(2, lengthBytes: 2)
            instrument.head.withUnsafeBytes { metrics.writer.putRaw($0) }
            let data = metrics.writer.begin(instrument.dataField, lengthBytes: 2)
            openMetric = OpenMetric(
                instrument: id, start: before, frame: frame, data: data, scope: instrument.scope, time: 0)
            if instrument.type != .gauge { metrics.writer.putVarint(2, 2) }  // cumulative
            if instrument.type == .counter { metrics.writer.putVarint(3, 1) }  // monotonic
        }
        let point = metrics.writer.count
        do throws(RecordError) {
            let time = try out.point(record, instrument, &metrics.writer)
            openMetric?.time = time
        } catch {
            metrics.writer.truncate(to: point)
            // A metric without a point is none.
            if openMetric?.time == 0 {
                metrics.writer.truncate(to: before)
                openMetric = nil
            }
            throw error
        }
    }

    private mutating func closeMetric() {
        guard let open = openMetric else { return }
        openMetric = nil
        metrics.writer.end(open.data)
        metrics.writer.end(open.frame)
        metrics.items.append(
            Batch.Item(
                offset: UInt32(open.start), length: UInt32(metrics.writer.count - open.start), scope: open.scope, status: 0,
                kind: 0, traceID: .invalid, spanID: .invalid, parentSpanID: .invalid, start: open.time, end: open.time))
    }

    // MARK: storage

    private struct Collector: ~Copyable {
        var writer = ProtobufWriter(capacity: 64 << 10)
        var items: [Batch.Item] = []

        mutating func take(_ signal: Signal, _ like: Batch) -> Batch {
            let batch = Batch(
                signal: signal, resource: like.resource, resourceSchemaURL: like.resourceSchemaURL, scopes: like.scopes,
                bytes: writer.takeBytes(), items: items)
            let count = items.count
            items = []
            items.reserveCapacity(count)
            return batch
        }
    }
}

/// An instrument as the fields of `Metric` that do not change.
struct RecordInstrument {
    var type: InstrumentType
    var isInteger: Bool
    var scope: UInt16
    /// name, description, unit.
    var head: [UInt8]

    /// Field of `Metric` that holds the data.
    var dataField: UInt32 {
        switch type {
        case .gauge: 5
        case .counter, .upDownCounter: 7
        case .histogram: 9
        }
    }
}
