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
            case .never: SampleEdit(rule: .threshold(SampleEdit.range))
            case .ratio(let ratio): ratio < 1 ? SampleEdit(rule: .threshold(SampleEdit.threshold(ratio))) : nil
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

    /// One more than the greatest randomness.
    static let range: UInt64 = 1 << 56

    let rule: Rule
    var now: UInt64 = 0

    init(rule: Rule) { self.rule = rule }

    /// The rejection threshold of a probability.
    static func threshold(_ ratio: Double) -> UInt64 {
        guard ratio > 0 else { return range }
        return min(UInt64(((1 - min(ratio, 1)) * Double(range)).rounded()), range)
    }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        let trace = item.traceID
        switch rule {
        case .threshold(let threshold):
            let randomness = Self.randomness(fields) ?? trace.low & (Self.range - 1)
            return randomness >= threshold ? .keep : .drop(rule: 0)
        case .rate(let rate):
            return rate.isChosen(trace, now: now) ? .keep : .drop(rule: 0)
        }
    }

    /// `rv` of the `ot` entry of a trace state: 14 hex digits.
    private static func randomness(_ fields: FieldCursor) -> UInt64? {
        var fields = fields
        while fields.next(), fields.number <= Tag.Span.traceState >> 3 {
            if fields.tag == Tag.Span.traceState { return randomness(fields.bytes(fields.value)) }
        }
        return nil
    }

    /// W3C Trace Context allows 512 bytes; what is longer is not looked at.
    private static let traceStateBytesMax = 512

    static func randomness(_ state: UnsafeRawBufferPointer) -> UInt64? {
        guard state.count <= traceStateBytesMax else { return nil }
        for member in state.split(separator: 0x2C) {
            let member = member.drop { $0 == 0x20 || $0 == 0x09 }
            guard member.starts(with: "ot=".utf8) else { continue }
            for entry in member.dropFirst(3).split(separator: 0x3B) where entry.starts(with: "rv:".utf8) {
                let digits = entry.dropFirst(3).prefix { $0 != 0x20 && $0 != 0x09 }
                guard digits.count == 14 else { return nil }
                var value: UInt64 = 0
                for digit in digits {
                    switch digit {
                    case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
                    case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
                    default: return nil
                    }
                }
                return value
            }
            return nil
        }
        return nil
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

    private let perSecond: Double
    private let capacity: Double
    private var tokens: Double
    private var last: UInt64?
    private var decisions = [Decision](repeating: Decision(), count: decisionsMax)

    init(perSecond: Double) {
        self.perSecond = max(perSecond, 0)
        // Below one a second it takes longer than a second to save up for a trace.
        capacity = perSecond > 0 ? max(perSecond, 1) : 0
        tokens = capacity
    }

    /// - Parameter now: nanoseconds; a time before the last one counts as the last.
    func isChosen(_ trace: TraceID, now: UInt64) -> Bool {
        let slot = Int(truncatingIfNeeded: ((trace.low ^ trace.high) &* 0x9E37_79B9_7F4A_7C15) >> 49)
        if decisions[slot].trace == trace { return decisions[slot].isChosen }
        if let last, now > last { tokens = min(capacity, tokens + Double(now - last) * 1e-9 * perSecond) }
        last = max(last ?? now, now)
        let isChosen = tokens >= 1
        if isChosen { tokens -= 1 }
        decisions[slot] = Decision(trace: trace, isChosen: isChosen)
        return isChosen
    }
}
