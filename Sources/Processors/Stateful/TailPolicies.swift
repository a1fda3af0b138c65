// A policy is conditions on a trace. Each rule of a policy is one bit: it is set when a span comes that the rule matches,
// and never taken back, so that a rule is not looked at again for a trace that has the bit. What is left to the decision
// is a comparison of bits, the trace's duration, its randomness and the rates.

internal import Configuration
internal import Telemetry

/// What was decided of a trace.
struct Verdict: Hashable {
    var isKept: Bool
    /// The policy that decided, or was the first to have no room for it; -1: there was none.
    var policy: Int16
}

/// The policies of a tail sampler, ready to be asked.
struct TailPolicies {
    private struct Policy {
        let all: UInt64
        let any: UInt64
        let durationMin: UInt64
        /// Traces with less randomness are refused.
        let threshold: UInt64
        let rate: TokenBucket?
        let drops: Bool
    }

    /// A rule as far as the index tells, in a form that is quick to go through.
    private struct Test {
        let bit: UInt64
        let durationMin: UInt64
        let durationMax: UInt64
        /// `any`: all.
        let kind: UInt8
        let status: UInt8
        /// 0: it may be, 1: it has to be, 2: it may not be a root.
        let root: UInt8
        /// The rule looks at the scope or at the bytes.
        let looksInside: Bool
        let rule: Int32

        static let any = UInt8.max

        @inline(__always)
        func allows(_ item: Batch.Item) -> Bool {
            let duration = item.end > item.start ? item.end &- item.start : 0
            return (kind == Self.any || kind == item.kind) && (status == Self.any || status == item.status)
                && duration >= durationMin && duration < durationMax
                && (root == 0 || (root == 1) != item.parentSpanID.isValid)
        }
    }

    let names: [String]
    private var policies: [Policy] = []
    private var rules: [CompiledRule] = []
    /// Some policy asks for the trace's randomness.
    private(set) var usesRandomness = false

    // Of the batch that is under way.
    private var active: [ActiveRule] = []
    private var tests: [Test] = []

    init(_ configuration: [TailSampling.Policy]) {
        names = configuration.map(\.name)
        for policy in configuration {
            func bits(_ rules: [ItemFilter.Rule], _ all: inout [CompiledRule]) -> UInt64 {
                rules.reduce(0) { bits, rule in
                    all.append(CompiledRule(rule, number: all.count))
                    return bits | 1 << UInt64(all.count - 1)
                }
            }
            let all = bits(policy.all, &rules)
            let any = bits(policy.any, &rules)
            let threshold = policy.ratio.map { TraceRandomness.threshold($0) } ?? 0
            usesRandomness = usesRandomness || threshold > 0
            policies.append(
                Policy(
                    all: all, any: any, durationMin: policy.traceDurationMin ?? 0, threshold: threshold,
                    rate: policy.ratePerSecond.map { TokenBucket(perSecond: $0) }, drops: policy.drops))
        }
        precondition(rules.count <= TailSampling.rulesMax, "\(rules.count) rules")
    }

    // MARK: spans

    /// Begins with a batch of spans.
    mutating func prepare(_ batch: borrowing Batch) {
        active = ActiveRule.active(rules, batch)
        tests.removeAll(keepingCapacity: true)
        for (index, active) in active.enumerated() {
            let rule = active.rule.rule
            let attribute = active.rule.attribute != nil && !active.resourceHasAttribute
            tests.append(
                Test(
                    bit: 1 << UInt64(active.rule.number), durationMin: rule.durationMin ?? 0,
                    durationMax: rule.durationMax ?? .max, kind: rule.kind?.rawValue ?? Test.any,
                    status: rule.status?.rawValue ?? Test.any, root: rule.isRoot.map { $0 ? 1 : 2 } ?? 0,
                    looksInside: attribute || active.rule.name != nil || !active.scopes.isEmpty, rule: Int32(index)))
        }
    }

    /// The rules that a span matches, as bits, those in `known` left aside; nil: it is malformed.
    @inline(__always)
    func bits(_ item: Batch.Item, _ frame: UnsafeRawBufferPointer, known: UInt64) -> UInt64? {
        var found = known
        for index in 0..<tests.count {
            let test = tests[index]
            guard found & test.bit == 0, test.allows(item) else { continue }
            if test.looksInside {
                switch look(Int(test.rule), item, frame) {
                case .no: continue
                case .malformed: return nil
                case .yes: break
                }
            }
            found |= test.bit
        }
        return found
    }

    private func look(_ rule: Int, _ item: Batch.Item, _ frame: UnsafeRawBufferPointer) -> ActiveRule.Found {
        guard let fields = FieldCursor.item(frame) else { return .malformed }
        return active[rule].matches(item, fields, .traces)
    }

    // MARK: traces

    /// - Parameters:
    ///   - bits: of all its spans.
    ///   - duration: nanoseconds.
    func decide(bits: UInt64, duration: UInt64, randomness: UInt64, now: UInt64) -> Verdict {
        var refused: Int16 = -1
        for (index, policy) in policies.enumerated() {
            guard bits & policy.all == policy.all, policy.any == 0 || bits & policy.any != 0,
                duration >= policy.durationMin
            else { continue }
            guard randomness >= policy.threshold, policy.rate?.take(now: now) ?? true else {
                if refused < 0 { refused = Int16(index) }
                continue
            }
            return Verdict(isKept: !policy.drops, policy: Int16(index))
        }
        return Verdict(isKept: false, policy: refused)
    }

    /// "" for none.
    func name(of verdict: Verdict) -> String { verdict.policy < 0 ? "" : names[Int(verdict.policy)] }
}

extension FieldCursor {
    /// The fields of an item, of which the frame is given; nil: that is none.
    static func item(_ frame: UnsafeRawBufferPointer) -> FieldCursor? {
        guard let base = frame.baseAddress else { return nil }
        var cursor = FieldCursor(base, 0..<frame.count)
        guard cursor.next(), cursor.tag & 7 == 2, cursor.offset == frame.count else { return nil }
        return cursor.message
    }
}
