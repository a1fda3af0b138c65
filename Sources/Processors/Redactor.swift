// The walk through everything of an item that holds text. The common attribute (a key, then one value) is looked at
// where it lies; the editor enters messages only where something is found, or where values contain values.

public import Configuration
internal import Telemetry
internal import Wire

extension Processor {
    /// Masks secrets in attributes, names, bodies and messages, of resources and scopes too.
    public static func redact(_ redaction: Redaction = Redaction()) -> Processor {
        Processor(stage: RedactStage(redaction))
    }
}

final class RedactStage: Stage {
    let dropReason = ProcessorDropReason.malformed
    let ruleNames: [String] = []
    private var redactor: Redactor
    private var memo = ResourceMemo()

    init(_ redaction: Redaction) { redactor = Redactor(redaction) }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        redactor.willEdit(batch.signal)
        editor.editItems(of: &batch, &redactor, &context.tally)
        if let resource = memo.edited(
            batch.resource,
            { resource in
                redactor.redact(resource, attributes: Tag.Resource.attributes, text: 0, &editor)
            })
        {
            batch.resource = resource
        }
        for index in batch.scopes.indices {
            let message = batch.scopes[index].message
            if let scope = redactor.redact(message, attributes: Tag.Scope.attributes, text: 0, &editor) {
                batch.scopes[index].message = scope
            }
        }
        for kind in SecretKind.allCases where redactor.found[kind.index] > 0 {
            context.details[kind.rawValue, default: 0] += redactor.found[kind.index]
            redactor.found[kind.index] = 0
        }
    }
}

/// The resource that came last and what became of it: most batches of a sender have the same.
struct ResourceMemo {
    private var source: [UInt8] = []
    private var result: [UInt8]?
    private var isFilled = false

    /// What `edit` makes of the resource; nil when it changes nothing.
    mutating func edited(_ resource: [UInt8], _ edit: ([UInt8]) -> [UInt8]?) -> [UInt8]? {
        if isFilled, source == resource { return result }
        result = edit(resource)
        source = resource
        isFilled = true
        return result
    }
}

struct Redactor: ItemEdit {
    private let names: SecretNames
    private let scanner: SecretScanner
    private let scansText: Bool
    private let replacement: [UInt8]
    /// What was masked, by the index of `SecretKind`.
    var found = [Int](repeating: 0, count: SecretKind.allCases.count)

    /// As deep as OTLP's decoders go.
    private static let depthMax = OTLP.valueDepthMax

    init(_ redaction: Redaction) {
        names = SecretNames((redaction.masksWellKnownKeys ? SecretNames.wellKnown : []) + redaction.keys)
        let kinds = Set(redaction.patterns.map { SecretKind($0) })
        scanner = SecretScanner(kinds, names: SecretNames(SecretNames.wellKnownParameters + redaction.keys))
        scansText = !kinds.isEmpty
        replacement = Array(redaction.replacement.utf8)
    }

    /// Of the batch whose items are edited.
    private var signal = Signal.traces

