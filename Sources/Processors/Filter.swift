// Conditions are checked from cheap to dear: what is the same for a whole batch once a batch (signal, service,
// resource), what is in the index without a look at the bytes (kind, status, duration, severity), then the scope, the
// name, the attributes. A batch that no rule can apply to is not walked at all.

public import Configuration
internal import Telemetry

extension Processor {
    /// Drops items, and counts them by rule.
    public static func filter(_ filter: ItemFilter) -> Processor { Processor(stage: FilterStage(filter)) }
}

final class FilterStage: Stage {
    static let notKept = "keep"

    let dropReason = ProcessorDropReason.filtered
    let ruleNames: [String]
    private var edit: FilterEdit

    init(_ filter: ItemFilter) {
        ruleNames = filter.drop.indices.map { "drop \($0 + 1)" } + [Self.notKept]
        edit = FilterEdit(
            drop: filter.drop.enumerated().map { CompiledRule($1, number: $0) },
            keep: filter.keep.map { CompiledRule($0, number: filter.drop.count) }, notKept: filter.drop.count)
    }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard edit.prepare(batch) else { return }
        editor.editItems(of: &batch, &edit, &context.tally)
    }
}

private struct FilterEdit: ItemEdit {
    private let drop: [CompiledRule]
    private let keep: [CompiledRule]
    private let notKept: Int
    private var activeDrop: [ActiveRule] = []
    private var activeKeep: [ActiveRule] = []
    /// Some rule says what of this signal is kept.
    private var keepsSome = false
    private var signal = Signal.traces

    init(drop: [CompiledRule], keep: [CompiledRule], notKept: Int) {
        self.drop = drop
        self.keep = keep
        self.notKept = notKept
    }

    /// False: no rule can apply to the batch.
    mutating func prepare(_ batch: borrowing Batch) -> Bool {
        signal = batch.signal
        let signal = signal
        activeDrop = ActiveRule.active(drop, batch)
        activeKeep = ActiveRule.active(keep, batch)
        keepsSome = keep.contains { $0.rule.canApply(to: signal) }
        return !activeDrop.isEmpty || keepsSome
    }

    // MARK: items

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        for active in activeDrop {
            switch active.matches(item, fields, signal) {
            case .yes: return .drop(rule: active.rule.number)
            case .malformed: return .malformed
            case .no: break
            }
        }
        guard keepsSome else { return .keep }
        for active in activeKeep {
            switch active.matches(item, fields, signal) {
            case .yes: return .keep
            case .malformed: return .malformed
            case .no: break
            }
        }
        return .drop(rule: notKept)
    }
}
