public import Configuration
public import Telemetry

extension Processor {
    /// Changes the attributes of spans, log records and the points of metrics, one rule after the other.
    public static func attributes(_ actions: [AttributeAction]) throws(ProcessorError) -> Processor {
        Processor(stage: AttributeStage(try AttributeProgram(actions)))
    }

    /// Changes the attributes of resources: first `set`, then `delete`, then what was detected where there is nothing.
    public static func resource(_ change: ResourceChange, detected: Attributes) throws(ProcessorError) -> Processor {
        let actions =
            change.set.map { AttributeAction.set(key: $0.key, value: $0.value) }
            + change.delete.map { .delete(key: $0) } + detected.map { .add(key: $0.key, value: $0.value) }
        return Processor(stage: ResourceStage(try AttributeProgram(actions)))
    }
}

final class AttributeStage: Stage {
    let dropReason = ProcessorDropReason.malformed
    let ruleNames: [String] = []
    private var edit: AttributeEdit

    init(_ program: AttributeProgram) { edit = AttributeEdit(program: program) }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard !edit.program.isEmpty else { return }
        edit.signal = batch.signal
        editor.editItems(of: &batch, &edit, &context.tally)
        let changes = edit.program.takeChanges()
        if changes > 0 { context.details["changed", default: 0] += changes }
    }
}

private struct AttributeEdit: ItemEdit {
    var program: AttributeProgram
    var signal = Signal.traces

    init(program: AttributeProgram) { self.program = program }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let isSound =
            switch signal {
            case .traces: program.run(fields, attributes: Tag.Span.attributes, &editor)
            case .logs: program.run(fields, attributes: Tag.Log.attributes, &editor)
            case .metrics: metric(fields, &editor)
            }
        if !isSound { program.reset() }
        return isSound ? .keep : .malformed
    }

    private mutating func metric(_ fields: FieldCursor, _ editor: inout Editor) -> Bool {
        var fields = fields
        while fields.next() {
            guard let tags = Tag.Metric.point(of: fields.tag) else { continue }
            editor.enter(fields)
            var points = fields.message
            while points.next() {
                guard points.tag == Tag.Metric.points else { continue }
                editor.enter(points)
                guard program.run(points.message, attributes: tags.attributes, &editor) else { return false }
                editor.leave()
            }
            guard !points.isBroken else { return false }
            editor.leave()
        }
        return !fields.isBroken
    }
}

final class ResourceStage: Stage {
    let dropReason = ProcessorDropReason.malformed
    let ruleNames: [String] = []
    private var program: AttributeProgram
    private var memo = ResourceMemo()

    init(_ program: AttributeProgram) { self.program = program }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard !program.isEmpty else { return }
        if let resource = memo.edited(batch.resource, { edited($0, &editor) }) { batch.resource = resource }
        let changes = program.takeChanges()
        if changes > 0 { context.details["changed", default: 0] += changes }
    }

    /// Nil: nothing changes. A malformed resource stays as it is: what can be read of it, readers read.
    private func edited(_ resource: [UInt8], _ editor: inout Editor) -> [UInt8]? {
        resource.withUnsafeBytes { bytes in
            // An empty message has no bytes, and so no memory; attributes can be added to it all the same.
            let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
            editor.begin(base)
            guard program.run(FieldCursor(base, 0..<bytes.count), attributes: Tag.Resource.attributes, &editor) else {
                program.reset()
                return nil
            }
            return editor.hasChanged ? editor.finish(at: bytes.count) : nil
        }
    }
}
