// The inverse of NonOTLP.swift: https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/. One batch for each resource.

import Telemetry

/// Spans of another format as batches of OTLP.
struct SpanGatherer: ~Copyable {
    enum Format { case zipkin, jaeger }

    private final class Group {
        var batch: Batch
        var writer = ProtobufWriter()
        var scopes: [[UInt8]: Int] = [:]
        var lastScope = 0

        init(resource: [UInt8]) { batch = Batch(signal: .traces, resource: resource) }
    }

    private let format: Format
    private let limits: OTLP.ReceiveLimits
    private var groups: [Group] = []
    private var groupOfKey: [[UInt8]: Int] = [:]
    private var last = 0
    /// Jaeger: the group of all spans of the process that is being read. Neither made nor compared for each of them: a process may be long.
    private var groupOfProcess: Int?
    private var items = 0
    private var bytesWritten = 0
    private var received = OTLP.Received()
    private var resource = ProtobufWriter(capacity: 512)
    private var scope = ProtobufWriter(capacity: 256)

    init(_ format: Format, limits: OTLP.ReceiveLimits) {
        self.format = format
        self.limits = limits
    }

    /// Jaeger: the spans that follow are of another process.
    mutating func beginProcess() { groupOfProcess = nil }

    /// Counts an item that comes.
    mutating func begin(at offset: Int) throws(DecodeError) {
        items += 1
        guard items <= limits.itemsMax else { throw .tooManyItems(at: offset) }
    }

    mutating func reject(_ error: DecodeError) throws(DecodeError) {
        if error.isLimit { throw error }
        received.reject(error)
    }

    mutating func finish() -> OTLP.Received {
        for group in groups where !group.batch.isEmpty {
            group.batch.bytes = group.writer.takeBytes()
            received.batches.append(group.batch)
        }
        groups = []
        return received
    }

    /// Adds the span, whose tags it marks. Throws, and adds nothing, when the span has no ids; an error of a limit is the request's.
    mutating func add(_ span: inout ForeignSpan, at offset: Int) throws(DecodeError) {
        guard span.traceID.isValid, span.spanID.isValid else { throw .missingID(at: offset) }
        let found = SpanTags(of: &span, format)
        scope.truncate(to: 0)
        if found.scopeName.count > 0 { scope.putBytes(OTLP.ScopeField.name, found.scopeName) }
        if found.scopeVersion.count > 0 { scope.putBytes(OTLP.ScopeField.version, found.scopeVersion) }
        let group = try group(of: span, at: offset)
        let scopeIndex = try scopeIndex(in: group, at: offset)
        let start = group.writer.count
        let frame = group.writer.begin(OTLP.RequestField.items, lengthBytes: 2)
        Self.put(span, found, into: &group.writer)
        group.writer.end(frame)
        let length = group.writer.count - start
        bytesWritten += length
        guard bytesWritten <= limits.requestBytesMax else { throw .tooLarge(at: offset) }
        group.batch.items.append(
            Batch.Item(
                offset: UInt32(start), length: UInt32(length), scope: UInt16(scopeIndex), status: found.status.rawValue,
                kind: found.kind.rawValue, traceID: span.traceID, spanID: span.spanID, parentSpanID: span.parentSpanID,
                start: span.start, end: span.end))
    }

    // MARK: resource and scope

    private mutating func putResource(_ span: borrowing ForeignSpan) {
        resource.truncate(to: 0)
        if span.serviceName.count > 0 {
            ForeignTag("service.name", .string(span.serviceName)).put(OTLP.ResourceField.attributes, into: &resource)
        }
        for tag in span.resourceTags where !tag.key.equals("service.name") || span.serviceName.count == 0 {
            tag.put(OTLP.ResourceField.attributes, into: &resource)
        }
    }

    private mutating func group(of span: borrowing ForeignSpan, at offset: Int) throws(DecodeError) -> Group {
        if let groupOfProcess { return groups[groupOfProcess] }
        putResource(span)
        let group = try groupOfResource(at: offset)
        if format == .jaeger { groupOfProcess = last }
        return group
    }

    private mutating func groupOfResource(at offset: Int) throws(DecodeError) -> Group {
        if last < groups.count, Self.isSame(resource, groups[last].batch.resource) { return groups[last] }
        let key = resource.withBytes { Array($0) }
        if let known = groupOfKey[key] {
            last = known
            return groups[known]
        }
        guard groups.count < limits.resourcesMax else { throw .tooManyResources(at: offset) }
        bytesWritten += key.count
        last = groups.count
        groupOfKey[key] = last
        groups.append(Group(resource: key))
        return groups[last]
    }

