// Two walks: the first counts, the second edits, and only where something is over. What is over is dropped from the
// end, as an SDK with the same limits would never have recorded it, and added to the counts of dropped things that the
// item came with.

public import Configuration
internal import Telemetry
internal import Wire

extension Processor {
    /// Cuts items down to limits on attributes, events and links. Metrics are exempt, as the specification says.
    /// <https://opentelemetry.io/docs/specs/otel/common/#attribute-limits>
    public static func limits(_ limits: ItemLimits) -> Processor { Processor(stage: LimitStage(limits)) }
}

final class LimitStage: Stage {
    let dropReason = ProcessorDropReason.malformed
    let ruleNames: [String] = []
    private var edit: LimitEdit

    init(_ limits: ItemLimits) { edit = LimitEdit(limits) }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard batch.signal != .metrics else { return }
        edit.signal = batch.signal
        editor.editItems(of: &batch, &edit, &context.tally)
        for (name, count) in edit.takeCounts() where count > 0 { context.details[name, default: 0] += count }
    }
}

private struct LimitEdit: ItemEdit {
    /// A message with attributes, and with lists of messages that have some themselves.
    private struct Shape {
        struct List {
            let tag: UInt32
            let dropped: UInt32
            let max: Int
            let attributes: UInt32
            let droppedAttributes: UInt32
        }

        let attributes: UInt32
        let droppedAttributes: UInt32
        var events: List?
        var links: List?
    }

    private static let depthMax = OTLP.valueDepthMax

    private let limits: ItemLimits
    private let span: Shape
    private let log = Shape(attributes: Tag.Log.attributes, droppedAttributes: Tag.Log.droppedAttributes)
    var signal = Signal.traces
    private var droppedAttributes = 0
    private var droppedEvents = 0
    private var droppedLinks = 0
    private var cutValues = 0

    init(_ limits: ItemLimits) {
        self.limits = limits
        span = Shape(
            attributes: Tag.Span.attributes, droppedAttributes: Tag.Span.droppedAttributes,
            events: .init(
                tag: Tag.Span.events, dropped: Tag.Span.droppedEvents, max: limits.events,
                attributes: Tag.Event.attributes,
                droppedAttributes: Tag.Event.droppedAttributes),
            links: .init(
                tag: Tag.Span.links, dropped: Tag.Span.droppedLinks, max: limits.links, attributes: Tag.Link.attributes,
                droppedAttributes: Tag.Link.droppedAttributes))
    }

