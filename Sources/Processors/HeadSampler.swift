// Samplers that look at the trace's id alone (and at the randomness in its state), so that all spans of a trace share
// their fate, in whatever order, batch or agent they come.
// <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>

public import Configuration
internal import Telemetry

extension Processor {
    /// Drops the spans of traces that are not chosen, or log records by their level. What else there is passes.
    /// - Parameter strategies: where remote ones come from; they have to be there for a sampling that is remote.
    public static func sample(_ sampling: HeadSampling, _ strategies: RemoteStrategies? = nil) -> Processor {
        if case .levels(let levels) = sampling { return Processor(stage: LevelSampleStage(levels)) }
        return Processor(stage: SampleStage(sampling, strategies))
    }
}

final class SampleStage: Stage {
    let dropReason = ProcessorDropReason.unsampled
    let ruleNames = [""]
    private var edit: SampleEdit?
    private let strategies: RemoteStrategies?

    init(_ sampling: HeadSampling, _ strategies: RemoteStrategies?) {
        self.strategies = strategies
        edit =
            switch sampling {
            case .always: nil
            case .never: SampleEdit(rule: .threshold(TraceRandomness.range))
            case .ratio(let ratio): ratio < 1 ? SampleEdit(rule: .threshold(TraceRandomness.threshold(ratio))) : nil
            case .rate(let perSecond):
                SampleEdit(rule: .rate(TokenBucket(perSecond: perSecond)), decisions: TraceDecisions())
            case .remote(let remote):
                SampleEdit(rule: .remote(CompiledStrategy(remote.initial, owner: 0)), decisions: TraceDecisions())
            case .levels: preconditionFailure("log records are sampled by another stage")
            }
        if case .remote = sampling { precondition(strategies != nil, "remote sampling without its strategies") }
    }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard batch.signal == .traces, edit != nil else { return }
        edit!.now = context.now
        if let strategies { prepare(strategies, batch, &context) }
        editor.editItems(of: &batch, &edit!, &context.tally)
    }

    /// What is the same for all spans of a batch.
    private func prepare(_ strategies: RemoteStrategies, _ batch: borrowing Batch, _ context: inout StageContext) {
        edit!.rule = .remote(strategies.strategy(of: batch.service))
        let tally = strategies.takeTally()
        for (name, count) in [
            ("strategies", tally.answered), ("strategies_failed", tally.failed), ("services_over", tally.over),
        ] where count > 0 {
            context.details[name, default: 0] += count
        }
    }
}

private struct SampleEdit: ItemEdit {
    enum Rule {
        /// Traces whose 56 bits of randomness are this or more are chosen.
        case threshold(UInt64)
        case rate(TokenBucket)
        case remote(CompiledStrategy)
    }

    var rule: Rule
    /// Nil: none are remembered.
    let decisions: TraceDecisions?
    var now: UInt64 = 0

    init(rule: Rule, decisions: TraceDecisions? = nil) {
        self.rule = rule
        self.decisions = decisions
    }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let trace = item.traceID
        switch rule {
        case .threshold(let threshold):
            return TraceRandomness.of(trace, fields) >= threshold ? .keep : .drop(rule: 0)
        case .rate(let bucket): return decisions!.isChosen(trace, 0, by: bucket, now: now) ? .keep : .drop(rule: 0)
        case .remote(let strategy):
            return strategy.isChosen(trace, fields, decisions!, now: now) ? .keep : .drop(rule: 0)
        }
    }
}

/// What buckets of tokens, one a trace, have decided of the traces seen last, so that their later spans go the same way.
final class TraceDecisions {
    /// Decisions that are remembered: a table by the trace's id in which a newer trace takes an older one's place. 1 MiB.
    static let countMax = 1 << 15

    private struct Decision {
        var trace = TraceID.invalid
        var owner: UInt64 = 0
        var isChosen = false
    }

    private var decisions = [Decision](repeating: Decision(), count: countMax)

    /// - Parameters:
    ///   - owner: of the bucket.
    ///   - now: nanoseconds; a time before the last one counts as the last.
    func isChosen(_ trace: TraceID, _ owner: UInt64, by bucket: TokenBucket, now: UInt64) -> Bool {
        let slot = Int(
            truncatingIfNeeded: ((trace.low ^ trace.high ^ owner) &* 0x9E37_79B9_7F4A_7C15) >> 49)
        if decisions[slot].trace == trace, decisions[slot].owner == owner { return decisions[slot].isChosen }
        let isChosen = bucket.take(now: now)
        decisions[slot] = Decision(trace: trace, owner: owner, isChosen: isChosen)
        return isChosen
    }
}