    private func scopeIndex(in group: Group, at offset: Int) throws(DecodeError) -> Int {
        if group.lastScope < group.batch.scopes.count,
            Self.isSame(scope, group.batch.scopes[group.lastScope].message)
        {
            return group.lastScope
        }
        let key = scope.withBytes { Array($0) }
        if let known = group.scopes[key] {
            group.lastScope = known
            return known
        }
        guard group.scopes.count < limits.resourcesMax else { throw .tooManyResources(at: offset) }
        group.lastScope = group.scopes.count
        group.scopes[key] = group.lastScope
        group.batch.scopes.append(Batch.Scope(message: key))
        return group.lastScope
    }

    private static func isSame(_ writer: borrowing ProtobufWriter, _ bytes: [UInt8]) -> Bool {
        writer.count == bytes.count && writer.withBytes { $0.elementsEqual(bytes) }
    }

    // MARK: the span

    private static func put(_ span: borrowing ForeignSpan, _ found: SpanTags, into writer: inout ProtobufWriter) {
        OTLP.put(OTLP.SpanField.traceID, span.traceID, into: &writer)
        OTLP.put(OTLP.SpanField.spanID, span.spanID, into: &writer)
        if found.traceState.count > 0 { writer.putBytes(OTLP.SpanField.traceState, found.traceState) }
        if span.parentSpanID.isValid { OTLP.put(OTLP.SpanField.parentSpanID, span.parentSpanID, into: &writer) }
        if span.name.count > 0 { writer.putBytes(OTLP.SpanField.name, span.name) }
        OTLP.putCount(OTLP.SpanField.kind, UInt32(found.kind.rawValue), into: &writer)
        OTLP.putTime(OTLP.SpanField.startTime, span.start, into: &writer)
        OTLP.putTime(OTLP.SpanField.endTime, span.end, into: &writer)
        for tag in span.tags where !tag.isTaken { tag.put(OTLP.SpanField.attributes, into: &writer) }
        OTLP.putCount(OTLP.SpanField.droppedAttributesCount, found.droppedAttributes, into: &writer)
        span.encoded.withBytes { encoded in
            for event in span.events { put(event, encoded, into: &writer) }
            OTLP.putCount(OTLP.SpanField.droppedEventsCount, found.droppedEvents, into: &writer)
            for link in span.links { put(link, encoded, into: &writer) }
        }
        OTLP.putCount(OTLP.SpanField.droppedLinksCount, found.droppedLinks, into: &writer)
        if found.status != .unset {
            let status = writer.begin(OTLP.SpanField.status)
            if found.statusMessage.count > 0 { writer.putBytes(OTLP.StatusField.message, found.statusMessage) }
            writer.putVarint(OTLP.StatusField.code, UInt64(found.status.rawValue))
            writer.end(status)
        }
        if span.traceFlags != 0 { writer.putFixed32(OTLP.SpanField.flags, span.traceFlags) }
    }

    private static func put(_ event: ForeignEvent, _ encoded: ForeignText, into writer: inout ProtobufWriter) {
        let message = writer.begin(OTLP.SpanField.events)
        OTLP.putTime(OTLP.EventField.time, event.time, into: &writer)
        if event.name.count > 0 { writer.putBytes(OTLP.EventField.name, event.name) }
        writer.putRaw(ForeignText(rebasing: encoded[event.attributes]))
        OTLP.putCount(OTLP.EventField.droppedAttributesCount, event.droppedAttributes, into: &writer)
        writer.end(message)
    }

    private static func put(_ link: ForeignLink, _ encoded: ForeignText, into writer: inout ProtobufWriter) {
        let message = writer.begin(OTLP.SpanField.links)
        OTLP.put(OTLP.LinkField.traceID, link.traceID, into: &writer)
        OTLP.put(OTLP.LinkField.spanID, link.spanID, into: &writer)
        if link.traceState.count > 0 { writer.putBytes(OTLP.LinkField.traceState, link.traceState) }
        writer.putRaw(ForeignText(rebasing: encoded[link.attributes]))
        OTLP.putCount(OTLP.LinkField.droppedAttributesCount, link.droppedAttributes, into: &writer)
        writer.end(message)
    }
}

/// What a span's tags say that OTLP has fields for.
struct SpanTags {
    var status = SpanStatus.Code.unset
    var statusMessage = ForeignText.none
    var kind: SpanKind
    var traceState = ForeignText.none
    var scopeName = ForeignText.none
    var scopeVersion = ForeignText.none
    var droppedAttributes: UInt32 = 0
    var droppedEvents: UInt32 = 0
    var droppedLinks: UInt32 = 0
    private var error: Int?

