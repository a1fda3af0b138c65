// Loggers that know nothing of OpenTelemetry's log records put the trace's id among the attributes, under the names that
// their libraries chose. Where a record has no trace id of its own, it gets that one.

public import Configuration
internal import Telemetry
internal import Wire

extension Processor {
    /// Gives log records the ids of the trace and the span that their attributes name. Spans and metrics pass.
    public static func correlate(_ correlation: Correlation) -> Processor {
        Processor(stage: CorrelateStage(correlation))
    }
}

final class CorrelateStage: Stage {
    let dropReason = ProcessorDropReason.filtered
    let ruleNames: [String] = []
    private var edit: CorrelateEdit

    init(_ correlation: Correlation) { edit = CorrelateEdit(correlation) }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard batch.signal == .logs else { return }
        edit.records = 0
        editor.editItems(of: &batch, &edit, &context.tally)
        if edit.records > 0 { context.details["records"] = edit.records }
    }
}

private struct CorrelateEdit: ItemEdit {
    /// Of loggers for OpenTelemetry (Python, Java, JavaScript), of the Elastic Common Schema, and of what many do by hand.
    private static let traceKeys = ["trace_id", "traceId", "traceID", "traceid", "trace.id", "otelTraceID"]
    private static let spanKeys = ["span_id", "spanId", "spanID", "spanid", "span.id", "otelSpanID"]
    /// Numbers in decimal digits, or 32 hex digits.
    private static let datadogTraceKey = "dd.trace_id"
    private static let datadogSpanKey = "dd.span_id"
    /// Both ids. W3C Trace Context, section 3.2.
    private static let parentKey = "traceparent"

    private let keys: KeySet
    private let traces: Set<String>
    private let spans: Set<String>
    var records = 0
    /// Of the record that is under way.
    private var trace: TraceID?
    private var span: SpanID?
    private var isFound = false

    init(_ correlation: Correlation) {
        traces = Set(Self.traceKeys + correlation.traceKeys)
        spans = Set(Self.spanKeys + correlation.spanKeys)
        keys = KeySet(exact: traces.union(spans).union([Self.datadogTraceKey, Self.datadogSpanKey, Self.parentKey]))
    }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        isFound = false
        guard !item.traceID.isValid else { return .keep }
        (trace, span) = (nil, nil)
        var fields = fields
        while fields.next() {
            guard fields.tag == Tag.Log.attributes else { continue }
            guard look(fields) else { return .malformed }
        }
        guard !fields.isBroken else { return .malformed }
        guard let trace else { return .keep }
        // The last of two equal fields counts, so one that is there with nothing in it does not matter.
        editor.cut(fields.end..<fields.end)
        editor.writer.putBytes(Tag.Log.traceID >> 3, trace.bytes)
        if let span { editor.writer.putBytes(Tag.Log.spanID >> 3, span.bytes) }
        isFound = true
        records += 1
        return .keep
    }

    func index(_ item: inout Batch.Item) {
        guard isFound, let trace else { return }
        item.traceID = trace
        if let span { item.spanID = span }
    }

    /// False: the attribute is malformed.
    private mutating func look(_ attribute: FieldCursor) -> Bool {
        guard let (key, value) = attribute.keyAndValue else { return false }
        guard keys.contains(key), let value else { return true }
        let name = String(decoding: key, as: UTF8.self)
        let text = AnyValueText.withContent(value) { $0.count <= 128 ? String(decoding: $0, as: UTF8.self) : "" } ?? ""
        note(name, text)
        return true
    }

    /// The first that is an id counts.
    private mutating func note(_ name: String, _ text: String) {
        if name == Self.parentKey {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, trace == nil,
                let id = TraceID(hex: parts[1]), id.isValid
            else { return }
            trace = id
            if let id = SpanID(hex: parts[2]), id.isValid { span = id }
        } else if name == Self.datadogTraceKey, trace == nil {
            let id = text.count == 32 ? TraceID(hex: text) : UInt64(text).map { TraceID(high: 0, low: $0) }
            if let id, id.isValid { trace = id }
        } else if name == Self.datadogSpanKey, span == nil {
            if let id = UInt64(text), id != 0 { span = SpanID(id) }
        } else if traces.contains(name), trace == nil {
            if let id = TraceID(hex: text), id.isValid { trace = id }
        } else if spans.contains(name), span == nil {
            if let id = SpanID(hex: text), id.isValid { span = id }
        }
    }
}