    mutating func takeCounts() -> [(String, Int)] {
        defer { (droppedAttributes, droppedEvents, droppedLinks, cutValues) = (0, 0, 0, 0) }
        return [
            ("attributes", droppedAttributes), ("events", droppedEvents), ("links", droppedLinks),
            ("values", cutValues),
        ]
    }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let isSound = limit(fields, signal == .traces ? span : log, &editor)
        return isSound ? .keep : .malformed
    }

    private func contains(_ list: Shape.List?, _ tag: UInt32) -> Bool { list.map { $0.tag == tag } ?? false }

    /// False: malformed.
    private mutating func limit(_ message: FieldCursor, _ shape: Shape, _ editor: inout Editor) -> Bool {
        var fields = message
        var attributes = 0
        var events = 0
        var links = 0
        var before: (attributes: UInt32, events: UInt32, links: UInt32) = (0, 0, 0)
        var mayBeOver = false
        while fields.next() {
            if fields.tag == shape.attributes {
                attributes += 1
                mayBeOver = mayBeOver || fields.value.count > limits.attributeBytes
            } else if fields.tag == shape.droppedAttributes {
                before.attributes = UInt32(truncatingIfNeeded: fields.varintValue)
            } else if let list = shape.events, fields.tag == list.tag {
                events += 1
                mayBeOver = true
            } else if let list = shape.links, fields.tag == list.tag {
                links += 1
                mayBeOver = true
            } else if let list = shape.events, fields.tag == list.dropped {
                before.events = UInt32(truncatingIfNeeded: fields.varintValue)
            } else if let list = shape.links, fields.tag == list.dropped {
                before.links = UInt32(truncatingIfNeeded: fields.varintValue)
            }
        }
        guard !fields.isBroken else { return false }
        let over = (
            attributes: max(0, attributes - limits.attributes),
            events: shape.events.map { max(0, events - $0.max) } ?? 0,
            links: shape.links.map { max(0, links - $0.max) } ?? 0
        )
        guard mayBeOver || over.attributes > 0 else { return true }
        guard editFields(message, shape, over, &editor) else { return false }
        put(shape.droppedAttributes, before.attributes, over.attributes, message.end, &editor)
        if let list = shape.events { put(list.dropped, before.events, over.events, message.end, &editor) }
        if let list = shape.links { put(list.dropped, before.links, over.links, message.end, &editor) }
        droppedAttributes += over.attributes
        droppedEvents += over.events
        droppedLinks += over.links
        return true
    }

    private mutating func editFields(
        _ message: FieldCursor, _ shape: Shape, _ over: (attributes: Int, events: Int, links: Int),
        _ editor: inout Editor
    ) -> Bool {
        var fields = message
        var attributes = 0
        var events = 0
        var links = 0
        while fields.next() {
            if fields.tag == shape.attributes {
                attributes += 1
                if attributes > limits.attributes {
                    editor.cut(fields.frame)
                } else if fields.value.count > limits.attributeBytes {
                    guard attribute(fields, 0, &editor) else { return false }
                }
            } else if let list = shape.events, fields.tag == list.tag {
                events += 1
                guard element(fields, list, isOver: events > list.max, &editor) else { return false }
            } else if let list = shape.links, fields.tag == list.tag {
                links += 1
                guard element(fields, list, isOver: links > list.max, &editor) else { return false }
            } else if fields.tag == shape.droppedAttributes && over.attributes > 0
                || fields.tag == shape.events?.dropped && over.events > 0
                || fields.tag == shape.links?.dropped && over.links > 0
            {
                editor.cut(fields.frame)
            }
        }
        return true
    }

    /// An event or a link.
    private mutating func element(
        _ field: FieldCursor, _ list: Shape.List, isOver: Bool, _ editor: inout Editor
    ) -> Bool {
        if isOver {
            editor.cut(field.frame)
            return true
        }
        editor.enter(field)
        let shape = Shape(attributes: list.attributes, droppedAttributes: list.droppedAttributes)
        guard limit(field.message, shape, &editor) else { return false }
        editor.leave()
        return true
    }

    /// A count of dropped things, at the end of the message; the one it came with was cut.
    private func put(_ tag: UInt32, _ before: UInt32, _ over: Int, _ end: Int, _ editor: inout Editor) {
        guard over > 0 else { return }
        editor.cut(end..<end)
        let sum = before.addingReportingOverflow(UInt32(clamping: over))
        editor.writer.putVarint(tag >> 3, UInt64(sum.overflow ? .max : sum.partialValue))
    }

    // MARK: values

    private mutating func attribute(_ field: FieldCursor, _ depth: Int, _ editor: inout Editor) -> Bool {
        editor.enter(field)
        var parts = field.message
        while parts.next() {
            guard parts.tag == Tag.KeyValue.value else { continue }
            guard value(parts, depth, &editor) else { return false }
        }
        guard !parts.isBroken else { return false }
        editor.leave()
        return true
    }

    private mutating func value(_ field: FieldCursor, _ depth: Int, _ editor: inout Editor) -> Bool {
        guard field.value.count > limits.attributeBytes else { return true }
        guard depth < Self.depthMax else { return false }
        editor.enter(field)
        var inner = field.message
        while inner.next() {
            switch inner.tag {
            case Tag.AnyValue.string, Tag.AnyValue.bytes:
                guard inner.value.count > limits.attributeBytes else { continue }
                var end = inner.body + limits.attributeBytes
                if inner.tag == Tag.AnyValue.string { end = Self.boundary(inner, end) }
                editor.enter(inner)
                editor.cut(end..<inner.offset)
                editor.leave()
                cutValues += 1
            case Tag.AnyValue.array, Tag.AnyValue.map:
                editor.enter(inner)
                var elements = inner.message
                while elements.next() {
                    guard elements.tag == Tag.elements else { continue }
                    let isSound =
                        inner.tag == Tag.AnyValue.map
                        ? attribute(elements, depth + 1, &editor) : value(elements, depth + 1, &editor)
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

    /// The last place up to `end` at which no character is cut in two; `end` itself where the bytes are no UTF-8.
    private static func boundary(_ text: FieldCursor, _ end: Int) -> Int {
        for place in stride(from: end, to: max(text.body, end - 4), by: -1)
        where text.base.load(fromByteOffset: place, as: UInt8.self) & 0xC0 != 0x80 {
            return place
        }
        return text.base.load(fromByteOffset: text.body, as: UInt8.self) & 0xC0 != 0x80 && end - text.body < 4
            ? text.body : end
    }
}