    mutating func willEdit(_ signal: Signal) { self.signal = signal }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let isSound =
            switch signal {
            case .traces: span(fields, &editor)
            case .logs: log(fields, &editor)
            case .metrics: metric(fields, &editor)
            }
        return isSound ? .keep : .malformed
    }

    /// The resource's or the scope's new bytes; nil when nothing changes. One that is malformed is emptied: nobody can
    /// tell what is in it.
    mutating func redact(_ message: [UInt8], attributes: UInt32, text: UInt32, _ editor: inout Editor) -> [UInt8]? {
        message.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            editor.begin(base)
            guard holder(FieldCursor(base, 0..<bytes.count), attributes: attributes, text: text, &editor) else {
                editor.begin(base)
                return []
            }
            return editor.hasChanged ? editor.finish(at: bytes.count) : nil
        }
    }

    // MARK: messages; false: malformed

    private mutating func span(_ fields: FieldCursor, _ editor: inout Editor) -> Bool {
        var fields = fields
        while fields.next() {
            switch fields.tag {
            case Tag.Span.attributes:
                guard attribute(fields, 0, &editor) else { return false }
            case Tag.Span.name: text(fields, &editor)
            case Tag.Span.events:
                guard nested(fields, attributes: Tag.Event.attributes, text: Tag.Event.name, &editor) else {
                    return false
                }
            case Tag.Span.links:
                guard nested(fields, attributes: Tag.Link.attributes, text: 0, &editor) else { return false }
            case Tag.Span.status:
                guard nested(fields, attributes: 0, text: Tag.Status.message, &editor) else { return false }
            default: break
            }
        }
        return !fields.isBroken
    }

    private mutating func log(_ fields: FieldCursor, _ editor: inout Editor) -> Bool {
        var fields = fields
        while fields.next() {
            switch fields.tag {
            case Tag.Log.attributes:
                guard attribute(fields, 0, &editor) else { return false }
            case Tag.Log.body:
                guard value(fields, 0, &editor) else { return false }
            default: break
            }
        }
        return !fields.isBroken
    }

    private mutating func metric(_ fields: FieldCursor, _ editor: inout Editor) -> Bool {
        var fields = fields
        while fields.next() {
            guard let tags = Tag.Metric.point(of: fields.tag) else {
                if fields.tag == Tag.Metric.metadata, !attribute(fields, 0, &editor) { return false }
                continue
            }
            editor.enter(fields)
            var points = fields.message
            while points.next() {
                guard points.tag == Tag.Metric.points else { continue }
                editor.enter(points)
                var point = points.message
                while point.next() {
                    if point.tag == tags.attributes {
                        guard attribute(point, 0, &editor) else { return false }
                    } else if point.tag == tags.exemplars, tags.exemplars != 0 {
                        guard nested(point, attributes: Tag.Metric.filteredAttributes, text: 0, &editor) else {
                            return false
                        }
                    }
                }
                guard !point.isBroken else { return false }
                editor.leave()
            }
            guard !points.isBroken else { return false }
            editor.leave()
        }
        return !fields.isBroken
    }

    /// A message in a field: an event, a link, a status, an exemplar.
    private mutating func nested(
        _ field: FieldCursor, attributes: UInt32, text textTag: UInt32, _ editor: inout Editor
    ) -> Bool {
        editor.enter(field)
        guard holder(field.message, attributes: attributes, text: textTag, &editor) else { return false }
        editor.leave()
        return true
    }

    /// A message that holds attributes and a text; 0: none.
    private mutating func holder(
        _ fields: FieldCursor, attributes: UInt32, text textTag: UInt32, _ editor: inout Editor
    ) -> Bool {
        var fields = fields
        while fields.next() {
            if fields.tag == attributes {
                guard attribute(fields, 0, &editor) else { return false }
            } else if fields.tag == textTag {
                text(fields, &editor)
            }
        }
        return !fields.isBroken
    }

    // MARK: attributes and values

    /// A `KeyValue`, which the cursor is at.
    private mutating func attribute(_ field: FieldCursor, _ depth: Int, _ editor: inout Editor) -> Bool {
        var parts = field.message
        // As encoders write it: the key, then the value, which is one text.
        guard parts.next(), parts.tag == Tag.KeyValue.key else { return anyAttribute(field, depth, &editor) }
        let key = parts.value
        guard parts.next() else { return !parts.isBroken }
        guard parts.tag == Tag.KeyValue.value, parts.offset == parts.end else {
            return anyAttribute(field, depth, &editor)
        }
        if names.contains(parts.bytes(key)) { return mask(field, key, parts, &editor) }
        var inner = parts.message
        guard inner.next() else { return !inner.isBroken }
        guard inner.tag == Tag.AnyValue.string, inner.offset == inner.end else {
            // Numbers and truth values are no text.
            if inner.tag & 7 != 2, inner.offset == inner.end { return true }
            return anyAttribute(field, depth, &editor)
        }
        guard scansText else { return true }
        let content = inner.bytes(inner.value)
        let isQuery = Self.isQuery(parts.bytes(key))
        guard scanner.first(in: content, from: 0) != nil || isQuery && scanner.firstParameter(in: content) != nil else {
            return true
        }
        editor.enter(field)
        editor.enter(parts)
        text(inner, isQuery: isQuery, &editor)
        editor.leave()
        editor.leave()
        return true
    }

    /// `url.query`: a query without its question mark.
    private static func isQuery(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count == 9, key[8] == 0x79, key[4] == 0x71 else { return false }
        return zip(key, "url.query".utf8).allSatisfy(==)
    }

    /// An attribute of any form: parts missing, in any order, or more than once, where the last counts for some readers
    /// and the first for others.
    private mutating func anyAttribute(_ field: FieldCursor, _ depth: Int, _ editor: inout Editor) -> Bool {
        var parts = field.message
        var keys = 0
        var key = 0..<0
        var isSecret = false
        var value: FieldCursor?
        while parts.next() {
            switch parts.tag {
            case Tag.KeyValue.key:
                key = parts.value
                keys += 1
                isSecret = isSecret || names.contains(parts.bytes(key))
            case Tag.KeyValue.value: value = parts
            default: break
            }
        }
        guard !parts.isBroken else { return false }
        guard let value else { return true }
        if isSecret { return mask(field, key, value, &editor) }
        editor.enter(field)
        parts = field.message
        while parts.next() {
            guard parts.tag == Tag.KeyValue.value else { continue }
            guard self.value(parts, depth, &editor) else { return false }
        }
        editor.leave()
        return true
    }

    /// Writes the attribute anew with the replacement as its value; a list of values keeps being a list. Nothing, truth
    /// values and what is masked already stay.
    private mutating func mask(
        _ field: FieldCursor, _ key: Range<Int>, _ value: FieldCursor, _ editor: inout Editor
    ) -> Bool {
        var inner = value.message
        var last: FieldCursor?
        var count = 0
        while inner.next() {
            last = inner
            count += 1
        }
        guard !inner.isBroken else { return false }
        guard let last else { return true }
        if count == 1 {
            switch last.tag {
            case Tag.AnyValue.bool: return true
            case Tag.AnyValue.string where last.value.isEmpty || isReplacement(last.bytes(last.value)): return true
            case Tag.AnyValue.array where isMaskedList(last.message): return true
            default: break
            }
        }
        found[SecretKind.key.index] += 1
        let key = field.bytes(key)
        let isList = last.tag == Tag.AnyValue.array
        editor.enter(field)
        editor.cut(field.value)
        editor.writer.putBytes(1, key)
        editor.writer.message(2) { value in
            guard isList else { return value.putBytes(1, replacement) }
            value.message(5) { list in list.message(1) { $0.putBytes(1, replacement) } }
        }
        editor.leave()
        return true
    }

    private func isReplacement(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count == replacement.count && text.elementsEqual(replacement)
    }

    /// Whether a list holds nothing but the replacement, or nothing.
    private func isMaskedList(_ list: FieldCursor) -> Bool {
        var list = list
        guard list.next() else { return !list.isBroken }
        guard list.tag == Tag.elements, list.offset == list.end else { return false }
        var element = list.message
        return element.next() && element.tag == Tag.AnyValue.string && element.offset == element.end
            && isReplacement(element.bytes(element.value))
    }

    /// An `AnyValue`, which the cursor is at.
    private mutating func value(_ field: FieldCursor, _ depth: Int, _ editor: inout Editor) -> Bool {
        guard depth < Self.depthMax else { return false }
        editor.enter(field)
        var inner = field.message
        while inner.next() {
            switch inner.tag {
            case Tag.AnyValue.string: text(inner, &editor)
            case Tag.AnyValue.array, Tag.AnyValue.map:
                let isMap = inner.tag == Tag.AnyValue.map
                editor.enter(inner)
                var elements = inner.message
                while elements.next() {
                    guard elements.tag == Tag.elements else { continue }
                    let isSound = isMap ? attribute(elements, depth + 1, &editor) : value(elements, depth + 1, &editor)
                    guard isSound else { return false }
                }
                guard !elements.isBroken else { return false }
                editor.leave()
            default: break
            }
        }
        guard !inner.isBroken else { return false }
        editor.leave()
        return true
    }

    /// A text field, which the cursor is at.
    private mutating func text(_ field: FieldCursor, isQuery: Bool = false, _ editor: inout Editor) {
        guard scansText else { return }
        let content = field.bytes(field.value)
        var match = isQuery ? scanner.firstParameter(in: content) : nil
        if match == nil { match = scanner.first(in: content, from: 0) }
        guard var match else { return }
        var hasEntered = false
        while true {
            // A text that was masked before keeps its masks, and they are not counted again.
            let secret = UnsafeRawBufferPointer(rebasing: content[match.range])
            if !isReplacement(secret) {
                found[match.kind.index] += 1
                if !hasEntered { editor.enter(field) }
                hasEntered = true
                editor.cut(field.body + match.range.lowerBound..<field.body + match.range.upperBound)
                replacement.withUnsafeBytes { editor.writer.putRaw($0) }
            }
            guard let next = scanner.first(in: content, from: match.range.upperBound) else { break }
            match = next
        }
        if hasEntered { editor.leave() }
    }
}
