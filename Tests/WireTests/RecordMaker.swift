import Telemetry

/// Writes ring records as 18_ring.js and 20_trace.js do, from values. Strings are interned by chance, as the tests need both forms.
struct RecordMaker {
    /// Unix time of ring time 0.
    static let unixAtRingZero: Int64 = 1_700_000_000_000_000_000

    private(set) var records: [[UInt8]] = []
    private var ids: [String: UInt32] = [:]
    private var generator: Generator
    private var record: [UInt8] = []

    init(seed: UInt64) { generator = Generator(seed: seed) }

    // MARK: records

    mutating func span(_ span: SpanData, scope: UInt16 = 0, hadStart: Bool = false) {
        let name = reference(span.name)
        let keys = span.attributes + span.events.flatMap(\.attributes) + span.links.flatMap(\.attributes)
        intern(keys)
        let eventNames = span.events.map { reference($0.name) }
        begin()
        head(span, end: span.endTime, name: name, bits: (hadStart ? 2 : 0) | (span.status.message.isEmpty ? 0 : 4) | (span.context.traceState.isEmpty ? 0 : 8))
        put(UInt16(span.attributes.count))
        put(UInt16(span.events.count))
        put(UInt16(span.links.count))
        put(scope)
        put(span.droppedAttributesCount)
        put(UInt16(span.droppedEventsCount))
        put(UInt16(span.droppedLinksCount))
        inlineIfNeeded(name, span.name)
        if !span.status.message.isEmpty { inline(span.status.message) }
        if !span.context.traceState.isEmpty { inline(span.context.traceState) }
        attributes(span.attributes)
        for (event, name) in zip(span.events, eventNames) {
            time(event.time)
            put(name)
            put(UInt16(event.attributes.count))
            put(UInt16(event.droppedAttributesCount))
            inlineIfNeeded(name, event.name)
            attributes(event.attributes)
        }
        for link in span.links {
            record += link.context.traceID.bytes + link.context.spanID.bytes
            put(UInt32(link.context.traceFlags) | 0x100 | (link.context.isRemote ? 0x200 : 0))
            put(UInt16(link.attributes.count))
            put(UInt16(link.droppedAttributesCount))
            inline(link.context.traceState)
            attributes(link.attributes)
        }
        finish(.span)
    }

    mutating func spanStart(_ span: SpanData, scope: UInt16 = 0) {
        let name = reference(span.name)
        begin()
        head(span, end: UInt64(Self.unixAtRingZero), name: name, bits: 0)
        put(scope)
        record += [0, 0, 0, 0, 0, 0]
        inlineIfNeeded(name, span.name)
        finish(.spanStart)
    }

    mutating func finding(_ log: LogRecord, scope: UInt16 = 0) {
        self.log(log, scope: scope)
        records[records.count - 1][4] = RecordKind.finding.rawValue
    }

    mutating func log(_ log: LogRecord, scope: UInt16 = 0, isError: Bool = false) {
        intern(log.attributes)
        begin()
        time(log.time)
        record += log.traceID.bytes + log.spanID.bytes
        record += [log.severity, log.traceFlags]
        put(scope)
        put(UInt16(log.attributes.count))
        put(UInt16(log.droppedAttributesCount))
        inline(log.body.string ?? "")
        attributes(log.attributes)
        finish(isError ? .error : .log)
    }

    mutating func scope(_ id: UInt32, _ scope: InstrumentationScope) {
        begin()
        put(id)
        put(UInt32(0))
        inline(scope.name)
        inline(scope.version)
        inline(scope.schemaURL)
        finish(.scope)
    }

    mutating func instrument(_ id: UInt32, _ instrument: MetricPoint.Instrument, scope: UInt16 = 0) {
        begin()
        put(id)
        record += [instrument.type.rawValue, instrument.isInteger ? 1 : 0]
        put(scope)
        inline(instrument.name)
        inline(instrument.unit)
        inline(instrument.description)
        finish(.instrument)
    }

    mutating func point(_ id: UInt32, _ point: MetricPoint) {
        intern(point.attributes)
        begin()
        put(id)
        put(UInt16(point.attributes.count))
        put(UInt16(point.histogram?.bounds.count ?? 0))
        time(point.startTime)
        time(point.time)
        put(point.value.bitPattern)
        put(Double(point.histogram?.count ?? 0).bitPattern)
        put((point.histogram?.min ?? 0).bitPattern)
        put((point.histogram?.max ?? 0).bitPattern)
        if let histogram = point.histogram, !histogram.bounds.isEmpty {
            for bound in histogram.bounds { put(bound.bitPattern) }
            for count in histogram.bucketCounts { put(Double(count).bitPattern) }
        }
        attributes(point.attributes)
        finish(.metricPoint)
    }

