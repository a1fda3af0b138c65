public import Configuration
internal import Telemetry
internal import Wire

extension Processor {
    /// Makes names of low cardinality of paths in the names of spans, and, if asked to, `url.template`; takes queries
    /// off URLs.
    public static func normalize(_ normalization: Normalization) -> Processor {
        Processor(stage: NormalizeStage(normalization))
    }
}

final class NormalizeStage: Stage {
    let dropReason = ProcessorDropReason.malformed
    let ruleNames: [String] = []
    private var edit: NormalizeEdit

    init(_ normalization: Normalization) { edit = NormalizeEdit(normalization) }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard edit.canApply(to: batch.signal) else { return }
        edit.signal = batch.signal
        editor.editItems(of: &batch, &edit, &context.tally)
        for (name, count) in edit.takeCounts() where count > 0 { context.details[name, default: 0] += count }
    }
}

private struct NormalizeEdit: ItemEdit {
    private let normalization: Normalization
    private let removesQueries: Bool
    var signal = Signal.traces
    private var names = 0
    private var templates = 0
    private var queries = 0

    private enum Key { case route, template, path, full, target, query, other }

    init(_ normalization: Normalization) {
        self.normalization = normalization
        removesQueries = normalization.queries == .remove
    }

    func canApply(to signal: Signal) -> Bool {
        switch signal {
        case .traces: normalization.spanNames || normalization.urlTemplate || removesQueries
        case .logs: removesQueries
        case .metrics: false
        }
    }

    mutating func takeCounts() -> [(String, Int)] {
        defer { (names, templates, queries) = (0, 0, 0) }
        return [("names", names), ("templates", templates), ("queries", queries)]
    }

    mutating func edit(_ item: Batch.Item, _ message: FieldCursor, _ editor: inout Editor) -> ItemFate {
        var fields = message
        let attributes = signal == .traces ? Tag.Span.attributes : Tag.Log.attributes
        let looksAtAttributes = removesQueries || normalization.urlTemplate
        var hasTemplate = !normalization.urlTemplate || signal != .traces
        var path: UnsafeRawBufferPointer?
        while fields.next() {
            if fields.tag == Tag.Span.name, signal == .traces, normalization.spanNames {
                name(fields, &editor)
            } else if looksAtAttributes, fields.tag == attributes {
                guard let (key, value) = Self.parse(fields) else { return .malformed }
                switch key {
                case .route, .template: hasTemplate = true
                case .path: path = value.map { $0.inner.bytes($0.inner.value) }
                case .full:
                    if path == nil, let value { path = Self.path(ofURL: value.inner.bytes(value.inner.value)) }
                    if removesQueries, let value { cutQuery(fields, value, &editor) }
                case .target: if removesQueries, let value { cutQuery(fields, value, &editor) }
                case .query:
                    if removesQueries {
                        editor.cut(fields.frame)
                        queries += 1
                    }
                case .other: break
                }
            }
        }
        guard !fields.isBroken else { return .malformed }
        if !hasTemplate, let path, path.first == 0x2F, path.count <= PathTemplate.bytesMax {
            addTemplate(path, message.end, &editor)
        }
        return .keep
    }

    private mutating func name(_ field: FieldCursor, _ editor: inout Editor) {
        guard let name = PathTemplate.name(field.bytes(field.value)) else { return }
        editor.enter(field)
        editor.cut(field.value)
        name.withUnsafeBytes { editor.writer.putRaw($0) }
        editor.leave()
        names += 1
    }

    private mutating func addTemplate(_ path: UnsafeRawBufferPointer, _ end: Int, _ editor: inout Editor) {
        editor.cut(end..<end)
        let template = PathTemplate.path(path)
        let key: StaticString = "url.template"
        editor.writer.message(Tag.Span.attributes >> 3) { attribute in
            attribute.putBytes(1, UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            attribute.message(2) { value in
                if let template { value.putBytes(1, template) } else { value.putBytes(1, path) }
            }
        }
        templates += 1
    }

    /// Cuts from the question mark to the fragment.
    private mutating func cutQuery(
        _ field: FieldCursor, _ value: (field: FieldCursor, inner: FieldCursor), _ editor: inout Editor
    ) {
        let text = value.inner.bytes(value.inner.value)
        let fragment = text.firstIndex(of: 0x23) ?? text.count
        guard let mark = text[..<fragment].firstIndex(of: 0x3F) else { return }
        editor.enter(field)
        editor.enter(value.field)
        editor.enter(value.inner)
        editor.cut(value.inner.body + mark..<value.inner.body + fragment)
        editor.leave()
        editor.leave()
        editor.leave()
        queries += 1
    }

    private static func path(ofURL url: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        PathTemplate.pathStart(ofURL: url).map { UnsafeRawBufferPointer(rebasing: url[$0...]) }
    }

    /// The key of an attribute and, if it is a text, its value; nil: malformed.
    private static func parse(_ field: FieldCursor) -> (Key, (field: FieldCursor, inner: FieldCursor)?)? {
        var parts = field.message
        var key = Key.other
        var value: (field: FieldCursor, inner: FieldCursor)?
        while parts.next() {
            switch parts.tag {
            case Tag.KeyValue.key: key = Self.key(parts.bytes(parts.value))
            case Tag.KeyValue.value:
                var inner = parts.message
                if inner.next(), inner.tag == Tag.AnyValue.string { value = (parts, inner) }
            default: break
            }
        }
        return parts.isBroken ? nil : (key, value)
    }

    private static func key(_ key: UnsafeRawBufferPointer) -> Key {
        func isKey(_ text: StaticString) -> Bool {
            text.utf8CodeUnitCount == key.count && (0..<key.count).allSatisfy { key[$0] == text.utf8Start[$0] }
        }
        switch key.count {
        case 8: return isKey("url.path") ? .path : isKey("url.full") ? .full : isKey("http.url") ? .full : .other
        case 9: return isKey("url.query") ? .query : .other
        case 10: return isKey("http.route") ? .route : .other
        case 11: return isKey("http.target") ? .target : .other
        case 12: return isKey("url.template") ? .template : .other
        default: return .other
        }
    }
}