    /// Marks the tags that are taken, and moves those of the resource there.
    init(of span: inout ForeignSpan, _ format: SpanGatherer.Format) {
        kind = span.kind
        for index in span.tags.indices {
            let tag = span.tags[index]
            guard let first = tag.key.first else { continue }
            // One look at the first letter spares most tags the comparisons.
            switch first {
            case UInt8(ascii: "o"): span.tags[index].isTaken = take(tag, otel: ())
            case UInt8(ascii: "e"): if error == nil, tag.key.equals("error") { error = index }
            case UInt8(ascii: "s"): span.tags[index].isTaken = takeKind(tag, format)
            case UInt8(ascii: "w"):
                guard tag.key.equals("w3c.tracestate"), traceState.count == 0, let text = tag.value.string else {
                    break
                }
                traceState = text
                span.tags[index].isTaken = true
            default: break
            }
            if format == .zipkin, !span.tags[index].isTaken, Self.isOfResource(tag.key) {
                span.resourceTags.append(tag)
                span.tags[index].isTaken = true
            }
        }
        if let error { span.tags[error].isTaken = takeError(span.tags[error].value, format) }
        if status != .error { statusMessage = .none }
    }

    private mutating func take(_ tag: ForeignTag, otel: Void) -> Bool {
        guard tag.key.starts(with: "otel.") else { return false }
        func take(_ place: inout ForeignText) -> Bool {
            guard let text = tag.value.string else { return false }
            place = text
            return true
        }
        func take(_ place: inout UInt32) -> Bool {
            guard let count = tag.value.count, count > 0 else { return false }
            place = count
            return true
        }
        let name = tag.key.rest(after: 5)
        if name.equals("status_code") { return takeStatus(tag.value) }
        if name.equals("status_description") { return take(&statusMessage) }
        if name.equals("scope.name") || name.equals("library.name") { return take(&scopeName) }
        if name.equals("scope.version") || name.equals("library.version") { return take(&scopeVersion) }
        if name.equals("dropped_attributes_count") { return take(&droppedAttributes) }
        if name.equals("dropped_events_count") { return take(&droppedEvents) }
        if name.equals("dropped_links_count") { return take(&droppedLinks) }
        return false
    }

    private mutating func takeStatus(_ value: ForeignValue) -> Bool {
        guard let text = value.string else { return false }
        if text.equals("OK") {
            status = .ok
        } else if text.equals("ERROR") {
            status = .error
        } else {
            return text.equals("UNSET")
        }
        return true
    }

    private mutating func takeKind(_ tag: ForeignTag, _ format: SpanGatherer.Format) -> Bool {
        guard kind == .unspecified, tag.key.equals("span.kind"), let text = tag.value.string else { return false }
        if text.equals("internal") {
            kind = .internal
        } else if format == .zipkin {
            return false
        } else if text.equals("server") {
            kind = .server
        } else if text.equals("client") {
            kind = .client
        } else if text.equals("producer") {
            kind = .producer
        } else if text.equals("consumer") {
            kind = .consumer
        }
        return kind != .unspecified
    }

    /// Jaeger's tag is true or not there. Zipkin's says what the error was, and stands for one by being there; a status that says otherwise
    /// is believed.
    private mutating func takeError(_ value: ForeignValue, _ format: SpanGatherer.Format) -> Bool {
        guard status != .ok else { return false }
        var text = ForeignText.none
        switch value {
        case .bool(let flag): guard flag || status == .error else { return false }
        case .string(let given):
            if format == .jaeger || given.equals("false") {
                guard given.equals("true") || status == .error else { return false }
            }
            text = given
        default: guard status == .error else { return false }
        }
        status = .error
        if format == .zipkin, statusMessage.count == 0, !text.equals("true") { statusMessage = text }
        return true
    }

    /// Zipkin has no resource: an encoder makes its attributes tags of each span, and those are told by the namespaces that semantic
    /// conventions have for resources.
    private static func isOfResource(_ key: ForeignText) -> Bool {
        switch key[0] {
        case UInt8(ascii: "s"): key.starts(with: "service.") && !key.equals("service.name")
        case UInt8(ascii: "t"): key.starts(with: "telemetry.")
        case UInt8(ascii: "h"): key.starts(with: "host.")
        case UInt8(ascii: "p"): key.starts(with: "process.")
        case UInt8(ascii: "k"): key.starts(with: "k8s.")
        case UInt8(ascii: "c"): key.starts(with: "container.") || key.starts(with: "cloud.")
        case UInt8(ascii: "d"): key.starts(with: "deployment.")
        case UInt8(ascii: "o"): key.starts(with: "os.")
        default: false
        }
    }
}
