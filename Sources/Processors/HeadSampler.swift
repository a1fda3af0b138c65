// Samplers that look at the trace's id alone (and at the randomness in its state), so that all spans of a trace share
// their fate, in whatever order, batch or agent they come.
// <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>

public import Configuration
internal import Telemetry

extension Processor {
    /// Drops the spans of traces that are not chosen. Logs and metrics pass.
    public static func sample(_ sampling: HeadSampling) -> Processor { Processor(stage: SampleStage(sampling)) }
}

final class SampleStage: Stage {
    let dropReason = ProcessorDropReason.unsampled
    let ruleNames = [""]
    private var edit: SampleEdit?

    init(_ sampling: HeadSampling) {
        edit =
            switch sampling {
            case .always: nil
            case .never: SampleEdit(rule: .threshold(TraceRandomness.range))
            case .ratio(let ratio): ratio < 1 ? SampleEdit(rule: .threshold(TraceRandomness.threshold(ratio))) : nil
            case .rate(let perSecond): SampleEdit(rule: .rate(TraceRate(perSecond: perSecond)))
            }
    }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard batch.signal == .traces, edit != nil else { return }
        edit!.now = context.now
        editor.editItems(of: &batch, &edit!, &context.tally)
    }
}

private struct SampleEdit: ItemEdit {
    enum Rule {
        /// Traces whose 56 bits of randomness are this or more are chosen.
        case threshold(UInt64)
        case rate(TraceRate)
    }

    let rule: Rule
    var now: UInt64 = 0

    init(rule: Rule) { self.rule = rule }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let trace = item.traceID
        switch rule {
        case .threshold(let threshold):
            return TraceRandomness.of(trace, fields) >= threshold ? .keep : .drop(rule: 0)
        case .rate(let rate):
            return rate.isChosen(trace, now: now) ? .keep : .drop(rule: 0)
        }
    }
}

/// A bucket of tokens, one a trace, and what was decided of the traces seen last, so that their later spans go the same
/// way.
final class TraceRate {
    /// Decisions that are remembered: a table by the trace's id in which a newer trace takes an older one's place. 768
    /// KiB.
    static let decisionsMax = 1 << 15

    private struct Decision {
        var trace = TraceID.invalid
        var isChosen = false
    }

    private let bucket: TokenBucket
    private var decisions = [Decision](repeating: Decision(), count: decisionsMax)

    init(perSecond: Double) { bucket = TokenBucket(perSecond: perSecond) }

    /// - Parameter now: nanoseconds; a time before the last one counts as the last.
    func isChosen(_ trace: TraceID, now: UInt64) -> Bool {
        let slot = Int(truncatingIfNeeded: ((trace.low ^ trace.high) &* 0x9E37_79B9_7F4A_7C15) >> 49)
        if decisions[slot].trace == trace { return decisions[slot].isChosen }
        let isChosen = bucket.take(now: now)
        decisions[slot] = Decision(trace: trace, isChosen: isChosen)
        return isChosen
    }
}