    /// A record as it is, for hostile ones.
    mutating func raw(_ kind: UInt8, _ payload: [UInt8]) {
        begin()
        record += payload
        finish(kind)
    }

    // MARK: parts

    private mutating func head(_ span: SpanData, end: UInt64, name: UInt32, bits: UInt8) {
        time(span.startTime)
        time(end)
        record += span.context.traceID.bytes + span.context.spanID.bytes + span.parentSpanID.bytes
        put(name)
        record += [span.kind.rawValue, span.status.code.rawValue, span.context.traceFlags, bits | (span.parentIsRemote == true ? 1 : 0)]
    }

    private mutating func begin() { record = [0, 0, 0, 0, 0, 0, 0, 0] }

    private mutating func finish(_ kind: RecordKind) { finish(kind.rawValue) }

    private mutating func finish(_ kind: UInt8) {
        pad()
        let length = UInt32(record.count)
        for index in 0..<4 { record[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        record[4] = kind
        records.append(record)
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { record += $0 }
    }

    private mutating func pad() { while record.count % 8 != 0 { record.append(0) } }

    private mutating func time(_ unix: UInt64) { put(Double(Int64(truncatingIfNeeded: unix) &- Self.unixAtRingZero).bitPattern) }

    private mutating func inline(_ text: String) {
        put(UInt32(text.utf8.count))
        put(UInt32(0))
        record += Array(text.utf8)
        pad()
    }

    private mutating func inlineIfNeeded(_ ref: UInt32, _ text: String) { if ref == 0 { inline(text) } }

    /// Id of a string, defining it when chance says so; 0 for inline.
    private mutating func reference(_ text: String) -> UInt32 {
        if text.isEmpty { return RecordLimits.emptyRef }
        if let id = ids[text] { return id }
        guard text.utf8.count <= RecordLimits.stringBytesMax, generator.chance(60) else { return 0 }
        let id = UInt32(ids.count + 1)
        ids[text] = id
        begin()
        put(id)
        put(UInt32(text.utf8.count))
        record += Array(text.utf8)
        finish(.string)
        return id
    }

    private mutating func intern(_ attributes: Attributes) {
        for attribute in attributes {
            _ = reference(attribute.key)
            if case .map(let inner) = attribute.value { intern(inner) }
        }
    }

    private func known(_ text: String) -> UInt32 { text.isEmpty ? RecordLimits.emptyRef : ids[text] ?? 0 }

    private mutating func attributes(_ list: Attributes) {
        for attribute in list {
            let ref = known(attribute.key)
            put(ref)
            put(tag(attribute.value))
            inlineIfNeeded(ref, attribute.key)
            payload(attribute.value)
        }
    }

    private func tag(_ value: AttributeValue) -> UInt32 {
        switch value {
        case .empty: 0
        case .string(let text): ids[text].map { $0 << 4 | 2 } ?? UInt32(text.utf8.count) << 4 | 1
        case .bool(let flag): (flag ? 16 : 0) | 3
        case .int(let int) where int >= -134_217_728 && int < 134_217_728: UInt32(truncatingIfNeeded: int) << 4 | 4
        case .int: 5
        case .double: 6
        case .bytes(let bytes): UInt32(bytes.count) << 4 | 7
        case .array(let elements): UInt32(elements.count) << 4 | 8
        case .map(let entries): UInt32(entries.count) << 4 | 9
        }
    }

    private mutating func payload(_ value: AttributeValue) {
        switch value {
        case .empty, .bool: break
        case .string(let text):
            if ids[text] == nil {
                record += Array(text.utf8)
                pad()
            }
        case .int(let int): if tag(value) == 5 { put(Double(int).bitPattern) }
        case .double(let double): put(double.bitPattern)
        case .bytes(let bytes):
            record += bytes
            pad()
        case .array(let elements):
            for element in elements {
                put(tag(element))
                put(UInt32(0))
                payload(element)
            }
        case .map(let entries): attributes(entries)
        }
    }
}
